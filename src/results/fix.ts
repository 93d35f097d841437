/** fix.json: which latents are held how so that the behaviour goes, and what that does besides. */
import { z } from 'zod';
import { roles, tokenParts } from './steered.ts';

const count = z.int().min(0);
const nullable = z.number().nullable();

/** What is done to each latent of a set: see `operations`. */
const operation = z.enum(['remove', 'cap']);

const tally = { completions: count, coherent: count, positives: count };

/** A set of latents that was tried. */
const tried = z.strictObject({
  operation,
  /** what put them first; several where they agree */
  orders: z.array(z.enum(['confirmed', 'delta', 'certainty'])),
  latents: z.array(count),
  ...tally,
});

/** What was measured beside the fix, and the fix itself. */
const measured = z.strictObject({
  name: z.string(),
  role: z.enum([...roles, 'fix', 'reference', 'system']),
  operation: operation.nullable(),
  latents: z.array(count),
  ...tally,
  /** change in the share of positives against the unsteered subject, −1 to 1, with its 95 % interval */
  effect: nullable,
  low: nullable,
  high: nullable,
  /** share of the way to the reference; null where the two do not differ */
  way: nullable,
  way_low: nullable,
  way_high: nullable,
  mean_tokens: nullable,
});
export type MeasuredFix = z.output<typeof measured>;

const collateral = z.strictObject({
  name: z.string(),
  /** mean cross-entropy of the texts, nats a token */
  loss: z.number(),
  /** share of places where both rank the same token first; null for a model that runs in parts */
  agreement: nullable,
  /** mean KL(subject ‖ changed), nats a token */
  divergence: nullable,
});

export const fixSchema = z.strictObject({
  behaviour: z.string(),
  site: z.string(),
  /** at which tokens projections are held */
  tokens: z.enum(tokenParts),
  search: z.strictObject({
    prompts: count,
    unsteered: z.strictObject(tally),
    /** greatest share of incoherent completions that counts */
    limit: z.number(),
    sets: z.array(tried),
  }),
  /** null where no set lowers the share of positives in coherent text */
  fix: z
    .strictObject({
      operation,
      orders: tried.shape.orders,
      latents: z.array(count),
      /** of each latent, the bounds of a_t · direction: equal where it is removed; null where there is none */
      low: z.array(nullable),
      high: z.array(nullable),
    })
    .nullable(),
  measured: z
    .strictObject({
      prompts: count,
      /** whether these are the prompts that the causal test kept aside */
      aside: z.boolean(),
      unsteered: z.strictObject(tally),
      arms: z.array(measured),
      /** where the effect of one more random set is expected, 95 % */
      random: z.strictObject({ sets: count, low: z.number(), high: z.number() }),
      /** of the fix against the random sets and against no effect, whichever is greater */
      p: z.number(),
    })
    .nullable(),
  collateral: z.strictObject({ tokens: count, loss: z.number(), arms: z.array(collateral) }).nullable(),
});
export type FixRecord = z.output<typeof fixSchema>;
