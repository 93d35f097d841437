/**
 * Bootstrap intervals: against the spread known from theory, by groups rather than items, the same for a
 * seed.
 */
import { expect, it } from 'vitest';
import { bootstrap, quantile } from '../../../src/methods/statistics/bootstrap.ts';
import { draw } from '../../support/opCases.ts';

const mean = (values: readonly number[]) => ({ mean: values.reduce((sum, x) => sum + x, 0) / values.length });

it('quantiles are those of numpy', () => {
  const values = [1, 2, 3, 4, 10];
  expect([0.025, 0.5, 0.975].map((share) => quantile(values, share))).toEqual([
    expect.closeTo(1.1, 12),
    3,
    expect.closeTo(9.4, 12),
  ]);
  expect(quantile([7], 0.3)).toBe(7);
  expect(quantile([], 0.5)).toBeNaN();
});

it("a mean's interval is that of the normal distribution", () => {
  const d = draw(3);
  const groups = Array.from({ length: 200 }, () => [5 + 2 * d.normal()]);
  const values = groups.flat();
  const centre = mean(values).mean;
  const error = Math.sqrt(values.reduce((sum, x) => sum + (x - centre) ** 2, 0)) / values.length;
  const { low, high } = bootstrap(groups, mean, { seed: 1 }).mean;
  expect(low).toBeGreaterThan(centre - 2.2 * error);
  expect(low).toBeLessThan(centre - 1.75 * error);
  expect(high).toBeGreaterThan(centre + 1.75 * error);
  expect(high).toBeLessThan(centre + 2.2 * error);
});

it('more items of the same groups make no narrower interval', () => {
  const groups = Array.from({ length: 30 }, (_, i) => [i % 7]);
  const tenfold = groups.map(([x]) => Array<number>(10).fill(x!));
  const options = { seed: 5, resamples: 300 };
  const [one, ten] = [groups, tenfold].map((given) => bootstrap(given, mean, options).mean) as [
    { low: number; high: number },
    { low: number; high: number },
  ];
  expect(ten.low).toBeCloseTo(one.low, 12);
  expect(ten.high).toBeCloseTo(one.high, 12);
});

it('depends on the seed alone; a wider level holds a narrower one', () => {
  const groups = Array.from({ length: 20 }, (_, i) => [i, i * i]);
  const at = (seed: number, level = 0.95) => bootstrap(groups, mean, { seed, level, resamples: 200 }).mean;
  expect(at(1)).toEqual(at(1));
  expect(at(1)).not.toEqual(at(2));
  expect(at(1, 0.5).low).toBeGreaterThan(at(1).low);
  expect(at(1, 0.5).high).toBeLessThan(at(1).high);
});

it('resamples on which a statistic is not defined do not count', () => {
  const share = (values: readonly number[]) => ({ found: values.includes(1) ? 1 : Number.NaN });
  expect(bootstrap([[1], [0], [0]], share, { seed: 1 }).found).toEqual({ low: 1, high: 1 });
  expect(bootstrap([[0]], share, { seed: 1 }).found).toEqual({ low: Number.NaN, high: Number.NaN });
});
