/**
 * An SAE of weights that lie in files under names of our own: W_enc [d, N], W_dec [N, d], b_dec [d] and the
 * kind's own. Knows no format.
 */
import { inBlocks, type SaeDecoder } from '../decoder.ts';
import { makeSae, type SaeParts } from '../dictionary.ts';
import { weightShapes } from '../kinds/kind.ts';
import type { Sae } from '../sae.ts';
import { assertTensors, readWeight, readWeightRows, type StoredWeights, sizesOf } from '../weights.ts';

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
    decoder: storedDecoder(weights, d, N),
    async weight(name) {
      const constant = Object.hasOwn(constants, name) ? constants[name] : undefined;
      if (constant === undefined) return readWeight(weights, name);
      return new Float32Array(name === 'b_dec' ? d : N).fill(constant);
    },
  });
}

/** A decoder that lies transposed is read in blocks of rows: a row's values lie N apart. */
function storedDecoder(weights: StoredWeights, width: number, latents: number): SaeDecoder {
  const rows = (from: number, to: number) => readWeightRows(weights, 'W_dec', from, to);
  const decoder = { width, latents, rows };
  const strides = weights.tensors.get('W_dec')?.strides;
  return strides && strides[0]! < strides[1]! ? inBlocks(decoder) : decoder;
}
