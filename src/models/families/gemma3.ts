/**
 * Gemma 3, its text model: norms of queries and keys, windows in five of six layers, and a base of rotary positions
 * for each of the two kinds. Maths as in transformers' modeling_gemma3; `attn_logit_softcapping` stands in its configs
 * and is not used there, so a value is refused.
 */
import { z } from 'zod';
import { capped } from '../attention.ts';
import { headsOf, size, windowsOf } from '../decoderConfig.ts';
import type { GgufFamily } from '../family.ts';
import { rmsGguf } from '../ggufDecoder.ts';
import { rmsDecoder } from '../rmsDecoder.ts';
import { ropeOf } from '../rope.ts';
import { gemmaBlock, gemmaFields, gemmaParts, gemmaWithoutEffect, withoutOne } from './gemma.ts';

const parameters = z.record(z.string(), z.unknown()).nullish();

const fields = z.object({
  ...gemmaFields,
  vocab_size: size.default(262_208),
  max_position_embeddings: size.default(131_072),
  rope_parameters: z.strictObject({ full_attention: parameters, sliding_attention: parameters }).nullish(),
  rope_local_base_freq: z.number().positive().nullish(),
  sliding_window_pattern: size.nullish(),
  _sliding_window_pattern: size.nullish(),
});
type Fields = z.output<typeof fields>;

/** The positions of layers that see all; a `rope_scaling` is for them alone. */
const globalRope = (c: Fields, issues: z.RefinementCtx) =>
  ropeOf(
    {
      ...c,
      rope_parameters: { ...c.rope_parameters?.full_attention, ...c.rope_scaling },
      rope_scaling: null,
    },
    issues,
    { theta: 1_000_000 },
  );

const localRope = (c: Fields, issues: z.RefinementCtx) =>
  ropeOf(
    {
      ...c,
      rope_parameters: c.rope_parameters?.sliding_attention,
      rope_scaling: null,
      rope_theta: c.rope_local_base_freq,
    },
    issues,
  );

const config = fields.transform((c, issues) => {
  const every = c.sliding_window_pattern ?? c._sliding_window_pattern ?? 6;
  return {
    ...c,
    heads: headsOf(c, issues),
    rope: globalRope(c, issues),
    localRope: localRope(c, issues),
    windows: windowsOf(c, (layer) => (layer + 1) % every !== 0, issues),
  };
});

/** The windows of a GGUF: each n-th layer has none, or a flag for each layer says so. */
function ggufPattern(pattern: unknown): Record<string, unknown> {
  if (pattern === undefined) return {};
  if (!Array.isArray(pattern) && !ArrayBuffer.isView(pattern))
    return { sliding_window_pattern: Number(pattern) };
  const flags = Array.from(pattern as ArrayLike<unknown>);
  return { layer_types: flags.map((slides) => (slides ? 'sliding_attention' : 'full_attention')) };
}

/** Models of pictures and text hold the text's tensors under a prefix, which older files put first. */
function textPart(name: string): string | undefined {
  if (/^(model\.)?(vision_tower|multi_modal_projector)\./.test(name)) return undefined;
  return name.replace(/^language_model\./, '').replace(/^model\.language_model\./, 'model.');
}

export const gemma3: GgufFamily = {
  modelType: 'gemma3_text',
  within: 'gemma3',
  publishedName: textPart,
  keys: { applied: Object.keys(fields.shape), withoutEffect: gemmaWithoutEffect },
  decoder(given) {
    const c = config.parse(given);
    return rmsDecoder('gemma3', c, {
      ...gemmaParts(c, (layer) => ({
        bias: c.attention_bias,
        queryKeyNorm: 'each head',
        scale: c.query_pre_attn_scalar ** -0.5,
        window: c.windows[layer],
        rope: c.windows[layer] === undefined ? c.rope : c.localRope,
      })),
      logits: (products) => capped(products, c.final_logit_softcapping),
    });
  },
  gguf: rmsGguf({
    architecture: 'gemma3',
    parse: config.parse,
    block: gemmaBlock,
    restore: withoutOne,
    applied: [
      'attention.sliding_window',
      'attention.sliding_window_pattern',
      'rope.freq_base_swa',
      'final_logit_softcapping',
    ],
    config: (read, _, width) => ({
      sliding_window: read.number('attention.sliding_window'),
      ...ggufPattern(read.get('attention.sliding_window_pattern')),
      rope_theta: read.number('rope.freq_base', 1_000_000),
      rope_local_base_freq: read.number('rope.freq_base_swa', 10_000),
      final_logit_softcapping: read.number('final_logit_softcapping', 0) || null,
      // llama.cpp knows the 27B model by its blocks; the metadata do not say the scale.
      query_pre_attn_scalar:
        read.number('block_count') === 62
          ? read.number('embedding_length') / read.number('attention.head_count')
          : width,
    }),
    compared: (c) => ({
      sliding_window: c.sliding_window,
      final_logit_softcapping: c.final_logit_softcapping,
      query_pre_attn_scalar: c.query_pre_attn_scalar,
      rope_local_base_freq: c.localRope.theta,
    }),
  }),
};
