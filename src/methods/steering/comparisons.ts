/**
 * Directions that a latent is compared with and that need no dictionary: docs/method.md section 5. Unit vectors
 * [d]. Knows neither models nor texts.
 */

import { generatorOf, normalsFrom } from '../statistics/random.ts';

/** The vector at length 1; undefined for one of zeros or without a direction. */
export function unitOf(vector: ArrayLike<number>): Float32Array | undefined {
  const length = Math.sqrt(Array.from(vector).reduce((sum, x) => sum + x * x, 0));
  return length > 0 && Number.isFinite(length) ? Float32Array.from(vector, (x) => x / length) : undefined;
}

/** The difference of two means of rows. */
export function meanDifference(a: readonly Float32Array[], b: readonly Float32Array[]): Float64Array {
  const d = a[0]!.length;
  const mean = (rows: readonly Float32Array[], i: number) =>
    rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length;
  return Float64Array.from({ length: d }, (_, i) => mean(a, i) - mean(b, i));
}

/** Steps of the power iteration, at most. */
const mostSteps = 3000;

/** Further changes of a unit vector than this, squared, go on. */
const settled = 1e-12;

/**
 * The unit vectors with the greatest Δ(d) = −dᵀMd, orthogonal to one another: the first eigenvectors of the
 * symmetric part of −M, by power iteration with deflation. A shift by the Frobenius norm makes the greatest
 * eigenvalue that of greatest size.
 */
export function firstEigenvectors(m: Float32Array, count: number, seed: number): Float32Array[] {
  const d = Math.sqrt(m.length);
  const symmetric = new Float64Array(d * d);
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++) symmetric[i * d + j] = -(m[i * d + j]! + m[j * d + i]!) / 2;
  const shift = Math.sqrt(symmetric.reduce((sum, x) => sum + x * x, 0));
  const random = generatorOf(seed);
  const found: Float64Array[] = [];
  while (found.length < count) {
    let vector = outside(Float64Array.from({ length: d }, normalsFrom(random)), found);
    for (let step = 0; step < mostSteps; step++) {
      const next = outside(times(symmetric, vector, shift), found);
      const change = next.reduce((sum, x, i) => sum + (x - vector[i]!) ** 2, 0);
      vector = next;
      if (change < settled) break;
    }
    found.push(vector);
  }
  return found.map((vector) => Float32Array.from(vector));
}

/** (S + shift) v */
function times(symmetric: Float64Array, vector: Float64Array, shift: number): Float64Array {
  const d = vector.length;
  const out = new Float64Array(d);
  for (let i = 0; i < d; i++) {
    let sum = shift * vector[i]!;
    for (let j = 0; j < d; j++) sum += symmetric[i * d + j]! * vector[j]!;
    out[i] = sum;
  }
  return out;
}

/** The part outside the span of orthonormal vectors, at length 1. */
function outside(vector: Float64Array, basis: readonly Float64Array[]): Float64Array {
  for (const unit of basis) {
    const along = vector.reduce((sum, x, i) => sum + x * unit[i]!, 0);
    for (const [i, x] of unit.entries()) vector[i]! -= along * x;
  }
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  return vector.map((x) => x / length);
}
