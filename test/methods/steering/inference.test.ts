/** Tests of effects on studies whose truth is known; error rates by simulation are in `errorRates.test.ts`. */
import { describe, expect, it } from 'vitest';
import { generatorOf, normalsFrom } from '../../../src/methods/statistics/random.ts';
import { effectOf, type PromptTallies } from '../../../src/methods/steering/effect.ts';
import {
  effectVerdict,
  type Inference,
  inferEffects,
  oneSideOnly,
  type SideEffects,
} from '../../../src/methods/steering/inference.ts';
import { exitsByChance, predictionInterval } from '../../../src/methods/steering/predictionInterval.ts';
import { tailDegrees } from '../../../src/methods/steering/tails.ts';
import { madeUpSides } from '../../support/nullStudies.ts';

const made = { prompts: 60, completions: 3, share: [0.5, 0.4], icc: 0.3 };
const randoms = 30;
const draws = 499;

/** 30 random directions and 10 candidates with a little effect; the first ones have these. */
function sides(first: readonly (readonly [number, number])[], sampled?: (i: number) => boolean) {
  const random = generatorOf(11);
  const normal = normalsFrom(random);
  const effects = [0, 1].map((side) =>
    Array.from({ length: randoms + 10 }, (_, i) => first[i - randoms]?.[side] ?? 0.02 * normal()),
  );
  return madeUpSides(random, made, effects, { randoms, signs: [-1, 1], ...(sampled ? { sampled } : {}) });
}

const verdicts = (found: readonly Inference[]) => found.map(effectVerdict);

describe('inferEffects', () => {
  it('confirms what moves both sides as a cause does, and nothing that moves one, or the wrong way', () => {
    const both = sides([
      [-0.4, 0.4],
      [-0.4, 0],
      [0.4, -0.4],
      [0, 0.4],
    ]);
    const { add, remove } = inferEffects(
      { add: { sides: both }, remove: { sides: both.slice(0, 1) } },
      { seed: 1, draws },
    );
    expect(verdicts(add)).toEqual(['confirmed', ...new Array(9).fill('not shown')]);
    expect(verdicts(remove).slice(0, 4)).toEqual(['confirmed', 'confirmed', 'not shown', 'not shown']);
    expect(remove[2]!.p).toBeGreaterThan(0.99);
    const [first] = add as [Inference];
    expect(first.t).toBeCloseTo(Math.min(...first.sides.map(({ t }) => t)), 12);
    expect(first.sides[0]!.effectMinusRandom).toBeLessThan(-0.2);
    expect(first.sides[1]!.effectMinusRandom).toBeGreaterThan(0.2);
    // the least p that 499 draws give, times two tests; both sides were moved by two candidates at least
    expect(first.familyWise).toBeGreaterThanOrEqual(2 * 2 * 2 * (1 / 500));
    expect(first.sides[0]!.familyWise).toBeCloseTo(2 / 500, 12);
    for (const { p, familyWise } of [...add, ...remove]) expect(familyWise).toBeGreaterThanOrEqual(p);
  });

  it('depends on the seed alone, and on no other test but by their number', () => {
    const one = { sides: sides([[-0.3, 0.3]]) };
    const alone = inferEffects({ one }, { seed: 3, draws }).one;
    expect(inferEffects({ one }, { seed: 3, draws }).one).toEqual(alone);
    const beside = inferEffects({ other: one, one }, { seed: 3, draws }).one;
    expect(beside.map(({ p, q }) => [p, q])).toEqual(alone.map(({ p, q }) => [p, q]));
    expect(beside[0]!.familyWise).toBeCloseTo(2 * alone[0]!.familyWise, 12);
  });

  it('counts candidates that were not sampled, and says so', () => {
    const found = (more: number) => {
      const sampled = sides([[-0.4, 0.4]], (i) => i === 0);
      const wider = sampled.map((side) => ({
        ...side,
        // so far apart that the prompts alone would not decide
        random: side.random.map((effect) => 3 * effect),
        candidates: [...side.candidates, ...new Array<number>(more).fill(Number.NaN)],
        prompts: [...side.prompts, ...new Array<[]>(more).fill([])],
      }));
      return inferEffects({ remove: { sides: wider.slice(0, 1) } }, { seed: 1, draws: 999 }).remove;
    };
    const [few, many] = [found(0), found(300)];
    expect(verdicts(few).slice(1)).toEqual(new Array(9).fill('not sampled'));
    expect(few[1]).toMatchObject({ t: Number.NaN, p: 1, familyWise: 1, q: 1 });
    expect(many[0]!.familyWise).toBeGreaterThan(3 * few[0]!.familyWise);
    expect(many[0]!.q).toBeGreaterThan(3 * few[0]!.q);
    expect(many[0]!.t).toBe(few[0]!.t);
  });

  it('asks the prompts where the random ones hardly change anything', () => {
    const tally = (positives: number) => ({ completions: 3, coherent: 3, positives });
    const prompts = (moved: number): PromptTallies[] =>
      Array.from({ length: 60 }, (_, j) => ({ alone: tally(2), steered: tally(j < moved ? 0 : 2) }));
    const of = (candidates: PromptTallies[][], random: number[]): SideEffects => ({
      sign: -1,
      random,
      candidates: candidates.map(effectOf),
      prompts: candidates,
    });
    const candidates = [prompts(40), prompts(1), prompts(0)];
    for (const random of [new Array<number>(20).fill(0), [0.001, ...new Array<number>(19).fill(0)]]) {
      const found = inferEffects({ remove: { sides: [of(candidates, random)] } }, { seed: 1, draws });
      expect(verdicts(found.remove)).toEqual(['confirmed', 'not shown', 'not shown']);
      expect(found.remove[1]!.t).toBeGreaterThan(10);
    }
  });

  it('leaves out random ones that were not measured', () => {
    const [away, toward] = sides([[-0.4, 0.4]]) as [SideEffects, SideEffects];
    const gaps = { ...toward, random: toward.random.map((effect, i) => (i < 5 ? Number.NaN : effect)) };
    const found = inferEffects({ add: { sides: [away, gaps] } }, { seed: 1, draws }).add;
    expect(effectVerdict(found[0]!)).toBe('confirmed');
    const rest = gaps.random.filter((effect) => !Number.isNaN(effect));
    const mean = rest.reduce((sum, effect) => sum + effect, 0) / rest.length;
    expect(found[0]!.sides[1]!.effectMinusRandom).toBeCloseTo(toward.candidates[0]! - mean, 12);
  });

  it('refuses what it cannot compute', () => {
    const [side] = sides([]) as [SideEffects];
    const infer = (...all: SideEffects[]) => inferEffects({ add: { sides: all } }, { seed: 1, draws });
    expect(() => infer()).toThrow('test add: 0 sides, expected one or two');
    expect(() => infer({ ...side, random: [0, 1, Number.NaN] })).toThrow(
      'side 0: effects of 2 random directions, expected at least 3',
    );
    expect(() => infer(side, { ...side, random: [0, 1, 2] })).toThrow('side 1: other random directions');
    expect(() => infer(side, { ...side, candidates: [0] })).toThrow('side 1: expected 10 candidates');
    expect(() => infer({ ...side, prompts: side.prompts.map(() => []) })).toThrow(
      'candidate 0: 0 prompts, expected at least 2',
    );
  });
});

