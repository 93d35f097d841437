/** Step-down and step-up against counts by hand. */
import { describe, expect, it } from 'vitest';
import { falseDiscoveryRates } from '../../../src/methods/statistics/falseDiscovery.ts';
import { stepDown, stepUp } from '../../../src/methods/statistics/multiplicity.ts';

const draws = [
  [0, 4, 1],
  [2, 0, 2.5],
  [0, 1, 0],
  [1, 1, 1],
];

describe('stepDown', () => {
  it('counts draws that reach a value, alone and as maxima of those not yet done', () => {
    const tested = stepDown([1.5, 3, Number.NaN]);
    for (const draw of draws) tested.add(draw);
    // second first: reached by one own draw; then 1.5 against the maxima without it: draws two
    expect(tested.single()).toEqual([2 / 5, 2 / 5, 1]);
    expect(tested.familyWise()).toEqual([2 / 5, 2 / 5, 1]);
  });

  it('has what was not measured among the maxima, and never falls on the way down', () => {
    const tested = stepDown([0.5, Number.NaN, 3]);
    for (const draw of draws) tested.add(draw);
    // 3 is reached by the first draw's 4; 0.5 by 4, 2, 1 and 1
    expect(tested.familyWise()).toEqual([1, 1, 2 / 5]);
    const reversed = stepDown([3, 2.9]);
    for (let i = 0; i < 9; i++) reversed.add([i < 5 ? 9 : 0, 0]);
    expect(reversed.familyWise()).toEqual([0.6, 0.6]);
  });

  it('counts the values of all where they are exchangeable', () => {
    const tested = stepDown([1.5, 3, Number.NaN], { exchangeable: true });
    for (const draw of draws) tested.add(draw);
    // 4, 2 and 2.5 of twelve reach 1.5
    expect(tested.single()).toEqual([4 / 13, 2 / 13, 1]);
  });

  it('takes what is infinite as it is', () => {
    const tested = stepDown([Number.POSITIVE_INFINITY]);
    for (const value of [Number.POSITIVE_INFINITY, 5, 5]) tested.add([value]);
    expect(tested.single()).toEqual([2 / 4]);
  });
});

describe('false discovery rates', () => {
  // Benjamini and Hochberg 1995, section 3.2: 15 p-values, of which the first four are rejected at .05
  const p = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
    0.759, 1,
  ];
  it("reject the paper's four", () => {
    const q = Array.from(falseDiscoveryRates(p));
    expect(q.filter((value) => value <= 0.05)).toHaveLength(4);
    expect(q[3]).toBeCloseTo((15 * 0.0095) / 4, 12);
    expect(q[4]).toBeCloseTo((15 * 0.0201) / 5, 12);
    expect(Array.from(falseDiscoveryRates([...p].reverse()))).toEqual([...q].reverse());
  });

  it('are at most 1', () => {
    expect(stepUp([8, 0.5])).toEqual([1, 0.5]);
  });
});
