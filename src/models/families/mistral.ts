/**
 * Mistral: a Llama without biases whose tokens see a window. Maths as in transformers' modeling_mistral. llama.cpp
 * writes its files as those of a Llama.
 */
import { z } from 'zod';
import { add } from '../../graph/build.ts';
import { decoderFields, headsOf, size } from '../decoderConfig.ts';
import type { Family } from '../family.ts';
import { rmsDecoder } from '../rmsDecoder.ts';
import { ropeOf } from '../rope.ts';

const fields = z.object({
  ...decoderFields,
  num_key_value_heads: size.nullable().default(8),
  max_position_embeddings: size.default(131072),
  hidden_act: z.enum(['silu', 'swish']).default('silu'),
  sliding_window: size.nullable().default(4096),
});

const config = fields.transform((c, issues) => ({
  ...c,
  heads: headsOf(c, issues),
  rope: ropeOf(c, issues),
}));

export const mistral: Family = {
  modelType: 'mistral',
  keys: { applied: Object.keys(fields.shape) },
  decoder(given) {
    const c = config.parse(given);
    const window = c.sliding_window ?? undefined;
    return rmsDecoder('mistral', c, {
      block({ norm, attention, mlp }, x) {
        const h = add(x, attention(norm(x, 'input_layernorm'), { window }));
        return add(h, mlp(norm(h, 'post_attention_layernorm')));
      },
    });
  },
};
