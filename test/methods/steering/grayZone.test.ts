/** The central share of some values, by numpy's quantiles. */
import { expect, it } from 'vitest';
import { centralRange } from '../../../src/methods/steering/grayZone.ts';

it('is between two quantiles, which lie between the values', () => {
  const values = Array.from({ length: 50 }, (_, i) => ((i * 7) % 50) ** 2);
  const { low, high } = centralRange(values, 0.95);
  // 49 gaps: quantile .025 lies at 1.225 and .975 at 47.775
  expect(low).toBeCloseTo(1 + 0.225 * 3, 9);
  expect(high).toBeCloseTo(47 ** 2 + 0.775 * (48 ** 2 - 47 ** 2), 9);
});

it('of a share of 1 holds all, of 0 the median alone', () => {
  expect(centralRange([3, -1, 7, 5], 1)).toEqual({ low: -1, high: 7 });
  expect(centralRange([3, -1, 7, 5], 0)).toEqual({ low: 4, high: 4 });
  expect(centralRange([-2], 0.5)).toEqual({ low: -2, high: -2 });
});
