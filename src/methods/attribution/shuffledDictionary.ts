/** A dictionary to compare with that means nothing: docs/method.md section 5. */
import { shuffled } from '../statistics/groups.ts';
import { generatorOf } from '../statistics/random.ts';
import type { Dictionary } from './score.ts';

/**
 * A dictionary whose directions mean nothing: the columns of the decoder in random order, the same for every
 * latent, so that lengths and angles between latents stay.
 */
export function shuffledDictionary(dictionary: Dictionary, seed: number): Dictionary {
  const { width, latents } = dictionary;
  const from = shuffled([...Array(width).keys()], generatorOf(seed));
  return {
    width,
    latents,
    async decoderRows(first, to) {
      const rows = await dictionary.decoderRows(first, to);
      return Float32Array.from(rows, (_, at) => rows[at - (at % width) + from[at % width]!]!);
    },
  };
}
