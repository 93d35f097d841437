/**
 * Whether a classifier's probabilities mean what they say, and the one number that mends most of it. Knows
 * no classifier.
 */
import { logisticSigmoid } from './logistic.ts';

/** The probabilities of one bin of a reliability diagram, and what came of them. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** mean of the probabilities; NaN for an empty bin, as is `share` */
  readonly probability: number;
  /** share of the class `true` */
  readonly share: number;
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Bins of equal width over [0, 1]; 1 itself counts to the last. */
export function reliability(
  probabilities: readonly number[],
  labels: readonly boolean[],
  bins = 10,
): ReliabilityBin[] {
  return Array.from({ length: bins }, (_, bin) => {
    const inside = [...probabilities.keys()].filter(
      (n) => Math.min(bins - 1, Math.floor(probabilities[n]! * bins)) === bin,
    );
    return {
      from: bin / bins,
      to: (bin + 1) / bins,
      count: inside.length,
      probability: mean(inside.map((n) => probabilities[n]!)),
      share: mean(inside.map((n) => Number(labels[n]))),
    };
  });
}

/** Expected calibration error: Σ_bins count/n · |mean probability − share of `true`|. */
export function calibrationError(bins: readonly ReliabilityBin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  return bins.reduce(
    (sum, { count, probability, share }) =>
      count === 0 ? sum : sum + (count / total) * Math.abs(probability - share),
    0,
  );
}

/** Temperatures looked at. */
const [coldest, hottest] = [1 / 20, 20];

/**
 * T in [1/20, 20] such that sigmoid(decision / T) has the least cross-entropy on examples that the
 * decisions were not fitted to (Guo et al. 2017). Above 1: the decisions are too sure. Leaves every label
 * at the threshold 0.5 as it is.
 */
export function temperatureOf(decisions: readonly number[], labels: readonly boolean[]): number {
  // The cross-entropy is convex in 1/T, so that its slope has one zero.
  const slope = (inverse: number) =>
    decisions.reduce((sum, s, n) => sum + s * (logisticSigmoid(inverse * s) - Number(labels[n])), 0);
  let [low, high] = [1 / hottest, 1 / coldest];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (slope(middle) > 0) high = middle;
    else low = middle;
  }
  return 2 / (low + high);
}
