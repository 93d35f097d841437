/** The judge's error from a sheet, and effects corrected by it, on made-up judges whose error is known. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { describe, expect, it } from 'vitest';
import {
  correctedByArm,
  correctedEffect,
  differentialError,
  type PromptLabels,
  trueShare,
} from '../../../src/methods/judging/correction.ts';
import {
  type IntervalEstimate,
  judgeErrorOf,
  type ReadArm,
  type VerdictName,
  verdictNames,
} from '../../../src/methods/judging/judgeError.ts';
import { drawStratified } from '../../../src/methods/judging/stratified.ts';
import { gammasFrom } from '../../../src/methods/statistics/gamma.ts';
import { generatorOf } from '../../../src/methods/statistics/random.ts';

interface World {
  /** true share of positives */
  readonly share: number;
  readonly sensitivity: number;
  readonly specificity: number;
}

interface Text {
  readonly truth: VerdictName;
  readonly said: VerdictName;
}

/** Texts as they are, and as a judge of known error calls them; a tenth is incoherent, to both. */
function textsOf({ share, sensitivity, specificity }: World, count: number, seed: number): Text[] {
  const random = generatorOf(seed);
  const chance = (p: number) => uniformFloat64(random) < p;
  return Array.from({ length: count }, () => {
    if (chance(0.1)) return { truth: 'incoherent', said: 'incoherent' };
    const isPositive = chance(share);
    const saysPositive = chance(isPositive ? sensitivity : 1 - specificity);
    return {
      truth: isPositive ? 'positive' : 'negative',
      said: saysPositive ? 'positive' : 'negative',
    };
  });
}

/** A sheet of so many of the texts, read without error. */
function readArm(texts: readonly Text[], count: number, seed: number): ReadArm {
  const sheet = drawStratified(texts, {
    stratumOf: ({ said }) => said,
    weightOf: (said) => (said === 'incoherent' ? 1 : 2),
    count,
    seed,
  });
  const countOf = (from: readonly Text[], said: VerdictName, truth?: VerdictName) =>
    from.filter((text) => text.said === said && (truth === undefined || text.truth === truth)).length;
  const stratum = (said: VerdictName) => ({
    population: countOf(texts, said),
    read: {
      positive: countOf(sheet, said, 'positive'),
      negative: countOf(sheet, said, 'negative'),
      incoherent: countOf(sheet, said, 'incoherent'),
    },
  });
  return {
    positive: stratum('positive'),
    negative: stratum('negative'),
    incoherent: stratum('incoherent'),
  };
}

const arm = (
  counts: Record<VerdictName, readonly [population: number, positive: number, negative: number]>,
): ReadArm => {
  const of = (name: VerdictName) => {
    const [population, positive, negative] = counts[name];
    return { population, read: { positive, negative, incoherent: name === 'incoherent' ? 1 : 0 } };
  };
  return { positive: of('positive'), negative: of('negative'), incoherent: of('incoherent') };
};

/** 81 % of the texts are positive; a judge that finds nearly all of them and is a coin on the others. */
const issue: World = { share: 0.81, sensitivity: 0.98, specificity: 0.5 };

it('draws of a gamma distribution have its mean and its variance', () => {
  for (const shape of [0.5, 3.5]) {
    const gamma = gammasFrom(generatorOf(1));
    const drawn = Array.from({ length: 20_000 }, () => gamma(shape));
    const mean = drawn.reduce((sum, x) => sum + x, 0) / drawn.length;
    const variance = drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / drawn.length;
    expect(Math.abs(mean / shape - 1)).toBeLessThan(0.04);
    expect(Math.abs(variance / shape - 1)).toBeLessThan(0.08);
  }
});

describe('a stratified draw', () => {
  const items = Array.from({ length: 100 }, (_, i) => (i < 3 ? 'rare' : i < 40 ? 'some' : 'many'));
  const counts = (count: number) => {
    const drawn = drawStratified(items, { stratumOf: (x) => x, weightOf: () => 1, count, seed: 1 });
    return ['rare', 'some', 'many'].map((name) => drawn.filter((x) => x === name).length);
  };

  it('gives each stratum its part, and what a small one lacks to the others', () => {
    expect(counts(9)).toEqual([3, 3, 3]);
    expect(counts(21)).toEqual([3, 9, 9]);
    expect(counts(1000)).toEqual([3, 37, 60]);
  });

  it('is random in what it draws and in its order', () => {
    const numbers = Array.from({ length: 50 }, (_, i) => i);
    const draw = (seed: number) =>
      drawStratified(numbers, { stratumOf: () => '', weightOf: () => 1, count: 10, seed });
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    const often = Array.from({ length: 400 }, (_, seed) => draw(seed)).flat();
    const first = often.filter((n) => n < 25).length;
    expect(Math.abs(first / often.length - 0.5)).toBeLessThan(0.03);
  });
});

