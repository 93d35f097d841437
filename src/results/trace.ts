/** trace.json: which of a model's training examples lie along a study's directions, or push the model along them. */
import { z } from 'zod';
import { promptSchema } from './completions.ts';
import { madeFrom } from './madeFrom.ts';
import { tokenParts } from './steered.ts';

const count = z.int().min(0);
const nullable = z.number().nullable();

/** What an example is ordered by: how far its tokens lie along the direction, or how far learning it pushes there. */
export const traceValues = ['push', 'activation'] as const;
export type TraceValue = (typeof traceValues)[number];

const example = z.strictObject({
  id: z.string(),
  /** of the file, from 0 */
  row: count,
  prompt: promptSchema,
  completion: z.string(),
  label: z.enum(['positive', 'negative']).nullable(),
  push: z.number(),
  activation: z.number(),
  /** of the whole text, prompt and completion; null where the token is in no set or a sink */
  tokens: z.array(z.strictObject({ text: z.string(), push: nullable, activation: nullable })),
});
export type TracedExample = z.output<typeof example>;

const range = z.strictObject({ median: nullable, low: nullable, high: nullable });

const measured = z.strictObject({
  /** of the sum of the values above 0, the share that the tenth with the greatest values holds */
  top_share: nullable,
  /** Spearman's rank correlation with the example's loss */
  with_loss: nullable,
  /** null where the data has not both labels; the interval is of 95 %, over prompts */
  auc: z.strictObject({ value: z.number(), low: nullable, high: nullable }).nullable(),
  head: z.strictObject({ examples: count, positives: count }).nullable(),
  /** AUCs of random latents, and how many are as high; null as `auc` */
  random_auc: range.nullable(),
  random_as_high: count.nullable(),
  /** ids of the first, greatest value first */
  first: z.array(z.string()),
});
export type TraceMeasured = z.output<typeof measured>;

const direction = z.strictObject({
  latent: count,
  /** σ of the attribution: values rise along σ d */
  sign: z.literal([1, -1]),
  /** by Δ, 1 the first */
  rank: z.int().min(1),
  confirmed: z.boolean(),
  push: measured,
  activation: measured,
  examples: z.array(example),
});
export type TracedLatent = z.output<typeof direction>;

/** Whose gradients: the subject without its adapter, the reference, or the subject. */
export const traceModels = ['base', 'reference', 'subject'] as const;
export type TraceModel = (typeof traceModels)[number];

export const traceSchema = z.strictObject({
  behaviour: z.string(),
  site: z.string(),
  layer: count,
  width: z.int().min(1),
  /** whose activation and gradient are read, attention sinks left out */
  tokens: z.enum(tokenParts),
  under: z.enum(traceModels),
  model: z.string(),
  adapter: z.string().nullable(),
  date: z.string().nullable(),
  seed: count,
  /** null: there was no causal test */
  confirmed: z.array(count).nullable(),
  data: z.strictObject({
    file: z.string(),
    /** examples in the file, and how many of them were read */
    examples: count,
    read: count,
    prompts: count,
    positives: count,
    negatives: count,
    /** completions that were cut where the model's context ends */
    cut: count,
    /** left out, by why */
    left_out: z.record(z.string(), count),
  }),
  /** the loss itself as a value; null without labels */
  loss_auc: nullable,
  /** random latents beside them */
  random: count,
  latents: z.array(direction),
  ...madeFrom,
});
export type TraceRecord = z.output<typeof traceSchema>;

/** A line of trace.jsonl: one example that was read. */
export const traceRow = z.strictObject({
  id: z.string(),
  row: count,
  label: z.enum(['positive', 'negative']).nullable(),
  /** of the completion */
  tokens: count,
  /** mean −ln p of its tokens, nats */
  loss: z.number(),
  latents: z.array(z.strictObject({ latent: count, push: z.number(), activation: nullable })),
});
export type TraceRow = z.output<typeof traceRow>;
