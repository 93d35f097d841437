/**
 * The first null hypothesis of docs/method.md section 5: a candidate moves the behaviour as a random
 * direction does. Knows nothing of prompts.
 */
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { gammasFrom } from '../statistics/gamma.ts';
import { stepDown } from '../statistics/multiplicity.ts';
import { normalsFrom } from '../statistics/random.ts';
import { studentQuantile } from '../statistics/studentT.ts';
import { tailDegrees } from './tails.ts';

/** p-values of one statistic, candidate by candidate. */
export interface Tested {
  readonly single: readonly number[];
  readonly familyWise: readonly number[];
}

/** Effects of one side, signed: positive is what a cause does. NaN where unmeasured. */
export interface SignedSide {
  readonly random: readonly number[];
  readonly candidates: readonly number[];
}

export interface LikeRandom {
  /** t of each candidate, side by side */
  readonly t: readonly (readonly number[])[];
  readonly meanRandom: readonly number[];
  /** the t of the upper edge of a 95 % prediction interval, by side */
  readonly edges: readonly number[];
  /** share of the draws' candidates beyond it, by side, and on all sides at once */
  readonly beyond: { readonly sides: readonly number[]; readonly all: number };
  /** of the least t over sides */
  readonly joint: Tested;
  readonly sides: readonly Tested[];
}

/** Mean, deviation (over n − 1) and number of the values that are there. */
export function momentsOf(values: readonly number[]): { mean: number; deviation: number; n: number } {
  const there = values.filter((value) => !Number.isNaN(value));
  const n = there.length;
  const mean = there.reduce((sum, value) => sum + value, 0) / n;
  const squares = there.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (n - 1)), n };
}

/** (e − m) / (s √(1 + 1/n)); 0 where nothing differs from anything. */
function tOf(effect: number, { mean, deviation, n }: ReturnType<typeof momentsOf>): number {
  const apart = effect - mean;
  return apart === 0 ? 0 : apart / (deviation * Math.sqrt(1 + 1 / n));
}

/** The random ones that were measured on all sides, each as its effects. */
const pointsOf = (sides: readonly SignedSide[]): number[][] =>
  [...sides[0]!.random.keys()]
    .map((i) => sides.map(({ random }) => random[i]!))
    .filter((point) => point.every((effect) => !Number.isNaN(effect)));

/** The correlation of two sides. */
function correlationOf(points: readonly (readonly number[])[]): number {
  const [left, right] = [0, 1].map((side) => {
    const values = points.map((point) => point[side]!);
    const { mean, deviation } = momentsOf(values);
    return values.map((value) => (value - mean) / deviation);
  });
  return left!.reduce((all, value, i) => all + value * right![i]!, 0) / (points.length - 1);
}

/**
 * Correlations as uncertain as their estimate, by Fisher's z: tanh(artanh r + N(0, 1) / √(n − 3)). Where it
 * can't be estimated, 1, which makes both sides one and so claims least.
 */
function correlations(points: readonly (readonly number[])[], normal: () => number): () => number {
  const [correlation, n] = [correlationOf(points), points.length];
  if (!(Math.abs(correlation) <= 1 + 1e-9) || n < 4) return () => 1;
  const z = Math.atanh(Math.max(-0.999, Math.min(0.999, correlation)));
  return () => Math.tanh(z + normal() / Math.sqrt(n - 3));
}

/**
 * Compares each candidate with the random ones. Draws under the null hypothesis: n random effects and one of
 * each candidate, from a distribution with the sides' correlation and with tails as heavy as those of the
 * random ones (`tailDegrees`; a direction's sides share them). m and s are estimated from the n of the draw, so
 * that their error, which all candidates share, counts. All candidates are drawn, those not sampled too: what
 * chose the sampled ones may know their effects. One or two sides, each with three random effects or more.
 */
export function likeRandom(
  sides: readonly SignedSide[],
  { draws, random }: { readonly draws: number; readonly random: RandomGenerator },
): LikeRandom {
  const moments = sides.map((side) => momentsOf(side.random));
  const t = sides.map(({ candidates }, d) => candidates.map((effect) => tOf(effect, moments[d]!)));
  const least = t[0]!.map((_, i) => Math.min(...t.map((side) => side[i]!)));
  const points = pointsOf(sides);
  const degrees = tailDegrees(points);
  const [normal, gamma] = [normalsFrom(random), gammasFrom(random)];
  const correlation = sides.length === 2 ? correlations(points, normal) : () => 1;
  const scale = () =>
    degrees === Number.POSITIVE_INFINITY ? 1 : Math.sqrt(degrees / 2 / gamma(degrees / 2));

  const measured = sides.map((side) => side.random.map((effect) => !Number.isNaN(effect)));
  const counts = { random: measured[0]!.length, candidates: least.length };
  const drawn = {
    random: sides.map(() => new Float64Array(counts.random)),
    candidates: sides.map(() => new Float64Array(counts.candidates)),
    least: new Float64Array(counts.candidates),
  };
  const fill = (values: readonly Float64Array[], shared: number) => {
    const own = Math.sqrt(1 - shared * shared);
    const [first, second] = values;
    for (let i = 0; i < first!.length; i++) {
      const [size, one] = [scale(), normal()];
      first![i] = size * one;
      if (second) second[i] = size * (shared * one + own * normal());
    }
  };
  /** Turns the drawn candidates of a side into t's. */
  const standardise = (side: number) => {
    let [n, sum, squares] = [0, 0, 0];
    const randoms = drawn.random[side]!;
    for (let r = 0; r < randoms.length; r++) {
      if (!measured[side]![r]) continue;
      n++;
      sum += randoms[r]!;
      squares += randoms[r]! ** 2;
    }
    const mean = sum / n;
    const spread = Math.sqrt(((squares - n * mean * mean) / (n - 1)) * (1 + 1 / n));
    const values = drawn.candidates[side]!;
    for (let i = 0; i < values.length; i++) values[i] = (values[i]! - mean) / spread;
  };

  const edges = moments.map(({ n }) => studentQuantile(0.025, n - 1));
  const beyond = { sides: sides.map(() => 0), all: 0 };
  const count = (candidate: number) => {
    let everywhere = 1;
    for (let d = 0; d < edges.length; d++) {
      const out = Number(drawn.candidates[d]![candidate]! > edges[d]!);
      beyond.sides[d]! += out;
      everywhere *= out;
    }
    beyond.all += everywhere;
  };
  const joint = stepDown(least, { exchangeable: true });
  const each = t.map((side) => stepDown(side, { exchangeable: true }));
  for (let draw = 0; draw < draws; draw++) {
    const shared = correlation();
    fill(drawn.random, shared);
    fill(drawn.candidates, shared);
    for (const [d, side] of each.entries()) {
      standardise(d);
      side.add(drawn.candidates[d]!);
    }
    for (let i = 0; i < least.length; i++) {
      count(i);
      drawn.least[i] = Math.min(drawn.candidates[0]![i]!, drawn.candidates.at(-1)![i]!);
    }
    joint.add(drawn.least);
  }
  const tested = (one: typeof joint): Tested => ({ single: one.single(), familyWise: one.familyWise() });
  const all = draws * least.length;
  return {
    t,
    meanRandom: moments.map(({ mean }) => mean),
    edges,
    beyond: { sides: beyond.sides.map((out) => out / all), all: beyond.all / all },
    joint: tested(joint),
    sides: each.map(tested),
  };
}
