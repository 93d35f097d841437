/** Measures of a detector: by hand, and against counting all pairs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  aucOf,
  brierScore,
  detectionThreshold,
  flaggedShares,
  type ScoredText,
  withinGroups,
} from '../../../src/methods/monitoring/detection.ts';

const text = (group: string, label: boolean, score: number): ScoredText => ({ group, label, score });

/** Every pair of a positive and a negative, in those of one group alone where it is asked for. */
function countedPairs(texts: readonly ScoredText[], within: boolean) {
  let [right, pairs] = [0, 0];
  for (const a of texts)
    for (const b of texts) {
      if (!a.label || b.label || (within && a.group !== b.group)) continue;
      right += a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0;
      pairs++;
    }
  return { value: right / pairs, pairs };
}

/** Both not defined, or the same but for rounding. */
const near = (found: number, wanted: number) =>
  Number.isNaN(wanted) ? expect(found).toBeNaN() : expect(found).toBeCloseTo(wanted, 12);

const anyText = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean(), fc.integer({ min: -4, max: 4 }))
  .map(([group, label, score]) => text(group, label, score));

describe('areas', () => {
  it('are the shares of pairs in the right order, of all and of those of one group', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 25 }), (texts) => {
        const [all, within] = [countedPairs(texts, false), countedPairs(texts, true)];
        near(aucOf(texts), all.value);
        near(withinGroups(texts).value, within.value);
        expect(withinGroups(texts).pairs).toBe(within.pairs);
      }),
    );
  });

  it('differ where groups alone tell labels apart', () => {
    const texts = [
      text('a', true, 9),
      text('a', true, 8),
      text('a', false, 9),
      text('b', false, 1),
      text('b', false, 0),
      text('b', true, 0),
    ];
    expect(aucOf(texts)).toBeCloseTo((2.5 + 2 + 0.5) / 9, 12);
    // a: 0.5 of 2 pairs; b: 0.5 of 2
    expect(withinGroups(texts)).toEqual({ value: 0.25, pairs: 4, groups: 2 });
    expect(withinGroups([text('a', true, 1), text('b', false, 0)])).toEqual({
      value: NaN,
      pairs: 0,
      groups: 0,
    });
  });
});

describe('a threshold', () => {
  it('lets through no more than the share, and one step lower would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 80 }),
        fc.constantFrom(0.01, 0.1, 0.25),
        (negatives, share) => {
          const threshold = detectionThreshold(negatives, share);
          const above = (x: number) => negatives.filter((score) => score > x).length / negatives.length;
          expect(above(threshold)).toBeLessThanOrEqual(share);
          const lower = Math.max(...negatives.filter((score) => score < threshold));
          if (Number.isFinite(lower)) expect(above(lower)).toBeGreaterThan(share);
        },
      ),
    );
  });

  it('of few negatives is the greatest of them', () => {
    const negatives = Array.from({ length: 99 }, (_, i) => i);
    expect(detectionThreshold(negatives)).toBe(98);
    expect(detectionThreshold([...negatives, 99])).toBe(98);
    expect(() => detectionThreshold([])).toThrow(RangeError);
  });
});

it('shares that are flagged, and the Brier score', () => {
  const labels = [true, true, false, false, false];
  expect(flaggedShares([true, false, true, false, false], labels)).toEqual({ tpr: 0.5, fpr: 1 / 3 });
  expect(flaggedShares([true], [true])).toEqual({ tpr: 1, fpr: NaN });
  expect(brierScore([0.8, 0.4, 0.5], [true, true, false])).toBeCloseTo((0.04 + 0.36 + 0.25) / 3, 12);
});
