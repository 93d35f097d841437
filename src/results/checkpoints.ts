/** checkpoints.json: what the same directions do in several subjects, such as the checkpoints of a fine-tune. */
import { z } from 'zod';
import { estimate, madeFrom } from './madeFrom.ts';

const count = z.int().min(0);
const nullable = z.number().nullable();

const tally = { completions: count, coherent: count, positives: count };

export type CheckpointEstimate = z.output<typeof estimate>;

const arm = z.strictObject({
  ...tally,
  /** change in the share of positives among coherent completions against the same subject unsteered */
  effect: estimate,
});
export type CheckpointArm = z.output<typeof arm>;

const inSubject = z.strictObject({
  latent: count,
  /** mean over its own unsteered completions of σ (a − ā)·d, a their mean residual */
  activation: estimate,
  remove: arm,
  away: arm,
  toward: arm,
  /** share of positives steered toward minus steered away, of the coherent */
  diffing: estimate,
  /** the same among completions of the same length; `overlap`: share of them whose length the other side has too */
  matched: z.strictObject({ ...estimate.shape, overlap: nullable }),
});
export type CheckpointLatent = z.output<typeof inSubject>;

const subject = z.strictObject({
  name: z.string(),
  role: z.enum(['reference', 'checkpoint', 'subject']),
  model: z.string(),
  adapter: z.string().nullable(),
  unsteered: z.strictObject({ ...tally, mean_tokens: nullable }),
  latents: z.array(inSubject),
  /** effects of removing random latents, and where one more is expected, 95 % */
  random: z.strictObject({ effects: z.array(nullable), low: nullable, high: nullable }),
});
export type CheckpointSubject = z.output<typeof subject>;

export const checkpointsSchema = z.strictObject({
  behaviour: z.string(),
  site: z.string(),
  /** mean residual norm of the study's subject: a dose of 1 adds as much in every subject */
  norm: z.number(),
  seed: count,
  prompts: count,
  completions: z.int().min(1),
  /** of the causal test */
  confirmed: z.array(count),
  latents: z.array(
    z.strictObject({
      latent: count,
      sign: z.literal([1, -1]),
      confirmed: z.boolean(),
      /** |α| along σ d, in parts of `norm` */
      away: z.number(),
      toward: z.number(),
    }),
  ),
  random: z.array(count),
  /** in the order in which they were named, the reference first, the study's subject last */
  subjects: z.array(subject),
  ...madeFrom,
});
export type CheckpointsRecord = z.output<typeof checkpointsSchema>;
