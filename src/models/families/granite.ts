/**
 * Granite 3 (dense): a Llama whose embeddings, attention scores, additions to the residual stream and logits are
 * scaled. Maths as in transformers' modeling_granite.
 */
import { z } from 'zod';
import { add, scale } from '../../graph/build.ts';
import { biasField, decoderFields, headsOf } from '../decoderConfig.ts';
import type { GgufFamily } from '../family.ts';
import { permutedRows, rmsGguf } from '../ggufDecoder.ts';
import { rmsDecoder } from '../rmsDecoder.ts';
import { ropeOf } from '../rope.ts';

const factor = z.number().positive().default(1);

const fields = z.object({
  ...decoderFields,
  hidden_act: z.enum(['silu', 'swish']).default('silu'),
  attention_bias: biasField,
  mlp_bias: biasField,
  embedding_multiplier: factor,
  residual_multiplier: factor,
  attention_multiplier: factor,
  logits_scaling: factor,
});

const config = fields.transform((c, issues) => ({
  ...c,
  heads: headsOf(c, issues),
  rope: ropeOf(c, issues),
}));

export const granite: GgufFamily = {
  modelType: 'granite',
  keys: { applied: Object.keys(fields.shape) },
  decoder(given) {
    const c = config.parse(given);
    return rmsDecoder('granite', c, {
      embeddingScale: c.embedding_multiplier,
      block({ norm, attention, mlp }, x) {
        const options = { bias: c.attention_bias, scale: c.attention_multiplier };
        const attended = attention(norm(x, 'input_layernorm'), options);
        const h = add(x, scale(attended, c.residual_multiplier));
        const fed = mlp(norm(h, 'post_attention_layernorm'), { bias: c.mlp_bias });
        return add(h, scale(fed, c.residual_multiplier));
      },
      logits: (products) => scale(products, 1 / c.logits_scaling),
    });
  },
  gguf: rmsGguf({
    architecture: 'granite',
    parse: config.parse,
    restore: permutedRows,
    applied: ['attention.scale', 'embedding_scale', 'residual_scale', 'logit_scale'],
    config: (read, _, width) => ({
      attention_multiplier: read.number('attention.scale', 0) || width ** -0.5,
      embedding_multiplier: read.number('embedding_scale', 0) || 1,
      residual_multiplier: read.number('residual_scale', 0) || 1,
      logits_scaling: read.number('logit_scale', 0) || 1,
    }),
    compared: (c) => ({
      attention_multiplier: c.attention_multiplier,
      embedding_multiplier: c.embedding_multiplier,
      residual_multiplier: c.residual_multiplier,
      logits_scaling: c.logits_scaling,
    }),
  }),
};
