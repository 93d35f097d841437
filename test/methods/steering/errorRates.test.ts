/**
 * Error rates by simulation: a thousand studies in which nothing is a cause, the coverage of the intervals, and
 * power as `powerOf` tells it.
 */
import { describe, expect, it } from 'vitest';
import { generatorOf, normalsFrom } from '../../../src/methods/statistics/random.ts';
import type { PromptTallies } from '../../../src/methods/steering/effect.ts';
import { inferEffects, type SideEffects } from '../../../src/methods/steering/inference.ts';
import { likeRandom, type Tested } from '../../../src/methods/steering/likeRandom.ts';
import { powerOf } from '../../../src/methods/steering/power.ts';
import { promptInterval } from '../../../src/methods/steering/promptInterval.ts';
import { drawTally, madeUpSides, moved, propensities } from '../../support/nullStudies.ts';

const [randoms, candidates] = [50, 100];
/** few, which makes p-values coarse and no less valid */
const draws = 199;

/** Effects of directions on two sides (away, toward) with this correlation, and log-odds that know of them. */
function directions(normal: () => number, correlation: number) {
  const effects: number[][] = [[], []];
  const logOdds: number[] = [];
  for (let i = 0; i < randoms + candidates; i++) {
    const shared = normal();
    const other = correlation * shared + Math.sqrt(1 - correlation ** 2) * normal();
    effects[0]!.push(-0.04 * shared);
    effects[1]!.push(0.04 * other);
    logOdds.push(Math.min(shared, other) + 0.3 * normal());
  }
  return { effects, logOdds };
}

/**
 * Whether any candidate is confirmed by both sides, and by the first alone. All is computed only where the random
 * ones do not rule it out already.
 */
function anyConfirmed(sides: readonly SideEffects[], seed: number): { steering: number; removal: number } {
  const signed = sides.map(({ sign, random, candidates: own }) => ({
    random: random.map((effect) => sign * effect),
    candidates: own.map((effect) => sign * effect),
  }));
  const like = likeRandom(signed, { draws, random: generatorOf(seed) });
  const found = (those: readonly SideEffects[], { familyWise }: Tested) =>
    Number(
      Math.min(...familyWise) < 0.05 &&
        inferEffects({ only: { sides: those } }, { seed, draws }).only.some((one) => one.familyWise < 0.05),
    );
  return { steering: found(sides, like.joint), removal: found(sides.slice(0, 1), like.sides[0]!) };
}

describe('a thousand studies without a cause', () => {
  const runs = 170;
  // three standard errors above 5 % of all runs of a kind
  const most = (n: number) => 0.05 + 3 * Math.sqrt((0.05 * 0.95) / n);
  const made = { prompts: 60, completions: 3, share: [0.5, 0.3], icc: 0.3 };
  const found = { steering: 0, removal: 0 };

  it.each([
    { correlation: 0, gated: false },
    { correlation: 0.3, gated: false },
    { correlation: 0.7, gated: false },
    { correlation: 0, gated: true },
    { correlation: 0.3, gated: true },
    { correlation: 0.7, gated: true },
  ])('confirm any in at most 5 %: %o', ({ correlation, gated }) => {
    const random = generatorOf(100 * correlation + Number(gated));
    const normal = normalsFrom(random);
    const here = { steering: 0, removal: 0 };
    for (let run = 0; run < runs; run++) {
      const { effects, logOdds } = directions(normal, correlation);
      const gate = [...logOdds.slice(0, randoms)].sort((a, b) => a - b)[Math.floor(0.75 * randoms)]!;
      const sampled = (i: number) => !gated || logOdds[randoms + i]! > gate;
      const sides = madeUpSides(random, made, effects, { randoms, signs: [-1, 1], sampled });
      const any = anyConfirmed(sides, run);
      here.steering += any.steering;
      here.removal += any.removal;
    }
    for (const name of ['steering', 'removal'] as const) {
      expect(here[name] / runs).toBeLessThan(most(runs));
      found[name] += here[name];
    }
  });

  it('over all of them too', () => {
    expect(found.steering / (6 * runs)).toBeLessThan(0.05 + 0.014);
    expect(found.removal / (6 * runs)).toBeLessThan(0.05 + 0.014);
    // a test that confirms nothing ever would pass as well
    expect(found.removal).toBeGreaterThan(0.01 * 6 * runs);
  });

  it('with directions that truly move one side only: none is confirmed on both', () => {
    const random = generatorOf(5);
    const normal = normalsFrom(random);
    let any = 0;
    for (let run = 0; run < 40; run++) {
      const { effects } = directions(normal, 0.3);
      for (let i = randoms; i < randoms + 30; i++) effects[1]![i] = 0.4;
      any += anyConfirmed(madeUpSides(random, made, effects, { randoms, signs: [-1, 1] }), run).steering;
    }
    expect(any / 40).toBeLessThan(most(40));
  });
});

