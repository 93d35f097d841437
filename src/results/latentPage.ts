/** latents/NNN.json: what a latent does and seems to mean. */
import { z } from 'zod';
import { latentExplanation } from './explanation.ts';

/**
 * A token of the vocabulary beside a latent's direction d: `dot` = W'_v·d and `cosine` = W'_v·d / |W'_v|,
 * W' the unembedding with the final norm's gain folded in.
 */
const lensToken = z.object({ id: z.int(), token: z.string(), cosine: z.number(), dot: z.number() });
/** Greatest first in `top`, least first in `bottom`. */
const lensEnds = z.object({ top: z.array(lensToken), bottom: z.array(lensToken) });
export const lensSchema = z.object({ cosine: lensEnds, dot: lensEnds });
export type Lens = z.infer<typeof lensSchema>;

/** A latent's SAE activation at each token of a text; null at attention sinks. */
const shadedTokens = {
  ids: z.array(z.int()),
  tokens: z.array(z.string()),
  activations: z.array(z.number().nullable()),
};

/** A window of a corpus passage around the token where the latent is most active in it. */
export const passageWindow = z.object({
  /** which of the corpora, and the line of the passage in it */
  corpus: z.int(),
  line: z.int(),
  /** the window's first token in the passage, and the most active one in the window */
  start: z.int(),
  peak: z.int(),
  ...shadedTokens,
});
export type PassageWindow = z.infer<typeof passageWindow>;

/** Where in a corpus a latent is active. */
export const latentPassages = z.object({
  /** tokens looked at, sinks not among them; those with an activation above 0; passages with such a token */
  tokens: z.int(),
  active: z.int(),
  passages: z.int(),
  active_passages: z.int(),
  /** of the tokens where it is active: mean and greatest activation */
  mean: z.number().nullable(),
  max: z.number(),
  /** how many of them have an activation from edges[i] on, below edges[i + 1] */
  histogram: z.object({ edges: z.array(z.number()), counts: z.array(z.int()) }),
  /** the passages with the greatest activations, greatest first */
  top: z.array(passageWindow),
  /**
   * passages drawn at random from each part of the range of their greatest activations, from the lowest
   * part to the highest
   */
  quantiles: z.array(z.object({ low: z.number(), high: z.number(), passages: z.array(passageWindow) })),
  /** random windows in which it is not active */
  zero: z.array(passageWindow),
});
export type LatentPassages = z.infer<typeof latentPassages>;

/** The tokens of a text with a latent's δ at each, in nats; null at attention sinks. */
export const deltaTokens = z.object({
  ids: z.array(z.int()),
  tokens: z.array(z.string()),
  activations: z.array(z.number().nullable()),
  delta: z.array(z.number().nullable()),
});
export type DeltaTokens = z.infer<typeof deltaTokens>;

/**
 * One of the study's pairs as a latent sees it: on the prompt δ of positive minus negative, on a
 * completion's own tokens that of its own loss.
 */
export const latentPair = z.object({
  pair: z.string(),
  /** Δ of the pair alone, nats */
  delta: z.number(),
  prompt: deltaTokens,
  positive: deltaTokens,
  negative: deltaTokens,
});
export type LatentPair = z.infer<typeof latentPair>;

/**
 * What others say of a latent: a text, where it is from, the model that wrote it and how it was asked, and
 * the first score that it was given.
 */
const latentLabel = z.object({
  text: z.string(),
  source: z.string(),
  by: z.string().nullable(),
  method: z.string().nullable(),
  score: z.number().nullable(),
});
export type LatentLabel = z.infer<typeof latentLabel>;

/** latents/NNN.json: what a latent does and seems to mean. */
export const latentPageSchema = z.object({
  latent: z.int(),
  site: z.string(),
  behaviour: z.string(),
  delta: z.number(),
  rank: z.int(),
  /** null where there is one pair alone */
  standard_error: z.number().nullable(),
  same_sign: z.number(),
  lens: lensSchema,
  /** nearest by cosine of decoder directions, nearest first */
  neighbours: z.array(z.object({ latent: z.int(), cosine: z.number() })),
  /**
   * reported latents that point the same way or fire together, this one among them; empty where it stands
   * alone
   */
  group: z.array(z.int()),
  /** over which corpora, read by which model */
  corpora: z.array(z.string()),
  passages: latentPassages,
  /** the pairs that count most for it, greatest |Δ| first */
  pairs: z.array(latentPair),
  labels: z.array(latentLabel).default([]),
  /** null: none was asked for, or it is never active */
  explanation: latentExplanation.nullable().default(null),
});
export type LatentPage = z.infer<typeof latentPageSchema>;
