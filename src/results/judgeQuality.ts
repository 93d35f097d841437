/** How far a trained judge is to be believed, from the numbers that its grades’ stage keeps. */

/** Below this part of a true change that shows, a warning is given; and below the accuracy that allows no more. */
const weakShows = 0.5;
const weakAccuracy = 0.75;

export interface JudgeQuality {
  /** share of the answers to prompts held out that it labels as they are labelled */
  readonly accuracy: number;
  /** those prompts */
  readonly heldOut: number;
  /** of the positive ones, called positive, and of the negative ones, negative; null where not counted */
  readonly sensitivity: number | null;
  readonly specificity: number | null;
  /**
   * part of a true change of the share of positives that its labels show: sensitivity + specificity − 1,
   * where it errs alike before and after; at least 0; null where not known
   */
  readonly shows: number | null;
  readonly weak: boolean;
}

/** Undefined where nothing is known of the judge: it was not trained here. */
export function judgeQuality(counts: Readonly<Record<string, number>>): JudgeQuality | undefined {
  const { judge_accuracy: accuracy, judge_prompts_held_out: heldOut = 0 } = counts;
  if (accuracy === undefined) return undefined;
  const { judge_sensitivity: sensitivity = null, judge_specificity: specificity = null } = counts;
  const shows =
    sensitivity === null || specificity === null ? null : Math.max(0, sensitivity + specificity - 1);
  const weak = shows === null ? accuracy < weakAccuracy : shows < weakShows;
  return { accuracy, heldOut, sensitivity, specificity, shows, weak };
}
