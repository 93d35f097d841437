/**
 * OLMo 2: norms after attention and MLP instead of before, and of all heads of queries or keys as one. Maths as in
 * transformers' modeling_olmo2.
 */
import { z } from 'zod';
import { add } from '../../graph/build.ts';
import { biasField, decoderFields, headsOf } from '../decoderConfig.ts';
import type { GgufFamily } from '../family.ts';
import { rmsGguf } from '../ggufDecoder.ts';
import { rmsDecoder } from '../rmsDecoder.ts';
import { ropeOf } from '../rope.ts';

const fields = z.object({
  ...decoderFields,
  rms_norm_eps: z.number().positive().default(1e-5),
  hidden_act: z.enum(['silu', 'swish']).default('silu'),
  attention_bias: biasField,
});

const config = fields.transform((c, issues) => ({
  ...c,
  heads: headsOf(c, issues),
  rope: ropeOf(c, issues),
}));

export const olmo2: GgufFamily = {
  modelType: 'olmo2',
  keys: { applied: Object.keys(fields.shape) },
  decoder(given) {
    const c = config.parse(given);
    return rmsDecoder('olmo2', c, {
      block({ norm, attention, mlp }, x) {
        const attended = attention(x, { bias: c.attention_bias, queryKeyNorm: 'all heads' });
        const h = add(x, norm(attended, 'post_attention_layernorm'));
        return add(h, norm(mlp(h), 'post_feedforward_layernorm'));
      },
    });
  },
  gguf: rmsGguf({
    architecture: 'olmo2',
    parse: config.parse,
    block: {
      attn_q_norm: 'self_attn.q_norm',
      attn_k_norm: 'self_attn.k_norm',
      post_attention_norm: 'post_attention_layernorm',
      post_ffw_norm: 'post_feedforward_layernorm',
    },
  }),
};
