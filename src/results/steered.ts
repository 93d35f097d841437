/**
 * steered.jsonl: what was said under each latent, left alone too, and what each does to the log-odds of the
 * pairs.
 */
import { z } from 'zod';
import { stopReasons } from './completions.ts';

export const bothSides = ['away', 'toward'] as const;
export type Side = (typeof bothSides)[number];
const side = z.enum(bothSides);

const count = z.int().min(0);
const share = z.number().min(0).max(1);

export const verdictCost = z.object({ calls: count, price: z.number().min(0) });

export const verdictFields = {
  score: share,
  label: z.enum(['positive', 'negative']),
  coherence: share,
  coherent: z.boolean(),
  reason: z.string(),
};

export const steeredCompletion = z.object({
  prompt_id: z.string(),
  index: count,
  text: z.string(),
  tokens: count,
  stop: z.enum(stopReasons),
  ...verdictFields,
  /** false: the judge was not asked, and what it would say stands for nothing */
  judged: z.boolean().default(true),
  /** mean ln p of its tokens under the unsteered reference, nats; null where not measured */
  log_probability: z.number().nullable().default(null),
  /** share of its runs of four tokens that stood in it before */
  repetition: share.nullable().default(null),
});
export type SteeredCompletion = z.output<typeof steeredCompletion>;

/** Which prompts: those that the dose is found on, and the first and the other evaluation prompts. */
export const trialParts = ['calibration', 'first', 'rest'] as const;
export type TrialPart = (typeof trialParts)[number];

/** Graded completions under one latent at one dose. */
export const trialRecord = z.object({
  kind: z.literal('trial'),
  id: z.string(),
  side,
  /** null: left alone */
  latent: count.nullable(),
  /** α, signed; 0 where left alone */
  dose: z.number(),
  part: z.enum(trialParts),
  /** hash of the prompts, of how many completions each has, and of s */
  content: z.string(),
  completions: z.array(steeredCompletion),
  cost: verdictCost,
});
export type TrialRecord = z.output<typeof trialRecord>;

/**
 * What one latent does to the log-odds of positive against negative completions, teacher-forced, in nats a
 * token.
 */
export const forcedRecord = z.object({
  kind: z.literal('forced'),
  id: z.string(),
  side,
  latent: count,
  /** α, signed */
  dose: z.number(),
  /** hash of the contrasts, of s, and of the steered tokens where these are not all */
  content: z.string(),
  /** to first order: −α s Σ_t (g⁺_t − g⁻_t) · d */
  estimate: z.number(),
  /** by running the steered model */
  log_odds: z.number(),
  /** mean rise of the loss over all completions */
  damage: z.number(),
});
export type ForcedRecord = z.output<typeof forcedRecord>;

/** A line of steered.jsonl: what a later causal test under the same options need not do again. */
export const steeredRecord = z.discriminatedUnion('kind', [trialRecord, forcedRecord]);
export type SteeredRecord = z.output<typeof steeredRecord>;
