/**
 * What a detector reaches on texts, with 95 % intervals over prompts; and what random directions reach on the same:
 * docs/method.md section 10. Knows neither models nor texts.
 */
import { calibrationError, reliability } from '../judging/calibration.ts';
import { bootstrap, type Interval, quantile } from '../statistics/bootstrap.ts';
import { grouped } from '../statistics/groups.ts';
import { predictionInterval } from '../steering/predictionInterval.ts';
import { aucOf, brierScore, flaggedShares, type ScoredText, withinGroups } from './detection.ts';

/** A text that a detector was tried on, and was not fitted to. */
export interface TestedText extends ScoredText {
  readonly flagged: boolean;
  /** of a positive, by the detector's calibration */
  readonly probability: number;
}

/** A share with its 95 % interval; NaN where it is not defined. */
export interface IntervalShare extends Interval {
  readonly value: number;
}

export interface DetectionMeasures {
  readonly auc: IntervalShare;
  readonly within: IntervalShare & { readonly pairs: number; readonly groups: number };
  readonly tpr: IntervalShare;
  readonly fpr: IntervalShare;
  readonly brier: number;
  /** expected calibration error, over ten bins of equal width */
  readonly calibrationError: number;
}

export interface MeasureOptions {
  readonly seed: number;
  /** default 2,000 */
  readonly resamples?: number;
}

const labelsOf = (texts: readonly ScoredText[]) => texts.map(({ label }) => label);

const overall = (texts: readonly TestedText[]) => ({
  auc: aucOf(texts),
  ...flaggedShares(
    texts.map(({ flagged }) => flagged),
    labelsOf(texts),
  ),
});

/** Of one resample each prompt counts for its own pairs alone, however often it is drawn. */
function withinInterval(prompts: readonly (readonly ScoredText[])[], options: MeasureOptions): Interval {
  const parts = prompts.map((own) => {
    const { value, pairs } = withinGroups(own);
    return [{ right: pairs === 0 ? 0 : value * pairs, pairs }];
  });
  const { value } = bootstrap(
    parts,
    (items) => ({
      value:
        items.reduce((sum, { right }) => sum + right, 0) / items.reduce((sum, { pairs }) => sum + pairs, 0),
    }),
    options,
  );
  return value;
}

/** The prompts are the groups. */
export function detectionMeasures(texts: readonly TestedText[], options: MeasureOptions): DetectionMeasures {
  const prompts = [...grouped(texts, ({ group }) => group).values()];
  const found = overall(texts);
  const intervals = bootstrap(prompts, overall, options);
  const share = (name: keyof typeof found): IntervalShare => ({ value: found[name], ...intervals[name] });
  const probabilities = texts.map(({ probability }) => probability);
  return {
    auc: share('auc'),
    within: { ...withinGroups(texts), ...withinInterval(prompts, options) },
    tpr: share('tpr'),
    fpr: share('fpr'),
    brier: brierScore(probabilities, labelsOf(texts)),
    calibrationError: calibrationError(reliability(probabilities, labelsOf(texts))),
  };
}

/** Where values of random directions lie. */
export interface RandomRange {
  readonly median: number;
  /** their central 95 % */
  readonly low: number;
  readonly high: number;
  /** where the value of one more is expected, 95 %, within 0 and 1; NaN for fewer than three */
  readonly nextLow: number;
  readonly nextHigh: number;
}

/** Of shares; NaN for none. */
export function randomRange(values: readonly number[], seed: number): RandomRange {
  const sorted = values.filter((x) => !Number.isNaN(x)).sort((a, b) => a - b);
  const within = (x: number) => Math.min(1, Math.max(0, x));
  const next =
    sorted.length < 3
      ? { low: Number.NaN, high: Number.NaN }
      : predictionInterval(sorted, { seed, resamples: 1 });
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.025),
    high: quantile(sorted, 0.975),
    nextLow: within(next.low),
    nextHigh: within(next.high),
  };
}