describe("the judge's error from a sheet", () => {
  it('weighs each text by how many it stands for', () => {
    // 900 positives of which 1 in 10 is wrong; 100 negatives of which 2 in 10 are
    const { estimates } = judgeErrorOf(
      [arm({ positive: [900, 9, 1], negative: [100, 2, 8], incoherent: [0, 0, 0] })],
      1,
    );
    expect(estimates.sensitivity.value).toBeCloseTo(810 / 830, 12);
    expect(estimates.specificity.value).toBeCloseTo(80 / 170, 12);
    // as if the sheet were the texts: 9 of 11, 8 of 9
    expect(estimates.sensitivity.value - 9 / 11).toBeGreaterThan(0.15);
    expect(estimates.sensitivity.low).toBeLessThan(0.97);
    expect(estimates.sensitivity.high).toBeGreaterThan(0.98);
  });

  it('is all right where reader and judge always agree, and says how sure that is', () => {
    const { sensitivity, specificity, kappa } = judgeErrorOf(
      [arm({ positive: [500, 20, 0], negative: [500, 0, 20], incoherent: [100, 0, 0] })],
      1,
    ).estimates;
    for (const { value, low, high } of [sensitivity, specificity, kappa]) {
      expect([value, high]).toEqual([1, 1]);
      expect(low).toBeLessThan(0.97);
    }
    // Jeffreys' interval of 20 right of 20 begins at 0.88
    expect(sensitivity.low).toBeGreaterThan(0.85);
  });

  it('is not known of what nobody read', () => {
    const { estimates } = judgeErrorOf(
      [arm({ positive: [500, 0, 0], negative: [500, 0, 20], incoherent: [0, 0, 0] })],
      1,
    );
    expect(estimates.sensitivity.value).toBeNaN();
    expect(estimates.sensitivity.low).toBeNaN();
  });

  it.each([issue, { share: 0.3, sensitivity: 0.9, specificity: 0.95 }])(
    'finds the truth of %o, without bias and with intervals that cover it',
    (world) => {
      const runs = 80;
      let [sensitivity, specificity, covered, unweighted] = [0, 0, 0, 0];
      for (let seed = 1; seed <= runs; seed++) {
        const texts = textsOf(world, 3000, seed);
        const read = readArm(texts, 400, 10_000 + seed);
        const { estimates } = judgeErrorOf([read], 20_000 + seed);
        sensitivity += estimates.sensitivity.value / runs;
        specificity += estimates.specificity.value / runs;
        const [both, missed] = [read.positive.read.positive, read.negative.read.positive];
        unweighted += both / (both + missed) / runs;
        for (const name of ['sensitivity', 'specificity'] as const) {
          const { low, high } = estimates[name];
          covered += Number(low <= world[name] && world[name] <= high) / (2 * runs);
        }
      }
      expect(Math.abs(sensitivity - world.sensitivity)).toBeLessThan(0.015);
      expect(Math.abs(specificity - world.specificity)).toBeLessThan(0.015);
      expect(covered).toBeGreaterThan(0.9);
      // the sheet alone, without weights, is far off
      expect(Math.abs(unweighted - world.sensitivity)).toBeGreaterThan(0.03);
    },
  );
});

