/**
 * Broken text told without a judge: how likely the unsteered reference finds it, how much it repeats
 * itself, and whether it comes to an end. What counts as broken is set by the completions that were left
 * alone. Knows no text, only token ids and numbers.
 */
import { quantile } from '../statistics/bootstrap.ts';

/** What is measured of a completion. */
export interface CheapMeasure {
  /** mean ln p of its tokens under the unsteered reference, nats */
  readonly logProbability: number;
  /** share of its runs of four tokens that stood in it before, 0 to 1; 0 for fewer than four tokens */
  readonly repetition: number;
  /** it ended before the token limit */
  readonly ended: boolean;
}

/** Beyond these a completion counts as broken. */
export interface CheapLimits {
  readonly logProbability: number;
  readonly repetition: number;
  /** whether one that reaches the token limit is broken: nearly all that were left alone came to an end */
  readonly mustEnd: boolean;
}

const run = 4;
/** Deviations of ln p below the median, in units that are a standard deviation for normal values. */
const deviations = 4;
const normalMad = 1.4826;
/** Least spread of ln p that is reckoned with, nats: few texts, or all alike, have none. */
const leastSpread = 0.1;
/** Repetition that is always allowed. */
const someRepetition = 0.2;
/** Share that must have ended for the limit on length to count. */
const nearlyAll = 0.95;

export function repetitionOf(ids: readonly number[]): number {
  const seen = new Set<string>();
  let repeated = 0;
  for (let i = 0; i + run <= ids.length; i++) {
    const key = ids.slice(i, i + run).join();
    if (seen.has(key)) repeated++;
    seen.add(key);
  }
  return repeated / Math.max(1, ids.length - run + 1);
}

/**
 * Limits from completions left alone: ln p of four deviations below their median (by the median absolute
 * deviation, 0.1 at least), their greatest repetition or 0.2, and an end where 95 % of them have one.
 * Throws RangeError for none.
 */
export function cheapLimits(alone: readonly CheapMeasure[]): CheapLimits {
  if (alone.length === 0) throw new RangeError('cheapLimits: no completions');
  const median = (values: readonly number[]) => quantile(Float64Array.from(values).sort(), 0.5);
  const logs = alone.map(({ logProbability }) => logProbability);
  const middle = median(logs);
  const mad = median(logs.map((x) => Math.abs(x - middle)));
  return {
    logProbability: middle - deviations * Math.max(leastSpread, normalMad * mad),
    repetition: Math.max(someRepetition, ...alone.map(({ repetition }) => repetition)),
    mustEnd: alone.filter(({ ended }) => ended).length >= nearlyAll * alone.length,
  };
}

/** What makes a completion broken; undefined where nothing does. */
export function cheaplyBroken(
  { logProbability, repetition, ended }: CheapMeasure,
  limits: CheapLimits,
): 'unlikely' | 'repeats' | 'endless' | undefined {
  if (logProbability < limits.logProbability) return 'unlikely';
  if (repetition > limits.repetition) return 'repeats';
  return limits.mustEnd && !ended ? 'endless' : undefined;
}
