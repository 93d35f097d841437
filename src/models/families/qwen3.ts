/**
 * Qwen 3 (dense): a Llama with an RMS norm of each head of queries and keys, and windows as Qwen 2. Maths as in
 * transformers' modeling_qwen3.
 */
import { z } from 'zod';
import { add } from '../../graph/build.ts';
import { biasField, decoderFields, headsOf, size } from '../decoderConfig.ts';
import type { GgufFamily } from '../family.ts';
import { rmsGguf } from '../ggufDecoder.ts';
import { rmsDecoder } from '../rmsDecoder.ts';
import { ropeOf } from '../rope.ts';
import { qwenWindowFields, qwenWindows } from './qwenWindows.ts';

const fields = z.object({
  ...decoderFields,
  ...qwenWindowFields,
  num_key_value_heads: size.nullable().default(32),
  head_dim: size.default(128),
  max_position_embeddings: size.default(32768),
  hidden_act: z.enum(['silu', 'swish']).default('silu'),
  attention_bias: biasField,
});

const config = fields.transform((c, issues) => ({
  ...c,
  heads: headsOf(c, issues),
  rope: ropeOf(c, issues),
  windows: qwenWindows(c, issues),
}));

export const qwen3: GgufFamily = {
  modelType: 'qwen3',
  keys: { applied: Object.keys(fields.shape) },
  decoder(given) {
    const c = config.parse(given);
    return rmsDecoder('qwen3', c, {
      block({ layer, norm, attention, mlp }, x) {
        const h = add(
          x,
          attention(norm(x, 'input_layernorm'), {
            bias: c.attention_bias,
            queryKeyNorm: 'each head',
            window: c.windows[layer],
          }),
        );
        return add(h, mlp(norm(h, 'post_attention_layernorm')));
      },
    });
  },
  gguf: rmsGguf({
    architecture: 'qwen3',
    parse: config.parse,
    block: { attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm' },
  }),
};
