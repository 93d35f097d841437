/**
 * Gemma 2: attention scores and logits within bounds, a scale of queries of its own, windows in every other layer.
 * Maths as in transformers' modeling_gemma2.
 */
import { z } from 'zod';
import { capped } from '../attention.ts';
import { headsOf, size, windowsOf } from '../decoderConfig.ts';
import type { GgufFamily } from '../family.ts';
import { rmsGguf } from '../ggufDecoder.ts';
import { rmsDecoder } from '../rmsDecoder.ts';
import { ropeOf } from '../rope.ts';
import { gemmaBlock, gemmaFields, gemmaParts, gemmaWithoutEffect, withoutOne } from './gemma.ts';

const cap = z.number().positive().nullable();

const fields = z.object({
  ...gemmaFields,
  vocab_size: size.default(256_000),
  max_position_embeddings: size.default(8192),
  attn_logit_softcapping: cap.default(50),
  final_logit_softcapping: cap.default(30),
});

const config = fields.transform((c, issues) => ({
  ...c,
  heads: headsOf(c, issues),
  rope: ropeOf(c, issues),
  windows: windowsOf(c, (layer) => layer % 2 === 0, issues),
}));

export const gemma2: GgufFamily = {
  modelType: 'gemma2',
  keys: { applied: Object.keys(fields.shape), withoutEffect: gemmaWithoutEffect },
  decoder(given) {
    const c = config.parse(given);
    return rmsDecoder('gemma2', c, {
      ...gemmaParts(c, (layer) => ({
        bias: c.attention_bias,
        scale: c.query_pre_attn_scalar ** -0.5,
        cap: c.attn_logit_softcapping ?? undefined,
        window: c.windows[layer],
      })),
      logits: (products) => capped(products, c.final_logit_softcapping),
    });
  },
  gguf: rmsGguf({
    architecture: 'gemma2',
    parse: config.parse,
    block: gemmaBlock,
    restore: withoutOne,
    applied: ['attn_logit_softcapping', 'final_logit_softcapping', 'attention.sliding_window'],
    config: (read, _, width) => ({
      attn_logit_softcapping: read.number('attn_logit_softcapping', 50),
      final_logit_softcapping: read.number('final_logit_softcapping', 30),
      sliding_window: read.number('attention.sliding_window', 4096),
      // llama.cpp knows the 27B model by its blocks; the metadata do not say the scale.
      query_pre_attn_scalar:
        read.number('block_count') === 46
          ? read.number('embedding_length') / read.number('attention.head_count')
          : width,
    }),
    compared: (c) => ({
      attn_logit_softcapping: c.attn_logit_softcapping,
      final_logit_softcapping: c.final_logit_softcapping,
      sliding_window: c.sliding_window,
      query_pre_attn_scalar: c.query_pre_attn_scalar,
    }),
  }),
};
