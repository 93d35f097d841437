import { describe, expect, it } from 'vitest';
import { intraclassCorrelation } from '../../../src/methods/statistics/intraclass.ts';

describe('intraclassCorrelation', () => {
  it('agrees with an analysis of variance by hand', () => {
    // the mean square within is 0.5
    const groups = [
      [0, 1],
      [1, 2],
      [2.25, 3.25],
    ];
    const means = [0.5, 1.5, 2.75];
    const mean = (0.5 + 1.5 + 2.75) / 3;
    const between = means.reduce((sum, one) => sum + 2 * (one - mean) ** 2, 0) / 2;
    expect(intraclassCorrelation(groups)).toBeCloseTo((between - 0.5) / (between + 0.5), 12);
  });

  it('is 1 where groups differ and values within do not, 0 where the other way round', () => {
    expect(intraclassCorrelation([[0, 0, 0], [], [1, 1], [0]])).toBeCloseTo(1, 12);
    expect(
      intraclassCorrelation([
        [0, 1],
        [1, 0],
      ]),
    ).toBe(0);
  });

  it('is not a number where nothing tells', () => {
    expect(intraclassCorrelation([[0, 1]])).toBeNaN();
    expect(intraclassCorrelation([[0], [1]])).toBeNaN();
    expect(
      intraclassCorrelation([
        [1, 1],
        [1, 1],
      ]),
    ).toBeNaN();
  });
});
