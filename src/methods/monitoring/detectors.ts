/**
 * Detectors that are linear in a text's mean residual x at a site, score = w · x + b, with a threshold and a
 * calibration of their own: docs/method.md section 10. Knows neither models nor texts.
 */

import { decision, fitLogistic, type Linear, logisticSigmoid } from '../judging/logistic.ts';
import { type ProbeExample, trainProbe } from '../judging/probe.ts';
import { meanDifference, unitOf } from '../steering/comparisons.ts';
import { detectionThreshold } from './detection.ts';

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
export function probeDetector(
  examples: readonly MeasuredText[],
  seed: number,
): { readonly linear: Linear; readonly C: number } {
  const { weights, bias, C } = trainProbe(examples, { seed });
  return { linear: { weights: weights.map(Math.fround), bias }, C };
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
export function calibrated(linear: Linear, examples: readonly MeasuredText[]): Calibrated {
  const scores = examples.map(({ features }) => decision(linear, features));
  const labels = examples.map(({ label }) => label);
  const fitted = fitLogistic(
    scores.map((score) => [score]),
    labels,
  );
  return {
    threshold: detectionThreshold(scores.filter((_, n) => !labels[n])),
    slope: fitted.weights[0]!,
    intercept: fitted.bias,
  };
}

export const probabilityOf = ({ slope, intercept }: Pick<Calibrated, 'slope' | 'intercept'>, score: number) =>
  logisticSigmoid(slope * score + intercept);
