/** Agreement of estimates with exact effects on made-up numbers, and when first order is wrong. */
import { describe, expect, it } from 'vitest';
import { estimateAgreement, firstOrderFault } from '../../../src/methods/attribution/fidelity.ts';

describe('estimateAgreement', () => {
  it('is ranks, signs and the slope of exact on estimate through the origin', () => {
    const estimates = [4, 3, 2, -1, 0.5];
    const exact = [6, 6.5, 3, -2, -0.1];
    const found = estimateAgreement(estimates, exact);
    // ranks 5 4 3 1 2 against 4 5 3 1 2: 1 − 6·2/(5·24)
    expect(found.rank_correlation).toBeCloseTo(0.9, 12);
    expect(found.sign_agreement).toBe(0.8);
    expect(found.slope).toBeCloseTo((24 + 19.5 + 6 + 2 - 0.05) / (16 + 9 + 4 + 1 + 0.25), 12);
  });

  it('is null where it is not defined', () => {
    expect(estimateAgreement([], [])).toEqual({ rank_correlation: null, sign_agreement: null, slope: null });
    expect(estimateAgreement([2], [3])).toEqual({ rank_correlation: null, sign_agreement: 1, slope: 1.5 });
    expect(() => estimateAgreement([1, 2], [1])).toThrow(RangeError);
  });
});

describe('firstOrderFault', () => {
  it.each([
    [1, 1, null],
    [1, 1.99, null],
    [1, 0.51, null],
    [1, 2.01, 'too small'],
    [1, 0.49, 'too large'],
    [-1, 0.9, 'wrong sign'],
    [0.1, -5, 'wrong sign'],
    [-1, -3, 'too small'],
  ])('of first order %f and exact %f: %s', (first, exact, fault) => {
    expect(firstOrderFault(first, exact)).toBe(fault);
  });

  it('says nothing of what is below the resolution', () => {
    expect(firstOrderFault(9e-6, -9e-6)).toBeNull();
    expect(firstOrderFault(1e-9, 1.9e-5)).toBeNull();
    expect(firstOrderFault(-1e-9, 1.9e-5)).toBeNull();
    expect(firstOrderFault(-1e-9, 2.1e-5)).toBe('too small');
    expect(firstOrderFault(1, 0)).toBe('too large');
  });
});
