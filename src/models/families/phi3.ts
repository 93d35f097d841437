/**
 * Phi 3, 3.5 and 4 (dense): a Llama whose query, key and value stand in one matrix, as do gate and up. Maths as in
 * transformers' modeling_phi3. With longrope sequences go up to the length before, where short factors hold.
 */
import { z } from 'zod';
import { add, mul, silu, slice } from '../../graph/build.ts';
import type { Node } from '../../graph/node.ts';
import { decoderFields, headsOf, size } from '../decoderConfig.ts';
import type { GgufFamily } from '../family.ts';
import { ggufScaling, rmsGguf } from '../ggufDecoder.ts';
import { rmsDecoder } from '../rmsDecoder.ts';
import { pairsExpected, ropeOf, turnedWidth, turnsPairs } from '../rope.ts';

/** Old files call longrope `su` or `yarn`, and transformers reads them so in this family alone. */
const parameters = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((given) => {
    const { type, rope_type = type, ...rest } = given ?? {};
    if (!given || rope_type === undefined) return given;
    return { ...rest, rope_type: rope_type === 'su' || rope_type === 'yarn' ? 'longrope' : rope_type };
  });

const fields = z.object({
  ...decoderFields,
  rms_norm_eps: z.number().positive().default(1e-5),
  max_position_embeddings: size.default(4096),
  original_max_position_embeddings: size.default(4096),
  rope_scaling: parameters,
  rope_parameters: parameters,
  partial_rotary_factor: z.number().positive().max(1).default(1),
  hidden_act: z.enum(['silu', 'swish']).default('silu'),
  sliding_window: size.nullish(),
});

const config = fields
  .transform((c, issues) => ({
    ...c,
    heads: headsOf(c, issues),
    rope: ropeOf(c, issues, { share: c.partial_rotary_factor }),
  }))
  .refine(turnsPairs, pairsExpected)
  .refine(({ rope }) => ['default', 'longrope', 'factors'].includes(rope.scaling.rope_type), {
    path: ['rope_scaling'],
    message: 'expected default or longrope',
  })
  .refine(
    ({ rope, heads }) => {
      const turned = turnedWidth(heads, rope) / 2;
      return rope.scaling.rope_type !== 'longrope' || rope.scaling.short_factor.length === turned;
    },
    { path: ['rope_scaling', 'short_factor'], message: 'expected one for each pair of turned elements' },
  );

/** Columns [from, to) of x. */
const columns = (x: Node, from: number, to: number) => slice(x, 1, from, to);

export const phi3: GgufFamily = {
  modelType: 'phi3',
  keys: {
    applied: Object.keys(fields.shape),
    refused: {
      full_attn_mod: { means: 'attention other than full in some layers', unless: [1] },
      interpolate_factor: { means: 'another scale of rotary positions', unless: [1] },
    },
  },
  decoder(given) {
    const c = config.parse(given);
    const [d, inner] = [c.hidden_size, c.intermediate_size];
    const [q, kv] = [c.heads.query * c.heads.width, c.heads.keyValue * c.heads.width];
    return rmsDecoder('phi3', c, {
      block({ at, scope, norm, attentionOver }, x) {
        const qkv = scope.linear(
          norm(x, 'input_layernorm'),
          `${at}.self_attn.qkv_proj`,
          d,
          q + 2 * kv,
          false,
        );
        const attended = attentionOver(
          {
            query: columns(qkv, 0, q),
            key: columns(qkv, q, q + kv),
            value: columns(qkv, q + kv, q + 2 * kv),
          },
          { window: c.sliding_window ?? undefined },
        );
        const h = add(x, attended);
        const n = norm(h, 'post_attention_layernorm');
        const both = scope.linear(n, `${at}.mlp.gate_up_proj`, d, 2 * inner, false);
        const fed = mul(silu(columns(both, 0, inner)), columns(both, inner, 2 * inner));
        return add(h, scope.linear(fed, `${at}.mlp.down_proj`, inner, d, false));
      },
    });
  },
  gguf: rmsGguf({
    architecture: 'phi3',
    parse: config.parse,
    block: { attn_qkv: 'self_attn.qkv_proj', ffn_up: 'mlp.gate_up_proj' },
    outer: { rope_factors_short: 'rope_freqs', rope_factors_long: 'rope_factors_long' },
    applied: ['attention.sliding_window', 'rope.scaling.attn_factor'],
    partial: true,
    config(read, tensors, width) {
      const long = tensors.has('rope_factors_short.weight');
      const context = read.number('context_length', 4096);
      const original = read.number('rope.scaling.original_context_length', context);
      return {
        rope_scaling: long
          ? { rope_type: 'factors', attention_factor: read.number('rope.scaling.attn_factor', 1) }
          : ggufScaling(read, 'phi3', false),
        max_position_embeddings: long ? Math.min(context, original) : context,
        original_max_position_embeddings: original,
        partial_rotary_factor: read.number('rope.dimension_count', width) / width,
        sliding_window: read.number('attention.sliding_window', 0) || null,
      };
    },
    compared: (c) => ({ sliding_window: c.sliding_window, partial_rotary_factor: c.rope.share }),
  }),
};
