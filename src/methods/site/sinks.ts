/**
 * Attention sinks: tokens whose residual norm exceeds a multiple of the median norm of their sequence
 * (docs/method.md), usually the first. They are left out of every token set, because their huge norm would
 * dominate (a_t − ā).
 */

import { assertFinite } from '../../models/finite.ts';

/** Default multiple of the median. */
export const sinkFactor = 10;

/** Euclidean norms [T] of residuals x [T, width]. Throws InputError where one is not finite. */
export function rowNorms(x: Float32Array, width: number): Float64Array {
  const norms = Float64Array.from({ length: x.length / width }, (_, t) => {
    let sum = 0;
    for (let i = t * width; i < (t + 1) * width; i++) sum += x[i]! * x[i]!;
    return Math.sqrt(sum);
  });
  assertFinite(norms, 'the model gives activations');
  return norms;
}

/**
 * The lower median: of an even number of values the smaller of the middle two, as torch.median. NaN for
 * none.
 */
export function lowerMedian(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
}

/** The places (of `places`, one whole sequence) whose norm exceeds `factor` times the sequence's median. */
export function sinksOf(norms: ArrayLike<number>, places: readonly number[], factor = sinkFactor): number[] {
  const limit = factor * lowerMedian(places.map((place) => norms[place]!));
  return places.filter((place) => norms[place]! > limit);
}
