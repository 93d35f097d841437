/**
 * An SAE of weights that lie in files under names of our own: W_enc [d, N], W_dec [N, d], b_dec [d] and the
 * kind's own. Knows no format.
 */
import { makeSae, type SaeParts } from '../dictionary.ts';
import { weightShapes } from '../kinds/kind.ts';
import { storedDecoder, storedMatrix } from '../latentMatrix.ts';
import type { Sae } from '../sae.ts';
import { assertTensors, readWeight, type StoredWeights, sizesOf } from '../weights.ts';

export interface StoredSae
  extends Pick<SaeParts, 'kind' | 'where' | 'trainedOn' | 'subtractBias' | 'rescaled' | 'inputScale'> {
  readonly weights: StoredWeights;
  readonly normalisation?: SaeParts['normalisation'];
  readonly counts?: SaeParts['counts'];
  /** Weights that are one number for all, in place of a tensor. */
  readonly constants?: Readonly<Record<string, number>>;
}

/** Throws InputError where a tensor is missing, of another shape, no float, or one that nobody reads. */
export function openStored({
  weights,
  normalisation = 'none',
  counts = {},
  constants = {},
  ...parts
}: StoredSae): Sae {
  const { width: d, latents: N } = sizesOf(weights);
  const shapes = { W_enc: [d, N], W_dec: [N, d], b_dec: [d], ...weightShapes(parts.kind, d, N) };
  const isInFile = ([name]: [string, unknown]) => !Object.hasOwn(constants, name);
  assertTensors(weights, Object.fromEntries(Object.entries(shapes).filter(isInFile)));
  return makeSae({
    ...parts,
    normalisation,
    counts,
    decoder: { width: d, latents: N, ...storedDecoder(weights) },
    encoder: storedMatrix(weights, 'W_enc', 1),
    async weight(name) {
      const constant = Object.hasOwn(constants, name) ? constants[name] : undefined;
      if (constant === undefined) return readWeight(weights, name);
      return new Float32Array(name === 'b_dec' ? d : N).fill(constant);
    },
  });
}
