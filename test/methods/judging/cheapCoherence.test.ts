import { describe, expect, it } from 'vitest';
import {
  type CheapMeasure,
  cheapLimits,
  cheaplyBroken,
  repetitionOf,
} from '../../../src/methods/judging/cheapCoherence.ts';

const measure = (logProbability: number, over: Partial<CheapMeasure> = {}): CheapMeasure => ({
  logProbability,
  repetition: 0,
  ended: true,
  ...over,
});

describe('repetitionOf', () => {
  it.each([
    [[1, 2, 3], 0],
    [[1, 2, 3, 4, 5, 6], 0],
    // five runs of four: 1212, 2121, 1212, 2121, 1212
    [[1, 2, 1, 2, 1, 2, 1, 2], 3 / 5],
    [Array<number>(10).fill(7), 6 / 7],
  ])('%j: %d', (ids, expected) => {
    expect(repetitionOf(ids)).toBeCloseTo(expected, 12);
  });
});

describe('cheapLimits', () => {
  // median −2, absolute deviations 0.5, 0.25, 0, 0.25, 0.5: MAD 0.25
  const alone = [-2.5, -2.25, -2, -1.75, -1.5].map((x) => measure(x));

  it('are set by what was left alone', () => {
    const limits = cheapLimits(alone);
    expect(limits.logProbability).toBeCloseTo(-2 - 4 * 1.4826 * 0.25, 12);
    expect(limits).toMatchObject({ repetition: 0.2, mustEnd: true });
    for (const one of alone) expect(cheaplyBroken(one, limits)).toBeUndefined();
    expect(cheaplyBroken(measure(-3.6), limits)).toBe('unlikely');
    expect(cheaplyBroken(measure(-2, { repetition: 0.3 }), limits)).toBe('repeats');
    expect(cheaplyBroken(measure(-2, { ended: false }), limits)).toBe('endless');
  });

  it('leave room where all are alike', () => {
    const limits = cheapLimits([measure(-2), measure(-2)]);
    expect(cheaplyBroken(measure(-2.3), limits)).toBeUndefined();
    expect(cheaplyBroken(measure(-2.5), limits)).toBe('unlikely');
  });

  it('allow what they do themselves: repetition, and answers that are cut', () => {
    const limits = cheapLimits([...alone, measure(-2, { repetition: 0.5, ended: false })]);
    expect(limits).toMatchObject({ repetition: 0.5, mustEnd: false });
    expect(cheaplyBroken(measure(-2, { repetition: 0.5, ended: false }), limits)).toBeUndefined();
    expect(() => cheapLimits([])).toThrow('no completions');
  });
});
