/**
 * What a measured share, or a change of shares, is once the judge's error is taken out of it (Rogan and
 * Gladen 1978). Formulas: docs/method.md section 5, "The judge's error". Knows no judge and no text.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { Interval } from '../statistics/bootstrap.ts';
import { generatorOf } from '../statistics/random.ts';
import { type ArmError, estimateFrom, type IntervalEstimate, type JudgeError } from './judgeError.ts';

type LabelError = Pick<JudgeError, 'sensitivity' | 'specificity'>;

const clamped = (x: number, least: number) => Math.min(1, Math.max(least, x));

/**
 * The share of positives of which a judge shows `observed`: (observed + specificity − 1) / (sensitivity +
 * specificity − 1), kept within 0 and 1. NaN where the judge is no better than chance, for then its labels
 * tell nothing.
 */
export function trueShare(observed: number, { sensitivity, specificity }: LabelError): number {
  const shows = sensitivity + specificity - 1;
  return shows > 0 ? clamped((observed + specificity - 1) / shows, 0) : Number.NaN;
}

/** What is left of a true change of the share of positives, with an interval by square and add. */
function shownPart(sensitivity: IntervalEstimate, specificity: IntervalEstimate): IntervalEstimate {
  const value = sensitivity.value + specificity.value - 1;
  const below = Math.hypot(sensitivity.value - sensitivity.low, specificity.value - specificity.low);
  const above = Math.hypot(sensitivity.high - sensitivity.value, specificity.high - specificity.value);
  return { value, low: value - below, high: value + above };
}

/**
 * The lower end of x / y by MOVER-R (Donner and Zou 2012), from the intervals of both, which are taken as
 * independent; y and its interval are above 0.
 */
function lowOfRatio(x: IntervalEstimate, y: IntervalEstimate): number {
  const product = x.value * y.value;
  const slope = y.high * (2 * y.value - y.high);
  const root = Math.sqrt(Math.max(0, product ** 2 - x.low * slope * (2 * x.value - x.low)));
  return slope > 0 ? (product - root) / slope : Number.NEGATIVE_INFINITY;
}

const negated = ({ value, low, high }: IntervalEstimate): IntervalEstimate => ({
  value: -value,
  low: -high,
  high: -low,
});

/**
 * A change of the share of positives (−1 to 1) by a judge that errs alike on both sides of it: effect /
 * (sensitivity + specificity − 1), with a 95 % interval from those of all three (MOVER-R: closed form,
 * right for lopsided intervals too). Within −1 and 1. Where the judge may be no better than chance the
 * interval is everything; the value is NaN where it is not better.
 */
export function correctedEffect(
  effect: IntervalEstimate,
  sensitivity: IntervalEstimate,
  specificity: IntervalEstimate,
): IntervalEstimate {
  const shows = shownPart(sensitivity, specificity);
  const value = shows.value > 0 ? clamped(effect.value / shows.value, -1) : Number.NaN;
  if (!(shows.low > 0)) return { value, low: -1, high: 1 };
  return {
    value,
    low: clamped(lowOfRatio(effect, shows), -1),
    high: clamped(-lowOfRatio(negated(effect), shows), -1),
  };
}

/** Graded completions of one prompt, coherent to the judge; `PromptTallies` are such. */
export interface PromptLabels {
  readonly steered: { readonly coherent: number; readonly positives: number };
  readonly alone: { readonly coherent: number; readonly positives: number };
}

type Side = keyof PromptLabels;

function shareOf(prompts: readonly PromptLabels[], side: Side): number {
  const sum = (of: 'coherent' | 'positives') => prompts.reduce((all, prompt) => all + prompt[side][of], 0);
  return sum('positives') / sum('coherent');
}

const changeIn = (prompts: readonly PromptLabels[], errors: Readonly<Record<Side, LabelError>>): number =>
  trueShare(shareOf(prompts, 'steered'), errors.steered) - trueShare(shareOf(prompts, 'alone'), errors.alone);

const shares: Interval = { low: -1, high: 1 };
const resamples = 2000;

/**
 * The effect with each side's share corrected by the judge's error on that side. Its 95 % interval draws
 * prompts and errors anew together; pass the same errors twice where the judge is taken to err alike on both
 * sides. NaN where a side has no coherent completion, or the judge is no better than chance there.
 */
export function correctedByArm(
  prompts: readonly PromptLabels[],
  errors: Readonly<Record<Side, ArmError>>,
  seed: number,
): IntervalEstimate {
  const random = generatorOf(seed);
  const { steered, alone } = errors;
  const draws = Array.from({ length: resamples }, (_, n) => {
    const drawn = prompts.map(() => prompts[uniformInt(random, 0, prompts.length - 1)]!);
    return changeIn(drawn, {
      steered: steered.draws[n % steered.draws.length]!,
      alone: alone.draws[n % alone.draws.length]!,
    });
  });
  return estimateFrom(changeIn(prompts, { steered: steered.point, alone: alone.point }), draws, shares);
}

/** How a judge's error differs between steered texts and texts left alone. */
export interface DifferentialError {
  /** steered minus alone */
  readonly sensitivity: IntervalEstimate;
  readonly specificity: IntervalEstimate;
  /** change of the share of positives that the judge would show where nothing changed */
  readonly bias: IntervalEstimate;
}

/**
 * The difference of two arms' errors. At a true share π of positives in both arms the judge shows a change
 * of π Δsensitivity − (1 − π) Δspecificity; π is that of the texts left alone, of which the judge calls
 * `aloneShare` of the coherent ones positive.
 */
export function differentialError(steered: ArmError, alone: ArmError, aloneShare: number): DifferentialError {
  const between = (of: (steered: LabelError, alone: LabelError) => number): IntervalEstimate =>
    estimateFrom(
      of(steered.point, alone.point),
      steered.draws.map((draw, n) => of(draw, alone.draws[n]!)),
      shares,
    );
  return {
    sensitivity: between((s, a) => s.sensitivity - a.sensitivity),
    specificity: between((s, a) => s.specificity - a.specificity),
    bias: between((s, a) => {
      const positive = trueShare(aloneShare, a);
      return positive * (s.sensitivity - a.sensitivity) - (1 - positive) * (s.specificity - a.specificity);
    }),
  };
}
