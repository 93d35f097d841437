/**
 * How well an explanation holds: balanced accuracy over the passages it was tried on. Knows neither
 * passages nor explainer.
 */
import type { ExplanationScore } from '../../results.ts';

/** What holds of a passage, and what was answered; null: nothing. */
export interface Answered {
  readonly truth: boolean;
  readonly answer: boolean | null;
}

/**
 * (TP / (TP + FN) + TN / (TN + FP)) / 2, what was not answered left out of it and counted; null where there
 * is nothing.
 */
export function scoreOf(answered: readonly Answered[]): ExplanationScore | null {
  if (answered.length === 0) return null;
  const count = (kind: boolean, given: boolean | null) =>
    answered.filter(({ truth, answer }) => truth === kind && answer === given).length;
  const [hits, misses] = [count(true, true), count(true, false)];
  const [rejections, alarms] = [count(false, false), count(false, true)];
  const known = hits + misses > 0 && rejections + alarms > 0;
  return {
    balanced_accuracy: known ? (hits / (hits + misses) + rejections / (rejections + alarms)) / 2 : null,
    true_positives: hits,
    false_negatives: misses,
    true_negatives: rejections,
    false_positives: alarms,
    unanswered: count(true, null) + count(false, null),
  };
}

/** Standard normal quantile of 0.95. */
const z95 = 1.645;

/**
 * Whether guessing does as well as a balanced accuracy in more than 5 % of cases: it is 1/2 + 1.645 √((1/P
 * + 1/N)/16) or less, where P positives and N negatives were answered. A score without one is no better
 * either.
 */
export function isChance({ balanced_accuracy: accuracy, ...counts }: ExplanationScore): boolean {
  if (accuracy === null) return true;
  const positives = counts.true_positives + counts.false_negatives;
  const negatives = counts.true_negatives + counts.false_positives;
  return accuracy <= 0.5 + z95 * Math.sqrt((1 / positives + 1 / negatives) / 16);
}
