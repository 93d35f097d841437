/**
 * Effects against counts by hand, Newcombe's interval against his paper, and the early decision's stated
 * error rate by simulation.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { describe, expect, it } from 'vitest';
import { generatorOf } from '../../../src/methods/statistics/random.ts';
import {
  decidedEarly,
  effectInterval,
  effectOf,
  incoherentShare,
  newcombe,
  type PromptTallies,
  placeOf,
  type Tally,
  total,
} from '../../../src/methods/steering/effect.ts';

const tally = (positives: number, coherent: number, completions = coherent): Tally => ({
  positives,
  coherent,
  completions,
});

describe('effectOf', () => {
  const prompts: PromptTallies[] = [
    { steered: tally(1, 4), alone: tally(3, 4) },
    { steered: tally(0, 2, 4), alone: tally(4, 4) },
  ];

  it('is the change in the share of positives among coherent completions', () => {
    expect(effectOf(prompts)).toBeCloseTo(1 / 6 - 7 / 8, 12);
    expect(incoherentShare(total(prompts.map(({ steered }) => steered)))).toBeCloseTo(2 / 8, 12);
    expect(effectOf([{ steered: tally(0, 0, 4), alone: tally(1, 4) }])).toBeNaN();
  });

  it('has an interval over prompts that holds it, and narrows with more of them', () => {
    const { low, high } = effectInterval(prompts, 1);
    expect(low).toBeLessThanOrEqual(effectOf(prompts));
    expect(high).toBeGreaterThanOrEqual(effectOf(prompts));
    const random = generatorOf(3);
    const many = Array.from({ length: 200 }, () => ({
      steered: tally(Number(uniformFloat64(random) < 0.3), 1),
      alone: tally(Number(uniformFloat64(random) < 0.6), 1),
    }));
    const wide = effectInterval(many.slice(0, 50), 1);
    const narrow = effectInterval(many, 1);
    expect(narrow.high - narrow.low).toBeLessThan(0.65 * (wide.high - wide.low));
    expect(effectInterval(many, 1)).toEqual(narrow);
  });
});

describe('newcombe', () => {
  // Newcombe, Statistics in Medicine 17 (1998) 873, table II, method 10
  it.each([
    [56, 70, 48, 80, 0.0524, 0.3339],
    [9, 10, 3, 10, 0.1705, 0.809],
    [10, 10, 0, 10, 0.6075, 1],
    [0, 10, 0, 10, -0.2775, 0.2775],
  ])('%d of %d minus %d of %d', (x, m, y, n, low, high) => {
    const found = newcombe(x / m, y / n, { a: m, b: n });
    expect(found.low).toBeCloseTo(low, 3);
    expect(found.high).toBeCloseTo(high, 3);
  });
});

describe('decidedEarly', () => {
  const zone = { low: -0.1, high: 0.1 };
  const alike = (prompts: number, steered: Tally, alone: Tally) =>
    Array.from({ length: prompts }, () => ({ steered, alone }));

  it('decides where the interval crosses no edge of the zone, prompts being its units', () => {
    expect(decidedEarly(alike(20, tally(0, 3), tally(3, 3)), zone)).toBe('outside');
    expect(decidedEarly(alike(500, tally(1, 2), tally(1, 2)), zone)).toBe('inside');
    expect(decidedEarly(alike(10, tally(50, 100), tally(50, 100)), zone)).toBeUndefined();
    expect(decidedEarly(alike(10, tally(0, 0, 10), tally(6, 10)), zone)).toBeUndefined();
    expect(placeOf(-0.11, zone)).toBe('outside');
    expect(placeOf(0.1, zone)).toBe('inside');
    expect(placeOf(Number.NaN, zone)).toBe('inside');
  });

  // completions of a prompt that are independent, and such that are all the same (as at temperature 0)
  it.each([false, true])('is wrong at most as often as stated; completions all the same: %s', (same) => {
    const random = generatorOf(8);
    const positive = (p: number) => Number(uniformFloat64(random) < p);
    const draw = (p: number): Tally => {
      const first = positive(p);
      return tally(first + (same ? 3 * first : positive(p) + positive(p) + positive(p)), 4);
    };
    for (const effect of [-0.4, -0.1001, -0.0999, 0, 0.0999, 0.1001, 0.3]) {
      const truth = placeOf(effect, zone);
      const runs = 2000;
      let wrong = 0;
      for (let i = 0; i < runs; i++) {
        const prompts = Array.from({ length: 10 }, () => ({ steered: draw(0.5 + effect), alone: draw(0.5) }));
        const found = decidedEarly(prompts, zone);
        if (found !== undefined && found !== truth) wrong++;
      }
      // three standard errors of a share of 5 %
      expect(wrong / runs).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs));
    }
  });
});
