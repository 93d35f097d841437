/** Agreement of raters against scikit-learn's numbers, hand-made tables and the definition of each. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accuracy, auc, kappa, twoByTwo } from '../../../src/methods/judging/raterAgreement.ts';

const a = [1, 1, 0, 1, 0, 0, 1, 0, 1, 1].map(Boolean);
const b = [1, 0, 0, 1, 0, 1, 1, 0, 1, 0].map(Boolean);
const scores = [0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.9, 0.1, 0.7, 0.4];

const ratings = fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 30 });
const scored = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { maxLength: 25 })
  .map((drawn): [number, boolean][] => [...drawn, [2, true], [3, false]]);

describe('two raters', () => {
  it('are counted and compared as scikit-learn does', () => {
    const table = twoByTwo(a, b);
    expect(table).toEqual({ both: 4, onlyA: 2, onlyB: 1, neither: 3 });
    expect(accuracy(table)).toBeCloseTo(0.7, 12);
    expect(kappa(table)).toBeCloseTo(0.4, 12);
  });

  it("a textbook's table", () => {
    // 50 proposals: both yes 20, both no 15, only the first 5, only the second 10.
    expect(kappa({ both: 20, onlyA: 5, onlyB: 10, neither: 15 })).toBeCloseTo(0.4, 12);
  });

  it('agree perfectly with themselves, and no better than chance where they know nothing of one another', () => {
    expect(kappa(twoByTwo(a, a))).toBe(1);
    expect(
      kappa(
        twoByTwo(
          a,
          a.map((x) => !x),
        ),
      ),
    ).toBeLessThan(0);
    expect(kappa({ both: 6, onlyA: 4, onlyB: 9, neither: 6 })).toBeCloseTo(0, 12);
    expect(kappa(twoByTwo([true, true], [true, true]))).toBeNaN();
    expect(accuracy(twoByTwo([], []))).toBeNaN();
  });

  it('may change places', () => {
    fc.assert(
      fc.property(ratings, (pairs) => {
        const [x, y] = [pairs.map(([first]) => first), pairs.map(([, second]) => second)];
        expect(kappa(twoByTwo(x, y))).toEqual(kappa(twoByTwo(y, x)));
      }),
    );
  });
});

describe('auc', () => {
  it('counts ties as half, as scikit-learn does', () => {
    expect(auc(scores, b)).toBeCloseTo(0.76, 12);
    expect(auc(scores, a)).toBeCloseTo(0.7708333333333335, 12);
  });

  it('is the share of pairs in the right order', () => {
    fc.assert(
      fc.property(scored, (items) => {
        const [yes, no] = [true, false].map((label) =>
          items.filter((item) => item[1] === label).map(([s]) => s),
        ) as [number[], number[]];
        const pairs = yes.flatMap((p) => no.map((q) => (p > q ? 1 : p === q ? 0.5 : 0)));
        const expected = pairs.reduce<number>((sum, x) => sum + x, 0) / pairs.length;
        expect(
          auc(
            items.map(([s]) => s),
            items.map(([, label]) => label),
          ),
        ).toBeCloseTo(expected, 12);
      }),
    );
  });

  it('is NaN where a label is missing', () => {
    expect(auc([1, 2], [true, true])).toBeNaN();
    expect(auc([], [])).toBeNaN();
  });
});
