/** Generators from seeds, mixed so that neighbouring seeds give unrelated numbers. */

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
