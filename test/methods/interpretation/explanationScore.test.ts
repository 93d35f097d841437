/** Balanced accuracy against counts done by hand. */
import { describe, expect, it } from 'vitest';
import { type Answered, isChance, scoreOf } from '../../../src/methods/interpretation/explanationScore.ts';

/** `count` times the same. */
const times = (count: number, truth: boolean, answer: boolean | null): Answered[] =>
  Array.from({ length: count }, () => ({ truth, answer }));

describe('scoreOf', () => {
  it('is the mean of both rates, however many there are of each', () => {
    const score = scoreOf([
      ...times(6, true, true),
      ...times(2, true, false),
      ...times(1, false, false),
      ...times(3, false, true),
    ]);
    expect(score).toEqual({
      balanced_accuracy: (6 / 8 + 1 / 4) / 2,
      true_positives: 6,
      false_negatives: 2,
      true_negatives: 1,
      false_positives: 3,
      unanswered: 0,
    });
  });

  it('is 1 where all is right, 0 where all is wrong, 1/2 for one answer to all', () => {
    const accuracy = (positive: boolean, negative: boolean) =>
      scoreOf([...times(9, true, positive), ...times(5, false, negative)])!.balanced_accuracy;
    expect([accuracy(true, false), accuracy(false, true)]).toEqual([1, 0]);
    expect([accuracy(true, true), accuracy(false, false)]).toEqual([0.5, 0.5]);
  });

  it('counts what is not answered, and leaves it out of the rates', () => {
    const answered = [...times(3, true, true), ...times(1, true, false), ...times(4, false, false)];
    const silent = [...times(5, true, null), ...times(2, false, null)];
    expect(scoreOf([...answered, ...silent])).toEqual({ ...scoreOf(answered), unanswered: 7 });
  });

  it('has no accuracy without answers of both kinds, and is none without passages', () => {
    expect(scoreOf([...times(3, true, null), ...times(4, false, false)])).toMatchObject({
      balanced_accuracy: null,
      true_negatives: 4,
      unanswered: 3,
    });
    expect(scoreOf([])).toBeNull();
  });
});

describe('isChance', () => {
  const right = (share: number, each: number) =>
    scoreOf([
      ...times(share * each, true, true),
      ...times((1 - share) * each, true, false),
      ...times(share * each, false, false),
      ...times((1 - share) * each, false, true),
    ])!;

  it('asks for more of few passages than of many', () => {
    // 1.645 √(2/(16·20)) = 0.130
    expect(isChance(right(0.6, 20))).toBe(true);
    expect(isChance(right(0.65, 20))).toBe(false);
    expect(isChance(right(0.6, 200))).toBe(false);
    expect(isChance(right(0.3, 20))).toBe(true);
  });

  it('is passed by guesses in about one case of twenty', () => {
    let state = 1;
    const coin = () => {
      state = (state * 48271) % 2147483647;
      return state % 2 === 0;
    };
    const runs = 4000;
    let passed = 0;
    for (let i = 0; i < runs; i++) {
      const guesses = [true, false].flatMap((truth) =>
        Array.from({ length: 20 }, () => ({ truth, answer: coin() })),
      );
      if (!isChance(scoreOf(guesses)!)) passed++;
    }
    expect(passed / runs).toBeGreaterThan(0.02);
    expect(passed / runs).toBeLessThan(0.09);
  });

  it('holds of a score without an accuracy', () => {
    expect(isChance(scoreOf(times(5, true, true))!)).toBe(true);
  });
});
