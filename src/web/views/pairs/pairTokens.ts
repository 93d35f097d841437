/** The tokens of one pair among those of its contrast. */
import type { PairRecord, PairTokens } from '../../../results.ts';

/** Undefined where the contrast's do not hold both of its completions. */
export function tokensOfPair(whole: PairTokens | undefined, pair: PairRecord): PairTokens | undefined {
  const places = [pair.positive_id, pair.negative_id].map(
    (id) => whole?.completions.findIndex((one) => one.id === id) ?? -1,
  );
  if (whole === undefined || places.includes(-1)) return undefined;
  return {
    pair: pair.id,
    prompt: whole.prompt,
    completions: places.map((at) => whole.completions[at]!),
    latents: whole.latents.map((one) => ({ ...one, completions: places.map((at) => one.completions[at]!) })),
  };
}
