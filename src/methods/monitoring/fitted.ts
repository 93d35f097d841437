/**
 * Detectors fitted to some texts and tried on others: latents, a probe and a mean difference, with random latents beside
 * them. Knows neither models nor texts, only mean residuals with labels.
 */
import type { Linear } from '../judging/logistic.ts';
import { aucOf, detectionThreshold, flaggedShares, type ScoredText, withinGroups } from './detection.ts';
import {
  alongDirection,
  type Calibrated,
  calibrated,
  differenceDetector,
  foldsOf,
  type MeasuredText,
  probabilityOf,
  probeDetector,
  scoredBy,
} from './detectors.ts';
import type { TestedText } from './measures.ts';

/** A direction whose side is known. */
export interface SignedDirection {
  readonly name: string;
  readonly direction: Float32Array;
  readonly sign: 1 | -1;
}

export interface FittedDetector extends Linear, Calibrated {
  readonly name: string;
  readonly kind: 'latent' | 'probe' | 'difference';
  /** null but for a probe */
  readonly C: number | null;
  readonly fittedAuc: number;
}

/** A random direction; the side that is higher on positives is taken by the fitting texts. */
type FittedRandom = Linear & Pick<Calibrated, 'threshold'>;

export interface FittedMonitor {
  /** latents in their order, then the probe, then the mean difference */
  readonly detectors: readonly FittedDetector[];
  readonly random: readonly FittedRandom[];
}

export interface FittingOptions {
  readonly latents: readonly SignedDirection[];
  readonly random: readonly Float32Array[];
  /** ā [d] */
  readonly baseline: Float32Array;
  readonly seed: number;
}

export const probeName = 'probe';
export const differenceName = 'mean difference';

function randomDetector(
  direction: Float32Array,
  baseline: Float32Array,
  texts: readonly MeasuredText[],
): FittedRandom {
  const up = alongDirection(direction, 1, baseline);
  const linear = aucOf(scoredBy(up, texts)) < 0.5 ? alongDirection(direction, -1, baseline) : up;
  const negatives = scoredBy(linear, texts).filter(({ label }) => !label);
  return { ...linear, threshold: detectionThreshold(negatives.map(({ score }) => score)) };
}

/**
 * Threshold and calibration of the probe and of the mean difference are by scores across folds: those of the texts that
 * they were fitted to are further apart than others'. With a single group there are no folds, and these are taken. Throws
 * RangeError unless there are texts of both labels.
 */
export function fitMonitor(
  texts: readonly MeasuredText[],
  { latents, random, baseline, seed }: FittingOptions,
): FittedMonitor {
  const folds = foldsOf(texts, seed);
  const acrossFolds = (made: (rest: readonly MeasuredText[]) => Linear) =>
    folds.flatMap(({ own, rest }) => scoredBy(made(rest), own));
  const detector = (
    of: Pick<FittedDetector, 'name' | 'kind'> & { readonly C?: number },
    linear: Linear,
    crossed: readonly ScoredText[] = [],
  ): FittedDetector => {
    const known = crossed.length > 0 ? crossed : scoredBy(linear, texts);
    return { C: null, ...of, ...linear, ...calibrated(known), fittedAuc: aucOf(known) };
  };
  const probe = probeDetector(texts, seed);
  return {
    detectors: [
      ...latents.map(({ name, direction, sign }) =>
        detector({ name, kind: 'latent' }, alongDirection(direction, sign, baseline)),
      ),
      detector({ name: probeName, kind: 'probe', C: probe.C }, probe.linear, acrossFolds(probe.again)),
      detector(
        { name: differenceName, kind: 'difference' },
        differenceDetector(texts, baseline),
        acrossFolds((rest) => differenceDetector(rest, baseline)),
      ),
    ],
    random: random.map((direction) => randomDetector(direction, baseline, texts)),
  };
}

/** What one random direction comes to. */
interface RandomTexts {
  readonly texts: readonly ScoredText[];
  readonly flagged: readonly boolean[];
}

/** Texts by the scores of each detector of a monitor. */
export interface TriedMonitor {
  /** one list for each detector, in their order */
  readonly detectors: readonly (readonly TestedText[])[];
  readonly random: readonly RandomTexts[];
}

export function tryMonitor(
  { detectors, random }: FittedMonitor,
  texts: readonly MeasuredText[],
): TriedMonitor {
  return {
    detectors: detectors.map((one) =>
      scoredBy(one, texts).map((text) => ({
        ...text,
        flagged: text.score > one.threshold,
        probability: probabilityOf(one, text.score),
      })),
    ),
    random: random.map((one) => {
      const found = scoredBy(one, texts);
      return { texts: found, flagged: found.map(({ score }) => score > one.threshold) };
    }),
  };
}

const merged = (parts: readonly TriedMonitor[]): TriedMonitor => ({
  detectors: parts[0]!.detectors.map((_, k) => parts.flatMap(({ detectors }) => detectors[k]!)),
  random: parts[0]!.random.map((_, k) => ({
    texts: parts.flatMap(({ random }) => random[k]!.texts),
    flagged: parts.flatMap(({ random }) => random[k]!.flagged),
  })),
});

/** Each text by a monitor that was fitted without its group's fold, of five. Undefined where there is no fold. */
export function crossTried(
  texts: readonly MeasuredText[],
  options: FittingOptions,
): TriedMonitor | undefined {
  const parts = foldsOf(texts, options.seed).map(({ own, rest }) =>
    tryMonitor(fitMonitor(rest, options), own),
  );
  return parts.length === 0 ? undefined : merged(parts);
}

/** What random directions reach: their AUCs, those within groups, and their shares of positives flagged. */
export function randomShares({ random }: Pick<TriedMonitor, 'random'>): {
  readonly auc: readonly number[];
  readonly within: readonly number[];
  readonly tpr: readonly number[];
} {
  return {
    auc: random.map(({ texts }) => aucOf(texts)),
    within: random.map(({ texts }) => withinGroups(texts).value),
    tpr: random.map(
      ({ texts, flagged }) =>
        flaggedShares(
          flagged,
          texts.map(({ label }) => label),
        ).tpr,
    ),
  };
}
