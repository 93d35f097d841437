/** Calibration against numbers worked out by hand, and a temperature against scipy's minimum. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { calibrationError, reliability, temperatureOf } from '../../../src/methods/judging/calibration.ts';
import { logisticSigmoid } from '../../../src/methods/judging/logistic.ts';

it('bins probabilities and says how far they are from what came', () => {
  const bins = reliability([0, 0.05, 0.15, 0.95, 1], [false, true, false, true, true]);
  expect(bins).toHaveLength(10);
  expect(bins[0]).toEqual({ from: 0, to: 0.1, count: 2, probability: 0.025, share: 0.5 });
  expect(bins[1]).toMatchObject({ count: 1, probability: 0.15, share: 0 });
  expect(bins[2]).toMatchObject({ count: 0, probability: Number.NaN, share: Number.NaN });
  expect(bins[9]).toMatchObject({ count: 2, probability: 0.975, share: 1 });
  expect(calibrationError(bins)).toBeCloseTo((2 * 0.475 + 0.15 + 2 * 0.025) / 5, 12);
});

it('perfect probabilities have no error, whatever the bins', () => {
  const labels = [true, false, false, false];
  for (const count of [1, 3, 10])
    expect(calibrationError(reliability(Array(4).fill(0.25), labels, count))).toBe(0);
});

const decisions = [3, -4, 5, 2, -1, -6, 4, -2, 3.5, -3];
const labels = [1, 0, 1, 0, 1, 0, 1, 0, 0, 0].map(Boolean);

it('the temperature is the one of the least cross-entropy', () => {
  // scipy.optimize.minimize_scalar of the mean of log1p(exp(−y d / T)).
  expect(temperatureOf(decisions, labels)).toBeCloseTo(2.6278310659683353, 6);
});

it('follows the scale of the decisions, and stays in its range', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.2, max: 5, noNaN: true }), (factor) => {
      const scaled = decisions.map((s) => s * factor);
      expect(temperatureOf(scaled, labels)).toBeCloseTo(factor * temperatureOf(decisions, labels), 6);
    }),
  );
  expect(temperatureOf([2, -2], [true, false])).toBeCloseTo(1 / 20, 6);
  expect(temperatureOf([2, -2], [false, true])).toBeCloseTo(20, 6);
});

it('finds the temperature that labels were drawn with', () => {
  const at = Array.from({ length: 400 }, (_, n) => n / 50 - 4);
  const drawn = at.flatMap((s) =>
    Array.from({ length: 100 }, (_, k) => [s * 3, k < Math.round(100 * logisticSigmoid(s))] as const),
  );
  const found = temperatureOf(
    drawn.map(([s]) => s),
    drawn.map(([, label]) => label),
  );
  expect(found).toBeGreaterThan(2.9);
  expect(found).toBeLessThan(3.1);
});
