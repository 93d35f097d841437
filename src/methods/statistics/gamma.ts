/** Random numbers of gamma distributions, from which those of beta and Dirichlet distributions follow. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { normalsFrom } from './random.ts';

/**
 * Draws of a gamma distribution of scale 1, for any shape above 0 (Marsaglia and Tsang 2000; a shape below 1
 * by their rule Γ(a) = Γ(a + 1) u^(1/a)).
 */
export function gammasFrom(random: RandomGenerator): (shape: number) => number {
  const normal = normalsFrom(random);
  const positive = () => 1 - uniformFloat64(random);
  return function draw(shape: number): number {
    if (shape < 1) return draw(shape + 1) * positive() ** (1 / shape);
    const d = shape - 1 / 3;
    for (;;) {
      const x = normal();
      const v = (1 + x / Math.sqrt(9 * d)) ** 3;
      if (v > 0 && Math.log(positive()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v;
    }
  };
}
