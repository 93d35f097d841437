/**
 * Detectors that are linear in a text's mean residual x at a site, score = w · x + b, with a threshold and a
 * calibration of their own: docs/method.md section 10. Knows neither models nor texts.
 */

import { decision, fitLogistic, type Linear, logisticSigmoid } from '../judging/logistic.ts';
import { type ProbeExample, trainProbe } from '../judging/probe.ts';
import { grouped, shuffled } from '../statistics/groups.ts';
import { generatorOf } from '../statistics/random.ts';
import { meanDifference, unitOf } from '../steering/comparisons.ts';
import { detectionThreshold, type ScoredText } from './detection.ts';

/** A direction with the score (x − ā) · w of it, in the units of the residual. Shapes: direction and baseline ā [d]. */
export function alongDirection(
  direction: ArrayLike<number>,
  sign: 1 | -1,
  baseline: ArrayLike<number>,
): Linear {
  const weights = Float64Array.from(direction, (x) => sign * x);
  return { weights, bias: -weights.reduce((sum, w, i) => sum + w * baseline[i]!, 0) };
}

/**
 * Along the mean of positives less the mean of negatives, of length 1; of zeros where the two are the same. Throws
 * RangeError unless there are examples of both.
 */
export function differenceDetector(examples: readonly MeasuredText[], baseline: ArrayLike<number>): Linear {
  const of = (is: boolean) => examples.filter(({ label }) => label === is).map(({ features }) => features);
  const [positives, negatives] = [of(true), of(false)];
  if (positives.length === 0 || negatives.length === 0)
    throw new RangeError('differenceDetector: expected examples of both labels');
  const direction = unitOf(meanDifference(positives, negatives));
  return alongDirection(direction ?? new Float32Array(baseline.length), 1, baseline);
}

/** A text's mean residual [d] with its label; the group is its prompt. */
export interface MeasuredText extends ProbeExample {
  readonly features: Float32Array;
}

/** The project's logistic regression, weights rounded to float32; its score is ln of the odds. */
export interface ProbeDetector {
  readonly linear: Linear;
  readonly C: number;
  /** The same of other examples, with the C and at the temperature of this one. */
  again(examples: readonly MeasuredText[]): Linear;
}

/** C and temperature by cross-validation over groups. Throws RangeError unless there are examples of both labels. */
export function probeDetector(examples: readonly MeasuredText[], seed: number): ProbeDetector {
  const rounded = ({ weights, bias }: Linear, divided: number): Linear => ({
    weights: weights.map((w) => Math.fround(w / divided)),
    bias: bias / divided,
  });
  const probe = trainProbe(examples, { seed });
  const { C, temperature } = probe;
  return {
    linear: rounded(probe, 1),
    C,
    again: (others) =>
      rounded(
        fitLogistic(
          others.map(({ features }) => features),
          others.map(({ label }) => label),
          { C },
        ),
        temperature,
      ),
  };
}

/** The score of each text. */
export const scoredBy = (linear: Linear, texts: readonly MeasuredText[]): ScoredText[] =>
  texts.map(({ features, label, group }) => ({ score: decision(linear, features), label, group }));

export interface Fold {
  readonly own: readonly MeasuredText[];
  /** of the other groups; of both labels */
  readonly rest: readonly MeasuredText[];
}

/** Texts in `count` parts by group, those left out whose rest has one label alone. */
export function foldsOf(texts: readonly MeasuredText[], seed: number, count = 5): Fold[] {
  const names = shuffled([...grouped(texts, ({ group }) => group).keys()], generatorOf(seed));
  const foldOf = new Map(names.map((name, i) => [name, i % count]));
  return Array.from({ length: count }, (_, fold) => ({
    own: texts.filter(({ group }) => foldOf.get(group) === fold),
    rest: texts.filter(({ group }) => foldOf.get(group) !== fold),
  })).filter(
    ({ own, rest }) => own.length > 0 && rest.some(({ label }) => label) && rest.some(({ label }) => !label),
  );
}

/** What a score is taken to mean. */
export interface Calibrated {
  /** flagged where the score is above */
  readonly threshold: number;
  /** probability of a positive: sigmoid(slope · score + intercept) */
  readonly slope: number;
  readonly intercept: number;
}

/**
 * Threshold (`detectionThreshold`, 1 %) and logistic calibration (`fitLogistic` of the score alone) by texts whose
 * labels are known. Throws RangeError unless there are some of both.
 */
export function calibrated(texts: readonly ScoredText[]): Calibrated {
  const fitted = fitLogistic(
    texts.map(({ score }) => [score]),
    texts.map(({ label }) => label),
  );
  const negatives = texts.filter(({ label }) => !label);
  return {
    threshold: detectionThreshold(negatives.map(({ score }) => score)),
    slope: fitted.weights[0]!,
    intercept: fitted.bias,
  };
}

export const probabilityOf = ({ slope, intercept }: Pick<Calibrated, 'slope' | 'intercept'>, score: number) =>
  logisticSigmoid(slope * score + intercept);