describe('what an effect is without the judge’s error', () => {
  const sure = (value: number): IntervalEstimate => ({ value, low: value, high: value });

  it('is effect / (sensitivity + specificity − 1), not effect / (2 A − 1)', () => {
    const accuracy = issue.share * issue.sensitivity + (1 - issue.share) * issue.specificity;
    expect(2 * accuracy - 1).toBeCloseTo(0.78, 2);
    // A true change by 30 points shows as 14.4, 48 % of it.
    const shown = (share: number) => share * issue.sensitivity + (1 - share) * (1 - issue.specificity);
    const effect = shown(0.51) - shown(0.81);
    expect(effect / -0.3).toBeCloseTo(0.48, 12);
    const { value, low, high } = correctedEffect(
      sure(effect),
      sure(issue.sensitivity),
      sure(issue.specificity),
    );
    expect(value).toBeCloseTo(-0.3, 12);
    expect([low, high].map((x) => x.toFixed(6))).toEqual(['-0.300000', '-0.300000']);
    expect(trueShare(shown(0.81), issue)).toBeCloseTo(0.81, 12);
  });

  it('says nothing where the judge may be a coin', () => {
    const effect = { value: -0.2, low: -0.3, high: -0.1 };
    const loose = { value: 0.6, low: 0.3, high: 0.9 };
    expect(correctedEffect(effect, loose, loose)).toEqual({ value: -1, low: -1, high: 1 });
    expect(correctedEffect(effect, sure(0.5), sure(0.5)).value).toBeNaN();
    expect(trueShare(0.4, { sensitivity: 0.5, specificity: 0.5 })).toBeNaN();
  });

  it('a right judge leaves it as it is, interval and all', () => {
    const effect = { value: -0.2, low: -0.3, high: -0.05 };
    const { value, low, high } = correctedEffect(effect, sure(1), sure(1));
    expect([value, low, high].map((x) => x.toFixed(9))).toEqual([
      '-0.200000000',
      '-0.300000000',
      '-0.050000000',
    ]);
  });

  it('is wider for a judge whose error is less sure', () => {
    const effect = { value: -0.2, low: -0.3, high: -0.1 };
    const sensitivity = { value: 0.9, low: 0.8, high: 0.95 };
    const known = correctedEffect(effect, sure(0.9), sure(0.9));
    const unsure = correctedEffect(effect, sensitivity, sensitivity);
    expect(unsure.value).toBeCloseTo(known.value, 12);
    expect(unsure.low).toBeLessThan(known.low);
    expect(unsure.high).toBeGreaterThan(-0.125);
  });
});

/** Made-up prompts, steered and left alone, as a judge of this error on each side grades them. */
function promptsOf(steered: World, alone: World, count: number, seed: number): PromptLabels[] {
  const tally = (texts: readonly Text[]) => ({
    coherent: texts.filter(({ said }) => said !== 'incoherent').length,
    positives: texts.filter(({ said }) => said === 'positive').length,
  });
  return Array.from({ length: count }, (_, i) => ({
    steered: tally(textsOf(steered, 10, 1e6 * seed + 2 * i)),
    alone: tally(textsOf(alone, 10, 1e6 * seed + 2 * i + 1)),
  }));
}

describe('the effect with each side’s own error', () => {
  /** Nothing changes, but the judge misses half of the positives in steered texts. */
  const alone: World = { share: 0.6, sensitivity: 0.95, specificity: 0.9 };
  const missed: World = { ...alone, sensitivity: 0.5 };

  it('finds the true change where the judge errs differently on steered texts', () => {
    const runs = 15;
    let [shown, corrected, covered, warned] = [0, 0, 0, 0];
    for (let seed = 1; seed <= runs; seed++) {
      const prompts = promptsOf(missed, alone, 40, seed);
      const errors = {
        steered: judgeErrorOf([readArm(textsOf(missed, 3000, 5 * seed), 150, 1000 + seed)], 2000 + seed),
        alone: judgeErrorOf([readArm(textsOf(alone, 3000, 5 * seed + 1), 150, 3000 + seed)], 4000 + seed),
      };
      const share = (side: 'steered' | 'alone') =>
        prompts.reduce((sum, p) => sum + p[side].positives, 0) /
        prompts.reduce((sum, p) => sum + p[side].coherent, 0);
      shown += (share('steered') - share('alone')) / runs;
      const found = correctedByArm(prompts, errors, seed);
      corrected += found.value / runs;
      covered += Number(found.low <= 0 && 0 <= found.high);
      const { sensitivity, bias } = differentialError(errors.steered, errors.alone, share('alone'));
      warned += Number(sensitivity.high < 0);
      expect(bias.value).toBeLessThan(-0.05);
    }
    // what the judge shows is no effect at all
    expect(shown).toBeLessThan(-0.22);
    expect(Math.abs(corrected)).toBeLessThan(0.05);
    expect(covered).toBeGreaterThanOrEqual(12);
    expect(warned).toBe(runs);
  });

  it('with the same error on both sides is the effect over sensitivity + specificity − 1', () => {
    const prompts = [
      { steered: { coherent: 100, positives: 30 }, alone: { coherent: 100, positives: 60 } },
      { steered: { coherent: 100, positives: 30 }, alone: { coherent: 100, positives: 60 } },
    ];
    const error = judgeErrorOf(
      [arm({ positive: [500, 90, 10], negative: [500, 10, 90], incoherent: [0, 0, 0] })],
      1,
    );
    const { value } = correctedByArm(prompts, { steered: error, alone: error }, 1);
    expect(value).toBeCloseTo(-0.3 / 0.8, 12);
  });
});

it('names verdicts once', () => {
  expect(verdictNames).toEqual(['positive', 'negative', 'incoherent']);
});
