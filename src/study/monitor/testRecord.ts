/** What was tried, as monitor.json has it. Knows no file. */

import { brierScore } from '../../methods/monitoring/detection.ts';
import { type FittedMonitor, randomShares, type TriedMonitor } from '../../methods/monitoring/fitted.ts';
import {
  type DetectionMeasures,
  detectionMeasures,
  type IntervalShare,
  type RandomRange,
  randomRange,
} from '../../methods/monitoring/measures.ts';
import type { MonitorRange, MonitorRow, MonitorShare, MonitorTest } from '../../results.ts';

const known = (x: number): number | null => (Number.isNaN(x) ? null : x);

const shareOf = ({ value, low, high }: IntervalShare): MonitorShare => ({
  value: known(value),
  low: known(low),
  high: known(high),
});

const rangeOf = ({ median, low, high, nextLow, nextHigh }: RandomRange): MonitorRange => ({
  median: known(median),
  low: known(low),
  high: known(high),
  next_low: known(nextLow),
  next_high: known(nextHigh),
});

function rowOf(detector: string, found: DetectionMeasures, randomAucs: readonly number[]): MonitorRow {
  const { auc, within, tpr, fpr, brier, calibrationError } = found;
  return {
    detector,
    auc: shareOf(auc),
    within: { ...shareOf(within), pairs: within.pairs, prompts: within.groups },
    tpr: shareOf(tpr),
    fpr: shareOf(fpr),
    brier: known(brier),
    calibration_error: known(calibrationError),
    random_as_high: randomAucs.filter((x) => x >= auc.value).length,
  };
}

/** `share`: of positives among the texts that the detectors were fitted to. */
export function testRecord(
  { detectors }: FittedMonitor,
  tried: TriedMonitor,
  source: Pick<MonitorTest, 'kind' | 'of' | 'behaviour' | 'model' | 'adapter' | 'unread'>,
  { share, seed }: { readonly share: number; readonly seed: number },
): MonitorTest {
  const texts = tried.detectors[0]!;
  const labels = texts.map(({ label }) => label);
  const random = randomShares(tried);
  const { unread, ...about } = source;
  return {
    ...about,
    prompts: new Set(texts.map(({ group }) => group)).size,
    completions: texts.length,
    positives: labels.filter(Boolean).length,
    unread,
    brier_of_share: known(
      brierScore(
        labels.map(() => share),
        labels,
      ),
    ),
    rows: tried.detectors.map((own, k) =>
      rowOf(detectors[k]!.name, detectionMeasures(own, { seed }), random.auc),
    ),
    random: {
      latents: tried.random.length,
      auc: rangeOf(randomRange(random.auc, seed)),
      within: rangeOf(randomRange(random.within, seed)),
      tpr: rangeOf(randomRange(random.tpr, seed)),
    },
  };
}
