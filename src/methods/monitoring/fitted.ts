/**
 * Detectors fitted to some texts and tried on others: latents, a probe and a mean difference, with random latents beside
 * them. Knows neither models nor texts, only mean residuals with labels.
 */
import { decision, type Linear } from '../judging/logistic.ts';
import { grouped, shuffled } from '../statistics/groups.ts';
import { generatorOf } from '../statistics/random.ts';
import { aucOf, detectionThreshold, flaggedShares, type ScoredText, withinGroups } from './detection.ts';
import {
  alongDirection,
  type Calibrated,
  calibrated,
  differenceDetector,
  type MeasuredText,
  probabilityOf,
  probeDetector,
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

const scored = (linear: Linear, texts: readonly MeasuredText[]): ScoredText[] =>
  texts.map(({ features, label, group }) => ({ score: decision(linear, features), label, group }));

function randomDetector(
  direction: Float32Array,
  baseline: Float32Array,
  texts: readonly MeasuredText[],
): FittedRandom {
  const up = alongDirection(direction, 1, baseline);
  const linear = aucOf(scored(up, texts)) < 0.5 ? alongDirection(direction, -1, baseline) : up;
  const negatives = scored(linear, texts).filter(({ label }) => !label);
  return { ...linear, threshold: detectionThreshold(negatives.map(({ score }) => score)) };
}

/** Throws RangeError unless there are texts of both labels. */
export function fitMonitor(
  texts: readonly MeasuredText[],
  { latents, random, baseline, seed }: FittingOptions,
): FittedMonitor {
  const detector = (
    name: string,
    kind: FittedDetector['kind'],
    linear: Linear,
    C: number | null = null,
  ): FittedDetector => ({
    name,
    kind,
    C,
    ...linear,
    ...calibrated(linear, texts),
    fittedAuc: aucOf(scored(linear, texts)),
  });
  const probe = probeDetector(texts, seed);
  return {
    detectors: [
      ...latents.map(({ name, direction, sign }) =>
        detector(name, 'latent', alongDirection(direction, sign, baseline)),
      ),
      detector(probeName, 'probe', probe.linear, probe.C),
      detector(differenceName, 'difference', differenceDetector(texts, baseline)),
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
      scored(one, texts).map((text) => ({
        ...text,
        flagged: text.score > one.threshold,
        probability: probabilityOf(one, text.score),
      })),
    ),
    random: random.map((one) => {
      const found = scored(one, texts);
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

/**
 * Each text by a monitor that was fitted without its group's fold, of five; folds whose rest has but one label are left
 * out. Undefined where none is left.
 */
export function crossTried(
  texts: readonly MeasuredText[],
  options: FittingOptions,
  folds = 5,
): TriedMonitor | undefined {
  const names = shuffled([...grouped(texts, ({ group }) => group).keys()], generatorOf(options.seed));
  const foldOf = new Map(names.map((name, i) => [name, i % folds]));
  const parts = Array.from({ length: Math.min(folds, names.length) }, (_, fold) => {
    const rest = texts.filter(({ group }) => foldOf.get(group) !== fold);
    if (!rest.some(({ label }) => label) || rest.every(({ label }) => label)) return [];
    const own = texts.filter(({ group }) => foldOf.get(group) === fold);
    return [tryMonitor(fitMonitor(rest, options), own)];
  }).flat();
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
