/** How far a trained judge is to be believed, from the numbers that its grades’ stage keeps. */

/** Below this accuracy on prompts held out an effect shows at less than half its size. */
const weak = 0.75;

export interface JudgeQuality {
  /** share of the answers to prompts held out that it labels as they are labelled */
  readonly accuracy: number;
  /** those prompts */
  readonly heldOut: number;
  /**
   * part of a true change of the share of positives that its labels show: 2·accuracy − 1, where it errs
   * alike on both sides; at least 0
   */
  readonly shows: number;
  readonly weak: boolean;
}

/** Undefined where nothing is known of the judge: it was not trained here. */
export function judgeQuality(counts: Readonly<Record<string, number>>): JudgeQuality | undefined {
  const { judge_accuracy: accuracy, judge_prompts_held_out: heldOut = 0 } = counts;
  if (accuracy === undefined) return undefined;
  return { accuracy, heldOut, shows: Math.max(0, 2 * accuracy - 1), weak: accuracy < weak };
}
