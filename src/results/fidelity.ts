/**
 * fidelity.json: how well the first-order estimate agrees with the exact removal of latents, on some of the
 * pairs that it was made of.
 */
import { z } from 'zod';

/** How first order can be wrong about a latent. */
export const firstOrderFaults = ['wrong sign', 'too small', 'too large'] as const;
export type FirstOrderFault = (typeof firstOrderFaults)[number];

/** How an estimate of the latents' effects agrees with their exact effects; null where it is not defined. */
const agreementSchema = z.object({
  /** Spearman's, over latents */
  rank_correlation: z.number().nullable(),
  /** share of the latents whose estimate has the sign of the exact effect */
  sign_agreement: z.number().nullable(),
  /** of exact on estimate, by least squares through the origin: below 1 the estimate is too large */
  slope: z.number().nullable(),
});
export type EstimateAgreement = z.output<typeof agreementSchema>;

/**
 * One latent that was removed. Effects in nats (a token of a completion with `loss: mean`), means over pairs
 * of sums over the tokens of the set.
 */
export const fidelityLatent = z.object({
  latent: z.int(),
  /** among the first by Δ, or drawn at random */
  group: z.enum(['top', 'random']),
  rank: z.int(),
  /** Δ of latents.parquet: over all pairs, a mean over tokens */
  delta: z.number(),
  first_order: z.number(),
  exact: z.number(),
  /** by integrated gradients, and the exact effect on the same pairs; null where not measured */
  integrated: z.number().nullable(),
  integrated_exact: z.number().nullable(),
  /** how first order is wrong about it; null where it is not */
  fault: z.enum(firstOrderFaults).nullable(),
});
export type FidelityLatent = z.output<typeof fidelityLatent>;

const group = z.object({
  latents: z.int(),
  /** those that first order is wrong about */
  faults: z.int(),
  first_order: agreementSchema,
  /** null where none was measured */
  integrated: agreementSchema.extend({ latents: z.int() }).nullable(),
});
export type FidelityGroup = z.output<typeof group>;

export const fidelitySchema = z.object({
  site: z.string(),
  tokens: z.string(),
  loss: z.string(),
  /** pairs that latents were removed on (all pairs of a prompt count as one with `per_prompt: all`) */
  pairs: z.int(),
  /** of how many */
  of: z.int(),
  /** steps of integrated gradients, and the pairs that they ran on; 0 for none */
  steps: z.int(),
  integrated_pairs: z.int(),
  /** effects below it, in nats, are rounding: nothing is said of them */
  resolution: z.number(),
  top: group,
  random: group,
  latents: z.array(fidelityLatent),
});
export type FidelityRecord = z.output<typeof fidelitySchema>;
