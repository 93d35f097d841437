import { describe, expect, it } from 'vitest';
import { rankCorrelation } from '../../../src/methods/statistics/rankCorrelation.ts';

describe('rankCorrelation', () => {
  it.each([
    [[1, 2, 3, 4], [10, 20, 25, 100], 1],
    [[1, 2, 3, 4], [4, 3, 2, 1], -1],
    // by hand: ranks less their mean −2, −½, −½, 1, 2 and −1, −2, 1½, 1½, 0: 3.75 / 9.5
    [[1, 2, 2, 3, 5], [2, 1, 4, 4, 3], 3.75 / 9.5],
  ])('%o and %o', (a, b, expected) => {
    expect(rankCorrelation(a, b)).toBeCloseTo(expected, 12);
  });

  it('says nothing where nothing varies, and refuses lists of different lengths', () => {
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeNaN();
    expect(rankCorrelation([], [])).toBeNaN();
    expect(() => rankCorrelation([1], [1, 2])).toThrow('1 values and 2');
  });
});
