/**
 * steered.jsonl: what was said under each latent, left alone too, and what each does to the log-odds of the
 * pairs.
 */
import { z } from 'zod';
import { stopReasons } from './completions.ts';

export const bothSides = ['away', 'toward'] as const;
export type Side = (typeof bothSides)[number];
const side = z.enum(bothSides);

/** Which tokens of a text. */
export const tokenParts = ['all', 'prompt', 'completion'] as const;
export type TokenPart = (typeof tokenParts)[number];

/**
 * What is done along a direction: `remove`: the projection held at the baseline's, at the tokens of the study's
 * (first) token set but the attention sinks; `remove_TOKENS`: the same at a further token set; `subtract`: a
 * latent's own activation, by the encoder, subtracted along it, at the tokens of `remove`; `add`: α s σ d added
 * at every token; `patch`: the projection set to the subject's mean; `system`: nothing along any direction, the
 * subject has a system message.
 */
export const operations = [
  'remove',
  'add',
  'patch',
  'subtract',
  'remove_all',
  'remove_prompt',
  'remove_completion',
  'system',
] as const;
export type Operation = (typeof operations)[number];

/** What an arm may be sampled under; `cap`, a projection along σ d held below a bound, is a fix's alone. */
export const trialOperations = [...operations, 'cap'] as const;
export type TrialOperation = (typeof trialOperations)[number];

/** The operation that removes at one more token set. */
export const removalAt = (tokens: TokenPart) => `remove_${tokens}` as const;

/** At which tokens an operation of this name acts, where its name says so. */
export const tokensInName = (operation: TrialOperation): TokenPart | undefined =>
  tokenParts.find((tokens) => operation === removalAt(tokens));

/**
 * `candidate`: proposed by a selector; `random`: a random latent; `gaussian`: a random direction; `comparison`:
 * a direction that needs no dictionary; `control`: a latent of another question, or of a dictionary that means
 * nothing; `group`: the first latents together.
 */
export const roles = ['candidate', 'random', 'gaussian', 'comparison', 'control', 'group'] as const;
export type Role = (typeof roles)[number];

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

/**
 * Which prompts: those that the dose is found on, those that effects are of, and those kept aside, on which the
 * first ones are measured again.
 */
export const trialParts = ['calibration', 'evaluation', 'aside'] as const;
export type TrialPart = (typeof trialParts)[number];

/** Graded completions under one operation along one direction. */
export const trialRecord = z.object({
  kind: z.literal('trial'),
  id: z.string(),
  side,
  /** the direction's name; null: left alone */
  direction: z.string().nullable(),
  /** its latent; null where it is none, and where left alone */
  latent: count.nullable(),
  /** null: left alone */
  operation: z.enum(trialOperations).nullable(),
  /** α along σ d, below 0 away and above 0 toward; 0 where nothing is added */
  dose: z.number(),
  part: z.enum(trialParts),
  /** hash of the prompts, of how many completions each has, and of what is done to the model */
  content: z.string(),
  completions: z.array(steeredCompletion),
  cost: verdictCost,
});
export type TrialRecord = z.output<typeof trialRecord>;

/**
 * What one operation along a direction does to the log-odds of positive against negative completions,
 * teacher-forced, in nats a token.
 */
export const forcedRecord = z.object({
  kind: z.literal('forced'),
  id: z.string(),
  side,
  direction: z.string(),
  latent: count.nullable(),
  operation: z.enum(operations),
  /** α along σ d, signed; 0 where nothing is added */
  dose: z.number(),
  /** hash of the contrasts and of what is done to the model */
  content: z.string(),
  /** to first order: of `add` −α s σ Σ_t (g⁺_t − g⁻_t) · d, of `remove` Σ_t (g⁺_t − g⁻_t)·d (a_t − ā)·d */
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
