/** Generators from seeds, mixed so that neighbouring seeds give unrelated numbers. */

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** One step of splitmix32 (Steele, Lea and Flood 2014, in 32 bits). */
function mixed(state: number): number {
  let z = state | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

/** The generator of a seed (any 32-bit integer). */
export function generatorOf(seed: number): RandomGenerator {
  const golden = 0x9e3779b9;
  return xoroshiro128plusFromState([1, 2, 3, 4].map((i) => mixed(seed + Math.imul(golden, i)) | 0));
}

/** Standard normal numbers from a generator, by Box and Muller. */
export function normalsFrom(random: RandomGenerator): () => number {
  return () =>
    Math.sqrt(-2 * Math.log(1 - uniformFloat64(random))) * Math.cos(2 * Math.PI * uniformFloat64(random));
}

/**
 * A unit vector in a random direction of d dimensions (all as likely), and a uniform number drawn after it,
 * of one seed.
 */
export function randomDirection(d: number, seed: number): { direction: Float32Array; uniform: number } {
  const random = generatorOf(seed);
  const values = Float64Array.from({ length: d }, normalsFrom(random));
  const norm = Math.hypot(...values);
  return { direction: Float32Array.from(values, (x) => x / norm), uniform: uniformFloat64(random) };
}
