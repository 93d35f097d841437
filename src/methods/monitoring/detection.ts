/**
 * How well a score tells texts of two kinds apart, beside its area under the ROC curve (`auc`): docs/method.md section
 * 10. Groups are prompts. Knows neither models nor texts.
 */

import { auc } from '../judging/raterAgreement.ts';
import { grouped } from '../statistics/groups.ts';

/** A text with its score; `label`: whether it is a positive. */
export interface ScoredText {
  readonly score: number;
  readonly label: boolean;
  readonly group: string;
}

export const aucOf = (texts: readonly ScoredText[]): number =>
  auc(
    texts.map(({ score }) => score),
    texts.map(({ label }) => label),
  );

export interface WithinGroups {
  /** share of the pairs of one group in which the positive has the greater score, a tie counting as half; NaN for none */
  readonly value: number;
  /** pairs of a positive and a negative of one group, and the groups that have any */
  readonly pairs: number;
  readonly groups: number;
}

/**
 * Σ_g n⁺_g n⁻_g AUC_g / Σ_g n⁺_g n⁻_g over groups g with both kinds: what is left of an AUC once it cannot come from
 * which group a text is of.
 */
export function withinGroups(texts: readonly ScoredText[]): WithinGroups {
  let [right, pairs, groups] = [0, 0, 0];
  for (const own of grouped(texts, ({ group }) => group).values()) {
    const positives = own.filter(({ label }) => label).length;
    const both = positives * (own.length - positives);
    if (both === 0) continue;
    right += both * aucOf(own);
    pairs += both;
    groups++;
  }
  return { value: right / pairs, pairs, groups };
}

/**
 * The least score τ of a negative such that at most `share` of the negatives have a greater one; a text is flagged
 * where its score is above τ. With fewer than 1/share negatives that is the greatest of them, which says little of a
 * rate so low. Default share 0.01. Throws RangeError where there is no negative.
 */
export function detectionThreshold(negatives: readonly number[], share = 0.01): number {
  if (negatives.length === 0) throw new RangeError('detectionThreshold: no negatives');
  const falling = [...negatives].sort((a, b) => b - a);
  return falling[Math.min(falling.length - 1, Math.floor(share * falling.length))]!;
}

/** Shares of the positives and of the negatives that are flagged; NaN where there are none of them. */
export function flaggedShares(
  flagged: readonly boolean[],
  labels: readonly boolean[],
): { readonly tpr: number; readonly fpr: number } {
  const share = (label: boolean) => {
    const own = flagged.filter((_, n) => labels[n] === label);
    return own.filter(Boolean).length / own.length;
  };
  return { tpr: share(true), fpr: share(false) };
}

/** Brier score: mean (p − y)², y being 1 for a positive and 0 for a negative. 0 is best; NaN for none. */
export const brierScore = (probabilities: readonly number[], labels: readonly boolean[]): number =>
  probabilities.reduce((sum, p, n) => sum + (p - Number(labels[n])) ** 2, 0) / probabilities.length;
