/** pair-tokens.jsonl: a line a pair, its tokens with δ at each. */
import { z } from 'zod';

/**
 * δ at each token in nats; null at attention sinks. On a completion's own tokens that of its own loss:
 * above 0 supports that completion.
 */
const deltas = z.array(z.number().nullable());

/** A line of pair-tokens.jsonl. */
export const pairTokens = z.object({
  pair: z.string(),
  /** `total`: δ summed over all latents of the dictionary */
  prompt: z.object({ tokens: z.array(z.string()), total: deltas }),
  completions: z.array(
    z.object({
      id: z.string(),
      label: z.enum(['positive', 'negative']),
      /** nats, mean or sum over its tokens as the study says */
      loss: z.number(),
      tokens: z.array(z.string()),
      total: deltas,
    }),
  ),
  /**
   * the reported latents that count most for the pair, greatest |Δ| of the pair alone first; `completions`
   * as above
   */
  latents: z.array(
    z.object({ latent: z.int(), delta: z.number(), prompt: deltas, completions: z.array(deltas) }),
  ),
});
export type PairTokens = z.infer<typeof pairTokens>;