describe('promptInterval', () => {
  const runs = 1200;
  it.each([
    { share: 0.5, effect: -0.3, icc: 0.3, coherent: 0.9 },
    { share: 0.05, effect: 0.3, icc: 0.3, coherent: 1 },
    { share: 0.5, effect: 0, icc: 0.6, coherent: 1 },
  ])('covers the effect in 93 to 97 % of studies of 20, 40 and 60 prompts: %o', (made) => {
    const truth = propensities(generatorOf(9), { ...made, prompts: 40_000 });
    const effect = truth.reduce((sum, chance) => sum + moved(chance, made.effect) - chance, 0) / truth.length;
    const random = generatorOf(4);
    for (const prompts of [20, 40, 60]) {
      let held = 0;
      for (let run = 0; run < runs; run++) {
        const tallies: PromptTallies[] = propensities(random, { ...made, prompts }).map((chance) => ({
          steered: drawTally(random, { ...made, completions: 3, chance: moved(chance, made.effect) }),
          alone: drawTally(random, { ...made, completions: 3, chance }),
        }));
        const { low, high } = promptInterval(tallies);
        held += Number(low <= effect && effect <= high);
      }
      expect(held / runs).toBeGreaterThan(0.93);
      expect(held / runs).toBeLessThan(0.97);
    }
  });

  it('has a width where nothing varies, and stays within −1 to 1', () => {
    const tally = (positives: number) => ({ completions: 3, coherent: 3, positives });
    const all = (steered: number, alone: number): PromptTallies[] =>
      Array.from({ length: 20 }, () => ({ steered: tally(steered), alone: tally(alone) }));
    const { low, high } = promptInterval(all(0, 3));
    expect(low).toBeCloseTo(-1, 9);
    expect(high).toBeGreaterThan(-0.85);
    expect(promptInterval(all(0, 0)).high).toBeGreaterThan(0.1);
    expect(promptInterval(all(0, 3).slice(0, 1))).toEqual({ low: -1, high: 1 });
    expect(promptInterval([]).low).toBeNaN();
  });
});

describe('powerOf', () => {
  it.each([{ sides: 1 as const }, { sides: 2 as const }])(
    'says the power within 5 points and twice the error of 200 studies: %o',
    ({ sides }) => {
      // small, so that a few hundred studies are quick; the same in every respect but size
      const size = {
        prompts: 30,
        completions: 2,
        random: 20,
        candidates: 10,
        share: 0.5,
        icc: 0,
        spread: 0.03,
      };
      const power = powerOf({ ...size, sides, tests: 1, correlation: 0.3 });
      const effect = power.effectFor(0.75)!;
      const random = generatorOf(21);
      const normal = normalsFrom(random);
      const runs = 200;
      let confirmed = 0;
      for (let run = 0; run < runs; run++) {
        const effects: number[][] = Array.from({ length: sides }, () => []);
        for (let i = 0; i < size.random + size.candidates; i++) {
          const shared = normal();
          const other = 0.3 * shared + Math.sqrt(1 - 0.3 ** 2) * normal();
          const real = i === size.random;
          effects[0]!.push(real ? -effect : -size.spread * shared);
          effects[1]?.push(real ? effect : size.spread * other);
        }
        const made = { ...size, share: [0.5, 0.5] };
        const own = madeUpSides(random, made, effects, { randoms: size.random, signs: [-1, 1] });
        const { one } = inferEffects({ one: { sides: own } }, { seed: run, draws: 999 });
        confirmed += Number(one[0]!.familyWise < 0.05);
      }
      // 5 points, and the simulation's own error on top
      expect(Math.abs(confirmed / runs - power.of(effect))).toBeLessThan(0.05 + 2 * Math.sqrt(0.1875 / runs));
    },
  );

  it('rises with prompts and random directions, falls with candidates, and counts completions', () => {
    const size = { prompts: 30, completions: 2, random: 20, candidates: 10, sides: 1 as const };
    const power = (more: object) => powerOf({ ...size, ...more }).of(0.25);
    const base = power({});
    expect(power({ prompts: 60 })).toBeGreaterThan(base);
    expect(power({ random: 60 })).toBeGreaterThan(base);
    expect(power({ candidates: 100 })).toBeLessThan(base);
    expect(powerOf({ ...size, sides: 2 }).completions).toBe(2 * 31 * 60);
    expect(powerOf({ ...size, share: 0.02 }).effectFor(0.8)).toBeUndefined();
    expect(() => powerOf({ ...size, random: 2 })).toThrow('2 random directions');
    expect(() => powerOf({ ...size, share: 1 })).toThrow('share 1');
  });
});
