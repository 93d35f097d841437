/** Finite differences of a loss whose gradient is known, and of one whose gradient is given wrongly. */
import { expect, it } from 'vitest';
import { derivativeAlong } from '../../../src/methods/check/finiteDifferences.ts';

const at = Float32Array.of(0.3, -1.2, 0.7);
const loss = async (x: Float32Array) => Math.exp(x[0]!) + Math.sin(x[1]! * x[2]!) + x[2]! ** 3;
const gradient = Float32Array.of(
  Math.exp(0.3),
  0.7 * Math.cos(-1.2 * 0.7),
  -1.2 * Math.cos(-1.2 * 0.7) + 3 * 0.49,
);
const move = Float32Array.of(0.05, 0.02, -0.04);

it('a right gradient is within rounding of the differences', async () => {
  const { differences, gradient: along, error } = await derivativeAlong(loss, at, gradient, move);
  expect(differences).toBeCloseTo(along, 5);
  expect(error).toBeLessThan(1e-4);
});

it('one of the wrong sign, or half its size, is not', async () => {
  const errorOf = async (factor: number) =>
    (
      await derivativeAlong(
        loss,
        at,
        gradient.map((g) => factor * g),
        move,
      )
    ).error;
  expect(await errorOf(-1)).toBeGreaterThan(1);
  expect(await errorOf(0.5)).toBeGreaterThan(0.9);
});
