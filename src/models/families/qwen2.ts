/**
 * Qwen 2 and 2.5: a Llama with biases of queries, keys and values, and windows in its upper layers where
 * `use_sliding_window` says so. Maths as in transformers' modeling_qwen2.
 */
import { z } from 'zod';
import { add } from '../../graph/build.ts';
import { decoderFields, headsOf, size } from '../decoderConfig.ts';
import type { GgufFamily } from '../family.ts';
import { rmsGguf } from '../ggufDecoder.ts';
import { rmsDecoder } from '../rmsDecoder.ts';
import { ropeOf } from '../rope.ts';
import { qwenWindowFields, qwenWindows } from './qwenWindows.ts';

const fields = z.object({
  ...decoderFields,
  ...qwenWindowFields,
  num_key_value_heads: size.nullable().default(32),
  max_position_embeddings: size.default(32768),
  hidden_act: z.enum(['silu', 'swish']).default('silu'),
});

const config = fields.transform((c, issues) => ({
  ...c,
  heads: headsOf(c, issues),
  rope: ropeOf(c, issues),
  windows: qwenWindows(c, issues),
}));

export const qwen2: GgufFamily = {
  modelType: 'qwen2',
  keys: { applied: Object.keys(fields.shape) },
  decoder(given) {
    const c = config.parse(given);
    return rmsDecoder('qwen2', c, {
      block({ layer, norm, attention, mlp }, x) {
        const options = { bias: true, outputBias: false, window: c.windows[layer] };
        const h = add(x, attention(norm(x, 'input_layernorm'), options));
        return add(h, mlp(norm(h, 'post_attention_layernorm')));
      },
    });
  },
  gguf: rmsGguf({ architecture: 'qwen2', parse: config.parse }),
};
