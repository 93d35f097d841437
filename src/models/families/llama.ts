/**
 * Llama (1 to 3, SmolLM, TinyLlama, ...): RMS norms, rotary grouped-query attention, gated SiLU MLP. Maths as in
 * transformers' modeling_llama.
 */
import { z } from 'zod';
import { add } from '../../graph/build.ts';
import { biasField, decoderFields, headsOf } from '../decoderConfig.ts';
import type { GgufFamily } from '../family.ts';
import { permutedRows, rmsGguf } from '../ggufDecoder.ts';
import { rmsDecoder } from '../rmsDecoder.ts';
import { ropeOf } from '../rope.ts';

const fields = z.object({
  ...decoderFields,
  hidden_act: z.enum(['silu', 'swish']).default('silu'),
  attention_bias: biasField,
  mlp_bias: biasField,
});

const config = fields.transform((c, issues) => ({
  ...c,
  heads: headsOf(c, issues),
  rope: ropeOf(c, issues),
}));

export const llama: GgufFamily = {
  modelType: 'llama',
  keys: { applied: Object.keys(fields.shape) },
  decoder(given) {
    const c = config.parse(given);
    return rmsDecoder('llama', c, {
      block({ norm, attention, mlp }, x) {
        const h = add(x, attention(norm(x, 'input_layernorm'), { bias: c.attention_bias }));
        return add(h, mlp(norm(h, 'post_attention_layernorm'), { bias: c.mlp_bias }));
      },
    });
  },
  gguf: rmsGguf({ architecture: 'llama', parse: config.parse, restore: permutedRows }),
};
