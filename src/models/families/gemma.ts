/** What Gemma 2 and 3 have in common: norms before and after, norms' weights less 1, scaled embeddings. */
import { z } from 'zod';
import { add, scalar } from '../../graph/build.ts';
import type { Node } from '../../graph/node.ts';
import type { Activation } from '../activations.ts';
import { biasField, decoderFields, size, windowFields } from '../decoderConfig.ts';
import type { Renamed } from '../family.ts';
import type { AttentionOptions, RmsConfig, RmsParts } from '../rmsDecoder.ts';

const cap = z.number().positive().nullable();

/** Fields with transformers' defaults, on which published files rely. */
export const gemmaFields = {
  ...decoderFields,
  ...windowFields,
  hidden_size: size.default(2304),
  intermediate_size: size.default(9216),
  num_hidden_layers: size.default(26),
  num_attention_heads: size.default(8),
  num_key_value_heads: size.nullable().default(4),
  head_dim: size.default(256),
  tie_word_embeddings: z.boolean().default(true),
  hidden_activation: z
    .enum(['gelu_pytorch_tanh', 'gelu', 'silu'])
    .nullish()
    .transform((said) => said ?? 'gelu_pytorch_tanh'),
  sliding_window: size.nullable().default(4096),
  query_pre_attn_scalar: z.number().positive().default(256),
  attention_bias: biasField,
  final_logit_softcapping: cap.default(null),
};

/** Stands beside `hidden_activation`, which counts. */
export const gemmaWithoutEffect = ['hidden_act'];

interface GemmaConfig extends RmsConfig {
  readonly hidden_activation: Activation;
}

/** x + norm(attention(norm x)), then the same with the MLP. */
export function gemmaParts(
  c: GemmaConfig,
  options: (layer: number) => AttentionOptions,
): Pick<RmsParts, 'block' | 'gain' | 'embeddingScale'> {
  return {
    gain: (weight: Node) => add(weight, scalar(1)),
    embeddingScale: Math.sqrt(c.hidden_size),
    block({ layer, norm, attention, mlp }, x) {
      const attended = attention(norm(x, 'input_layernorm'), options(layer));
      const h = add(x, norm(attended, 'post_attention_layernorm'));
      const fed = mlp(norm(h, 'pre_feedforward_layernorm'), { activation: c.hidden_activation });
      return add(h, norm(fed, 'post_feedforward_layernorm'));
    },
  };
}

/** Names of a GGUF's tensors. */
export const gemmaBlock = {
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  post_attention_norm: 'post_attention_layernorm',
  ffn_norm: 'pre_feedforward_layernorm',
  post_ffw_norm: 'post_feedforward_layernorm',
};

/** llama.cpp's converter adds the 1 to norms' weights. */
export const withoutOne = (part: string): Omit<Renamed, 'target'> =>
  part.endsWith('norm') ? { offset: -1 } : {};
