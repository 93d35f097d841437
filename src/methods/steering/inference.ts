/**
 * Whether a candidate's effects are those of a cause: the tests of docs/method.md section 5, over all
 * candidates and sides. Knows neither models nor texts, and nothing of what chose the candidates.
 */
import { falseDiscoveryRates } from '../statistics/falseDiscovery.ts';
import { stepUp } from '../statistics/multiplicity.ts';
import { generatorOf } from '../statistics/random.ts';
import type { PromptTallies } from './effect.ts';
import { likeRandom, type Tested } from './likeRandom.ts';
import { noEffect } from './noEffect.ts';

/** What an operation does on one side. */
export interface SideEffects {
  /** of the effect that a cause has: −1 where it lowers the share (away, remove), +1 where it raises it */
  readonly sign: 1 | -1;
  /**
   * effects of the random ones (change in the share of positives, −1 to 1), in one order over sides; NaN where
   * unmeasured
   */
  readonly random: readonly number[];
  /** of each candidate; NaN where it was not sampled or has no coherent text */
  readonly candidates: readonly number[];
  /** per candidate, per prompt, in one order of prompts; [] where it was not sampled */
  readonly prompts: readonly (readonly PromptTallies[])[];
}

/** One test: an operation such as `remove` or `add`, on its one or two sides. */
export interface TestedEffects {
  readonly sides: readonly SideEffects[];
}

/** What one side alone says. */
export interface SideInference {
  /** sign (e − m) / (s √(1 + 1/n)); NaN where the effect is */
  readonly t: number;
  /** of this candidate alone */
  readonly p: number;
  /** over all candidates and tests */
  readonly familyWise: number;
  /** over the candidates of this test */
  readonly q: number;
  /** e − m, −1 to 1, with its own sign */
  readonly effectMinusRandom: number;
}

/** What a test says of one candidate. Every p is 1 where it was not sampled. */
export interface Inference {
  /** the least t over sides */
  readonly t: number;
  readonly p: number;
  readonly familyWise: number;
  readonly q: number;
  readonly sides: readonly SideInference[];
}

export const effectVerdicts = ['confirmed', 'suggestive', 'not shown', 'not sampled'] as const;
export type EffectVerdict = (typeof effectVerdicts)[number];

/** Confirmed: family-wise p below .05. Suggestive: q below .2. */
export function effectVerdict({ t, familyWise, q }: Inference): EffectVerdict {
  if (Number.isNaN(t)) return 'not sampled';
  if (familyWise < 0.05) return 'confirmed';
  return q < 0.2 ? 'suggestive' : 'not shown';
}

/**
 * Below these p a side counts as moved, so that the other side is asked about this candidate: for the
 * family-wise p and for q. Near to what the other side's p must reach, for then few others are moved by chance.
 */
export const movedBelow = { familyWise: 0.01, q: 0.05 };

/** Both null hypotheses must fall, so the greater p counts. */
const greater = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a, (p, i) => Math.max(p, b[i]!));
const bothNulls = (a: Tested, b: Tested): Tested => ({
  single: greater(a.single, b.single),
  familyWise: greater(a.familyWise, b.familyWise),
});

/**
 * Bonferroni-adjusted p against "moves one side only" (Bogomolov and Heller 2013): each side's p times the
 * number of candidates that moved the other side, and times two for the two sides. 1 for one that does not
 * move both. `p`: by side, then candidate; two sides. `below`: the p of a side that counts as moved.
 */
export function oneSideOnly(p: readonly (readonly number[])[], below: number): number[] {
  const [first, second] = p as [readonly number[], readonly number[]];
  const moved = (side: readonly number[]) => side.filter((value) => value < below).length;
  const [movedFirst, movedSecond] = [moved(first), moved(second)];
  return first.map((a, i) => {
    const b = second[i]!;
    if (!(a < below && b < below)) return 1;
    return Math.min(1, 2 * Math.max(movedSecond * a, movedFirst * b));
  });
}

