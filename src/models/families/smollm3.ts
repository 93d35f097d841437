/**
 * SmolLM3: a Llama some of whose layers know no positions. Maths as in transformers' modeling_smollm3. llama.cpp
 * knows the layers of one interval only, every fourth.
 */
import { z } from 'zod';
import { add } from '../../graph/build.ts';
import { biasField, decoderFields, headsOf, size, windowFields, windowsOf } from '../decoderConfig.ts';
import type { GgufFamily } from '../family.ts';
import { permutedRows, rmsGguf } from '../ggufDecoder.ts';
import { rmsDecoder } from '../rmsDecoder.ts';
import { ropeOf } from '../rope.ts';

const fields = z.object({
  ...decoderFields,
  ...windowFields,
  num_key_value_heads: size.nullable().default(4),
  max_position_embeddings: size.default(32768),
  tie_word_embeddings: z.boolean().default(true),
  hidden_act: z.enum(['silu', 'swish']).default('silu'),
  attention_bias: biasField,
  mlp_bias: biasField,
  use_sliding_window: z.boolean().default(false),
  no_rope_layers: z.array(z.number()).nullish(),
  no_rope_layer_interval: size.default(4),
});
type Fields = z.output<typeof fields>;

/** Whether a layer's queries and keys are turned. */
const isTurned = (c: Fields, layer: number): boolean =>
  c.no_rope_layers ? c.no_rope_layers[layer] !== 0 : (layer + 1) % c.no_rope_layer_interval !== 0;

function windows(c: Fields, issues: z.RefinementCtx) {
  const sliding_window = c.use_sliding_window ? c.sliding_window : null;
  return windowsOf({ ...c, sliding_window }, (layer) => !!sliding_window && !isTurned(c, layer), issues);
}

const config = fields
  .refine((c) => !c.no_rope_layers || c.no_rope_layers.length >= c.num_hidden_layers, {
    path: ['no_rope_layers'],
    message: 'expected one for each layer',
  })
  .transform((c, issues) => ({
    ...c,
    heads: headsOf(c, issues),
    rope: ropeOf(c, issues, { theta: 2_000_000 }),
    windows: windows(c, issues),
  }));

export const smollm3: GgufFamily = {
  modelType: 'smollm3',
  keys: { applied: Object.keys(fields.shape) },
  decoder(given) {
    const c = config.parse(given);
    return rmsDecoder('smollm3', c, {
      block({ layer, norm, attention, mlp }, x) {
        const options = {
          bias: c.attention_bias,
          window: c.windows[layer],
          rope: isTurned(c, layer) ? c.rope : null,
        };
        const h = add(x, attention(norm(x, 'input_layernorm'), options));
        return add(h, mlp(norm(h, 'post_attention_layernorm'), { bias: c.mlp_bias }));
      },
    });
  },
  gguf: rmsGguf({
    architecture: 'smollm3',
    parse: config.parse,
    restore: permutedRows,
    compared: (c) => ({
      no_rope_layers: Number(
        Array.from({ length: Math.min(c.num_hidden_layers, 52) }, (_, i) => (isTurned(c, i) ? 1 : 2)).join(
          '',
        ),
      ),
    }),
  }),
};
