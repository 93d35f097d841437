/** Student's t against printed tables (Abramowitz and Stegun, table 26.10). */
import { describe, expect, it } from 'vitest';
import { lnGamma, studentQuantile, studentTail } from '../../../src/methods/statistics/studentT.ts';

describe('Student', () => {
  it.each([
    [0.025, 1, 12.7062],
    [0.025, 4, 2.77645],
    [0.05, 10, 1.81246],
    [0.005, 30, 2.74999],
    [0.025, 1e6, 1.95997],
  ])('tail %f of %d degrees starts at %f', (tail, degrees, t) => {
    expect(studentQuantile(tail, degrees)).toBeCloseTo(t, 4);
    expect(studentQuantile(1 - tail, degrees)).toBeCloseTo(-t, 4);
    expect(studentTail(studentQuantile(tail, degrees), degrees)).toBeCloseTo(tail, 9);
  });

  it('is Cauchy with one degree and symmetric with any', () => {
    expect(studentTail(1, 1)).toBeCloseTo(0.25, 12);
    expect(studentTail(-1, 1)).toBeCloseTo(0.75, 12);
    expect(studentTail(0, 7)).toBeCloseTo(0.5, 12);
    expect(studentTail(Number.POSITIVE_INFINITY, 7)).toBe(0);
  });

  it('has the logarithm of the gamma function', () => {
    expect(lnGamma(5)).toBeCloseTo(Math.log(24), 11);
    expect(lnGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 11);
  });
});