/** Throws RangeError where a test cannot be computed from what is given. */
function check(name: string, { sides }: TestedEffects): void {
  const refuse = (what: string) => {
    throw new RangeError(`inferEffects: test ${name}: ${what}`);
  };
  if (sides.length !== 1 && sides.length !== 2) refuse(`${sides.length} sides, expected one or two`);
  const [{ random, candidates }] = sides as [SideEffects];
  sides.forEach((side, d) => {
    const n = side.random.filter((effect) => !Number.isNaN(effect)).length;
    if (n < 3) refuse(`side ${d}: effects of ${n} random directions, expected at least 3`);
    if (side.random.length !== random.length) refuse(`side ${d}: other random directions than side 0`);
    if (side.candidates.length !== candidates.length || side.prompts.length !== candidates.length)
      refuse(`side ${d}: expected ${candidates.length} candidates and the prompts of each`);
    side.candidates.forEach((effect, i) => {
      if (!Number.isNaN(effect) && side.prompts[i]!.length < 2)
        refuse(`side ${d}, candidate ${i}: ${side.prompts[i]!.length} prompts, expected at least 2`);
    });
  });
}

function inferOne(
  { sides }: TestedEffects,
  { seed, draws, tests }: { readonly seed: number; readonly draws: number; readonly tests: number },
): Inference[] {
  const signed = sides.map(({ sign, random, candidates }) => ({
    random: random.map((effect) => sign * effect),
    candidates: candidates.map((effect) => sign * effect),
  }));
  const random = likeRandom(signed, { draws, random: generatorOf(seed) });
  const none = noEffect(sides, { draws, random: generatorOf(seed + 1) });
  const joint = bothNulls(random.joint, none.joint);
  const each = sides.map((_, d) => bothNulls(random.sides[d]!, none.sides[d]!));
  const singles = each.map(({ single }) => single);
  const oneSided = (below: number) =>
    sides.length === 2 ? oneSideOnly(singles, below) : joint.single.map(() => 0);
  const bothSides = oneSided(movedBelow.familyWise);
  const q = greater(falseDiscoveryRates(joint.single), stepUp(oneSided(movedBelow.q)));
  const sideQ = singles.map(falseDiscoveryRates);
  const overTests = (p: number) => Math.min(1, tests * p);
  return joint.single.map((p, i) => ({
    t: Math.min(...random.t.map((side) => side[i]!)),
    p,
    familyWise: overTests(Math.max(joint.familyWise[i]!, bothSides[i]!)),
    q: q[i]!,
    sides: sides.map(({ candidates, sign }, d) => ({
      t: random.t[d]![i]!,
      p: each[d]!.single[i]!,
      familyWise: overTests(each[d]!.familyWise[i]!),
      q: sideQ[d]![i]!,
      effectMinusRandom: candidates[i]! - sign * random.meanRandom[d]!,
    })),
  }));
}

export interface InferenceOptions {
  readonly seed: number;
  /** draws of each null distribution, the least family-wise p being tests/(draws + 1); default 4,999 */
  readonly draws?: number;
}

/**
 * Tests every candidate in every test, in the candidates' order. T is the least of the sides' t: a cause
 * moves all of them. p-values are one-sided, towards what a cause does, and each is the greater of two,
 * against "as a random direction" and against "no effect at all"; family-wise and q also against "moves one
 * side only". Family-wise p-values hold over all candidates, those not sampled too, and over the tests
 * (Bonferroni). Throws RangeError for a test without one or two sides, with fewer than three random effects
 * on a side, with a sampled candidate of fewer than two prompts, or whose lists do not fit together.
 */
export function inferEffects<K extends string>(
  tests: Readonly<Record<K, TestedEffects>>,
  { seed, draws = 4999 }: InferenceOptions,
): Record<K, Inference[]> {
  const named = Object.entries<TestedEffects>(tests);
  for (const [name, test] of named) check(name, test);
  return Object.fromEntries(
    named.map(([name, test]) => [name, inferOne(test, { seed, draws, tests: named.length })]),
  ) as Record<K, Inference[]>;
}