describe('oneSideOnly', () => {
  it("takes each side's p times those that moved the other side, twice", () => {
    const p = [
      [0.001, 0.001, 0.001, 0.5],
      [0.002, 0.5, 0.5, 0.001],
    ];
    // the first: 2 · max(2 · .001, 3 · .002)
    expect(oneSideOnly(p, 0.01)).toEqual([0.012, 1, 1, 1]);
  });
});

describe('effectVerdict', () => {
  const found = (familyWise: number, q: number) => effectVerdict({ t: 2, p: 0, familyWise, q, sides: [] });
  it('has its limits at .05 and .2', () => {
    expect(found(0.049, 1)).toBe('confirmed');
    expect(found(0.05, 0.19)).toBe('suggestive');
    expect(found(0.05, 0.2)).toBe('not shown');
  });
});

describe('predictionInterval', () => {
  it('is m ± t s √(1 + 1/n), its edges uncertain', () => {
    const effects = [-0.02, 0, 0.01, 0.03, 0.03];
    // m = .01, s = .0212132, t of four degrees = 2.776445
    const half = 2.776445 * 0.0212132 * Math.sqrt(1.2);
    const { low, high, lowInterval, highInterval } = predictionInterval(effects, { seed: 1 });
    expect(low).toBeCloseTo(0.01 - half, 6);
    expect(high).toBeCloseTo(0.01 + half, 6);
    expect(lowInterval.low).toBeLessThan(low);
    expect(highInterval.low).toBeLessThan(high);
    expect(() => predictionInterval([0, 1], { seed: 1 })).toThrow('2 effects, expected at least 3');
    expect(() => predictionInterval([0, 1, Number.NaN], { seed: 1 })).toThrow('effect 2 is NaN');
  });

  it('says how many leave it by chance, beside how many did', () => {
    const test = {
      sides: sides([
        [-0.4, 0.4],
        [-0.4, 0],
      ]),
    };
    const { sides: each, all } = exitsByChance(test, { seed: 1 });
    // 2.5 % of ten on each side
    for (const { expected } of each) expect(expected).toBeCloseTo(0.25, 1);
    expect(all.expected).toBeLessThan(0.1);
    expect(each[0]!.observed).toBeGreaterThanOrEqual(2);
    expect(all.observed).toBe(1);
  });
});

describe('tailDegrees', () => {
  it('tells heavy tails from normal ones, on one side and on two', () => {
    const random = generatorOf(2);
    const normal = normalsFrom(random);
    const points = (n: number, cubed: boolean) =>
      Array.from({ length: n }, () => [normal(), normal()].map((x) => (cubed ? x ** 3 : x)));
    expect(tailDegrees(points(2000, false))).toBeGreaterThanOrEqual(20);
    expect(tailDegrees(points(100, true))).toBeLessThan(5);
    expect(tailDegrees(points(2000, false).map(([x]) => [x!]))).toBeGreaterThanOrEqual(20);
    expect(tailDegrees(points(100, true).map(([x]) => [x!]))).toBeLessThan(5);
    expect(tailDegrees(new Array(20).fill([0, 0]))).toBe(Number.POSITIVE_INFINITY);
  });
});
