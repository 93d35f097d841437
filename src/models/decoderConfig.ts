/** Fields of config.json that most families share, and what is made of them. Knows no family. */
import { z } from 'zod';
import type { Heads } from './attention.ts';
import { ropeFields } from './rope.ts';

export const size = z.number().int().positive();

const kinds = z.enum(['full_attention', 'sliding_attention']);

/** Fields of every decoder with RMS norms. */
export const decoderFields = {
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  ...ropeFields,
  tie_word_embeddings: z.boolean().default(false),
};

/** Fields of a family some of whose layers see a window. */
export const windowFields = {
  sliding_window: size.nullish(),
  layer_types: z.array(kinds).nullish(),
};

/** Whether a part of a block has biases; a GGUF file does not say it, but has them or not. */
export const biasField = z.union([z.boolean(), z.literal('as stored')]).default(false);

interface HeadFields {
  readonly hidden_size: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads?: number | null | undefined;
  readonly head_dim?: number | null | undefined;
}

/**
 * Heads of a config: as many for keys and values as for queries, and hidden_size / num_attention_heads wide, where
 * it does not say. Issues where they do not fit.
 */
export function headsOf(c: HeadFields, issues: z.RefinementCtx): Heads {
  const query = c.num_attention_heads;
  const keyValue = c.num_key_value_heads ?? query;
  const width = c.head_dim ?? c.hidden_size / query;
  const refuse = (message: string) => issues.addIssue({ code: 'custom', message });
  if (query % keyValue !== 0) refuse('num_attention_heads must be a multiple of num_key_value_heads');
  if (!Number.isInteger(width / 2)) refuse('the width of a head must be even');
  return { query, keyValue, width };
}

interface WindowFields {
  readonly num_hidden_layers: number;
  readonly sliding_window?: number | null | undefined;
  readonly layer_types?: readonly z.output<typeof kinds>[] | null | undefined;
}

/**
 * The window of each layer, undefined for one that sees all; `isSliding` says which have one where `layer_types`
 * does not. Issues where that is too short, or a layer has a window of no size.
 */
export function windowsOf(
  c: WindowFields,
  isSliding: (layer: number) => boolean,
  issues: z.RefinementCtx,
): (number | undefined)[] {
  const refuse = (message: string) => issues.addIssue({ code: 'custom', path: ['layer_types'], message });
  if (c.layer_types && c.layer_types.length < c.num_hidden_layers) {
    refuse(`expected one for each of ${c.num_hidden_layers} layers`);
    return z.NEVER;
  }
  // Where the count is absurd the weights will tell.
  return Array.from({ length: Math.min(c.num_hidden_layers, 10000) }, (_, layer) => {
    const slides = c.layer_types ? c.layer_types[layer] === 'sliding_attention' : isSliding(layer);
    if (slides && !c.sliding_window) refuse(`layer ${layer} has a window, and sliding_window no size`);
    return slides ? (c.sliding_window ?? undefined) : undefined;
  });
}
