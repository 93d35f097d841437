/**
 * What a language model takes a latent to be about, how well that holds on passages it was not shown, and
 * explanations.jsonl, a record a line: each reply that this rests on.
 */
import { z } from 'zod';

const count = z.int().min(0);

/** Passages that an explanation was tried on. What was not answered is in no rate. */
export const explanationScore = z.object({
  /**
   * (true positive rate + true negative rate) / 2; 0.5 is chance; null where all of the positives or all of
   * the negatives are unanswered
   */
  balanced_accuracy: z.number().min(0).max(1).nullable(),
  true_positives: count,
  false_negatives: count,
  true_negatives: count,
  false_positives: count,
  unanswered: count,
});
export type ExplanationScore = z.output<typeof explanationScore>;

export const latentExplanation = z.object({
  /** a sentence; null where the explainer gave none at any try */
  text: z.string().nullable(),
  /** what explained it, and was asked for the scores */
  by: z.string(),
  /**
   * in which passages the latent is active; null where there are too few held-out passages, or no
   * explanation
   */
  detection: explanationScore.nullable(),
  /** whether the marked tokens are those where it is active; null as above */
  fuzzing: explanationScore.nullable(),
});
export type LatentExplanation = z.output<typeof latentExplanation>;

const reply = {
  /** `<task>/<latent>`, for scores `/<n>` more: unique in the file */
  id: z.string().min(1),
  latent: count,
  /** hash of the explainer, and of what it was asked about */
  explainer: z.string().min(1),
  content: z.string().min(1),
  /** why it gave no answer; null where it gave one */
  why: z.string().nullable(),
  raw: z.string(),
  cost: z.object({ calls: count, input_tokens: count, output_tokens: count, price: z.number().min(0) }),
};

/** A line of explanations.jsonl. */
export const explanationRecord = z.discriminatedUnion('task', [
  z.object({ ...reply, task: z.literal('explain'), text: z.string().nullable() }),
  z.object({
    ...reply,
    task: z.enum(['detection', 'fuzzing']),
    /** where the passages' windows begin */
    passages: z.array(z.object({ corpus: count, line: count, start: count })),
    /** what holds of each, and what was answered; null: nothing */
    truth: z.array(z.boolean()),
    answers: z.array(z.boolean().nullable()),
  }),
]);
export type ExplanationRecord = z.output<typeof explanationRecord>;
