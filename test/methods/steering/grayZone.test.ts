/** The gray zone of random latents' effects: its edges by numpy's quantiles, how sure they are by theory. */
import { expect, it } from 'vitest';
import { grayZone } from '../../../src/methods/steering/grayZone.ts';
import { draw } from '../../support/opCases.ts';

function normals(count: number, seed: number): number[] {
  const d = draw(seed);
  return Array.from({ length: count }, () => 1 + 2 * d.normal());
}

it('holds the central share; with 50 latents its edges lie by the second and third most extreme', () => {
  const effects = Array.from({ length: 50 }, (_, i) => ((i * 7) % 50) ** 2);
  const { low, high } = grayZone(effects, { seed: 1 });
  expect(low).toBeCloseTo(1 + 0.225 * 3, 9);
  expect(high).toBeCloseTo(47 ** 2 + 0.775 * (48 ** 2 - 47 ** 2), 9);
  expect(grayZone(effects, { level: 1, seed: 1 })).toMatchObject({ low: 0, high: 49 ** 2 });
});

it('its edges are told with intervals that hold the true ones, wider for fewer latents', () => {
  const [truth, width] = [{ low: 1 - 1.96 * 2, high: 1 + 1.96 * 2 }, [] as number[]];
  for (const count of [100, 1600]) {
    const zone = grayZone(normals(count, 4), { seed: 2, resamples: 500 });
    for (const [edge, interval] of [
      ['low', zone.lowInterval],
      ['high', zone.highInterval],
    ] as const) {
      expect(interval.low).toBeLessThanOrEqual(zone[edge]);
      expect(interval.high).toBeGreaterThanOrEqual(zone[edge]);
      expect(interval.low).toBeLessThan(truth[edge]);
      expect(interval.high).toBeGreaterThan(truth[edge]);
    }
    width.push(zone.lowInterval.high - zone.lowInterval.low);
  }
  // a quantile's standard error, √(p(1−p)/n) over the density there, falls as 1/√n
  expect(width[0]! / width[1]!).toBeGreaterThan(2);
  expect(width[0]! / width[1]!).toBeLessThan(8);
});

it('the same for a seed; one latent makes a zone of one value', () => {
  const effects = normals(60, 5);
  expect(grayZone(effects, { seed: 3 })).toEqual(grayZone(effects, { seed: 3 }));
  expect(grayZone(effects, { seed: 4 })).not.toEqual(grayZone(effects, { seed: 3 }));
  const point = { low: 5, high: 5 };
  expect(grayZone([5], { seed: 1 })).toEqual({ ...point, lowInterval: point, highInterval: point });
});

it('refuses no effects, and one that is not finite', () => {
  expect(() => grayZone([], { seed: 1 })).toThrow('no effects');
  expect(() => grayZone([1, Number.NaN], { seed: 1 })).toThrow('effect 1 is NaN');
});
