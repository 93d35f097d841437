/** Wilson's interval of a share. */
import type { Interval } from './bootstrap.ts';

/** Two-sided 95 % quantile of the normal distribution. */
const z = 1.959964;

/** Wilson's 95 % score interval (1927) of a share among n independent units; NaN where n is 0. */
export function wilson(share: number, n: number): Interval {
  const centre = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n * n));
  return { low: centre - half, high: centre + half };
}
