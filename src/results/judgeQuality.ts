/** How far a trained judge is to be believed, from the numbers that its grades’ stage keeps. */

/** Below this accuracy on prompts held out an effect shows at less than half its size. */
const weak = 0.75;

export interface WeakJudge {
  /** share of the answers to prompts held out that it labels as they are labelled */
  readonly accuracy: number;
  readonly heldOut: number;
  /** part of a true change of the share of positives that its labels show: 2·accuracy − 1, where it errs alike on both sides; at least 0 */
  readonly shows: number;
}

/** The judge, where it was trained and is weak; undefined otherwise, also where nothing is known of it. */
export function weakJudge(counts: Readonly<Record<string, number>>): WeakJudge | undefined {
  const { judge_accuracy: accuracy, judge_prompts_held_out: heldOut = 0 } = counts;
  if (accuracy === undefined || accuracy >= weak) return undefined;
  return { accuracy, heldOut, shows: Math.max(0, 2 * accuracy - 1) };
}
