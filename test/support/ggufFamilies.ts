/**
 * A fixture as llama.cpp's converter would write it (convert_hf_to_gguf.py and gguf-py's tensor_mapping.py): names,
 * permuted rows, norms with 1 added, transposed matrices, metadata. Stated apart from src/models, which undoes it.
 */
import type { Tensor } from '../../src/tensor.ts';
import { toFloat32 } from '../../src/tensor.ts';
import { entry, floatTensor, ggufBytes, type TestTensor, text, u32, valueTypes } from './ggufWriter.ts';

type Config = Readonly<Record<string, unknown>>;
type Value = number | boolean | string;

interface Written {
  readonly architecture: string;
  /** what holds the blocks */
  readonly container: string;
  /** part of a GGUF's name by a module's */
  readonly parts: Readonly<Record<string, string>>;
  readonly metadata: (c: Config) => Readonly<Record<string, Value>>;
  readonly change?: (
    module: string,
    values: Float32Array,
    shape: readonly number[],
    c: Config,
  ) => Changed | undefined;
}

interface Changed {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

const n = (c: Config, key: string) => Number(c[key]);

/** Rows [heads, 2, half] as [heads, half, 2]: LlamaModel.permute. */
function permuted(values: Float32Array, shape: readonly number[], heads: number): Changed {
  const row = shape.slice(1).reduce((a, b) => a * b, 1);
  const half = shape[0]! / heads / 2;
  const out = new Float32Array(values.length);
  for (let h = 0; h < heads; h++)
    for (let side = 0; side < 2; side++)
      for (let i = 0; i < half; i++) {
        const from = (h * 2 * half + side * half + i) * row;
        out.set(values.subarray(from, from + row), (h * 2 * half + 2 * i + side) * row);
      }
  return { values: out, shape };
}

const permutes: Written['change'] = (module, values, shape, c) => {
  if (module.endsWith('q_proj')) return permuted(values, shape, n(c, 'num_attention_heads'));
  return module.endsWith('k_proj') ? permuted(values, shape, n(c, 'num_key_value_heads')) : undefined;
};

const plusOne: Written['change'] = (module, values, shape) =>
  module.endsWith('norm') ? { values: values.map((x) => x + 1), shape } : undefined;

/** Conv1D [inputs, outputs] as [outputs, inputs]. */
const transposes: Written['change'] = (module, values, shape) => {
  if (!/(c_attn|c_proj|c_fc)$/.test(module) || shape.length < 2) return undefined;
  const [rows, columns] = shape as [number, number];
  return {
    values: values.map((_, at) => values[(at % rows) * columns + Math.floor(at / rows)]!),
    shape: [columns, rows],
  };
};

/** Rows [heads, 3, h] as [3, heads, h]. */
const byKind: Written['change'] = (module, values, shape, c) => {
  if (!module.endsWith('query_key_value')) return undefined;
  const heads = n(c, 'num_attention_heads');
  const part = values.length / heads / 3;
  const out = new Float32Array(values.length);
  for (let h = 0; h < heads; h++)
    for (let kind = 0; kind < 3; kind++)
      out.set(values.subarray((h * 3 + kind) * part, (h * 3 + kind + 1) * part), (kind * heads + h) * part);
  return { values: out, shape };
};

const modern = {
  'model.embed_tokens': 'token_embd',
  'model.norm': 'output_norm',
  lm_head: 'output',
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

const postNorms = {
  post_attention_layernorm: 'post_attention_norm',
  pre_feedforward_layernorm: 'ffn_norm',
  post_feedforward_layernorm: 'post_ffw_norm',
};

const rope = (c: Config) => (c.rope_parameters ?? {}) as { rope_theta?: number };

const sizes = (c: Config): Record<string, Value> => ({
  context_length: n(c, 'max_position_embeddings'),
  embedding_length: n(c, 'hidden_size'),
  block_count: n(c, 'num_hidden_layers'),
  feed_forward_length: n(c, 'intermediate_size'),
  'attention.head_count': n(c, 'num_attention_heads'),
});

const common = (c: Config): Record<string, Value> => ({
  ...sizes(c),
  'attention.head_count_kv': n(c, 'num_key_value_heads'),
  'attention.layer_norm_rms_epsilon': n(c, 'rms_norm_eps'),
  ...(rope(c).rope_theta !== undefined && { 'rope.freq_base': rope(c).rope_theta! }),
  ...(c.head_dim !== undefined && {
    'attention.key_length': n(c, 'head_dim'),
    'attention.value_length': n(c, 'head_dim'),
  }),
});

const ofModern = (architecture: string, more: Partial<Written> = {}): Written => ({
  architecture,
  container: 'model.layers',
  parts: modern,
  metadata: common,
  ...more,
});

/** By the fixture's name. */
export const ggufWritten = {
  llama: ofModern('llama', { change: permutes }),
  mistral: ofModern('llama', { change: permutes }),
  qwen2: ofModern('qwen2'),
  qwen3: ofModern('qwen3'),
  smollm3: ofModern('smollm3', { change: permutes }),
  granite: ofModern('granite', {
    change: permutes,
    metadata: (c) => ({
      ...common(c),
      'attention.scale': n(c, 'attention_multiplier'),
      embedding_scale: n(c, 'embedding_multiplier'),
      residual_scale: n(c, 'residual_multiplier'),
      logit_scale: n(c, 'logits_scaling'),
    }),
  }),
  olmo2: ofModern('olmo2', {
    parts: { ...modern, ...postNorms },
  }),
  gemma2: ofModern('gemma2', {
    parts: { ...modern, ...postNorms },
    change: plusOne,
    metadata: (c) => ({
      ...common(c),
      attn_logit_softcapping: n(c, 'attn_logit_softcapping'),
      final_logit_softcapping: n(c, 'final_logit_softcapping'),
      'attention.sliding_window': n(c, 'sliding_window'),
    }),
  }),
  gemma3: ofModern('gemma3', {
    parts: { ...modern, ...postNorms },
    change: plusOne,
    metadata: (c) => ({
      ...common(c),
      'rope.freq_base': 1e6,
      'rope.freq_base_swa': 1e4,
      'attention.sliding_window': n(c, 'sliding_window'),
      'attention.sliding_window_pattern': 2,
    }),
  }),
  phi3: ofModern('phi3', {
    parts: { ...modern, 'self_attn.qkv_proj': 'attn_qkv', 'mlp.gate_up_proj': 'ffn_up' },
    metadata: (c) => ({
      ...common(c),
      'rope.dimension_count': n(c, 'hidden_size') / n(c, 'num_attention_heads'),
    }),
  }),
  gpt2: {
    architecture: 'gpt2',
    container: 'transformer.h',
    parts: {
      'transformer.wte': 'token_embd',
      'transformer.wpe': 'position_embd',
      'transformer.ln_f': 'output_norm',
      ln_1: 'attn_norm',
      'attn.c_attn': 'attn_qkv',
      'attn.c_proj': 'attn_output',
      ln_2: 'ffn_norm',
      'mlp.c_fc': 'ffn_up',
      'mlp.c_proj': 'ffn_down',
    },
    metadata: (c) => ({
      context_length: n(c, 'n_positions'),
      embedding_length: n(c, 'n_embd'),
      block_count: n(c, 'n_layer'),
      feed_forward_length: 4 * n(c, 'n_embd'),
      'attention.head_count': n(c, 'n_head'),
      'attention.layer_norm_epsilon': n(c, 'layer_norm_epsilon'),
    }),
    change: transposes,
  },
  gpt_neox: {
    architecture: 'gptneox',
    container: 'gpt_neox.layers',
    parts: {
      'gpt_neox.embed_in': 'token_embd',
      'gpt_neox.final_layer_norm': 'output_norm',
      embed_out: 'output',
      input_layernorm: 'attn_norm',
      'attention.query_key_value': 'attn_qkv',
      'attention.dense': 'attn_output',
      post_attention_layernorm: 'ffn_norm',
      'mlp.dense_h_to_4h': 'ffn_up',
      'mlp.dense_4h_to_h': 'ffn_down',
    },
    metadata: (c) => ({
      ...sizes(c),
      'attention.layer_norm_epsilon': n(c, 'layer_norm_eps'),
      'rope.dimension_count': 2,
      use_parallel_residual: c.use_parallel_residual === true,
    }),
    change: byKind,
  },
} as const satisfies Record<string, Written>;

function tensorOf(name: string, tensor: Tensor, w: Written, c: Config): TestTensor {
  const [, module, kind] = /^(.+)\.(weight|bias)$/.exec(name)!;
  const inBlock = new RegExp(`^${w.container}\\.(\\d+)\\.(.+)$`).exec(module!);
  const part = w.parts[inBlock ? inBlock[2]! : module!];
  if (part === undefined) throw new Error(`${name}: no part of a ${w.architecture}`);
  const target = inBlock ? `blk.${inBlock[1]}.${part}.${kind}` : `${part}.${kind}`;
  const plain = { values: toFloat32(tensor), shape: tensor.shape };
  const { values, shape } = w.change?.(module!, plain.values, plain.shape, c) ?? plain;
  return floatTensor(target, shape, [...values]);
}

function encoded(key: string, value: Value): Buffer {
  if (typeof value === 'string') return entry(key, valueTypes.string, text(value));
  if (typeof value === 'boolean') return entry(key, valueTypes.bool, Uint8Array.of(Number(value)));
  if (Number.isInteger(value)) return entry(key, valueTypes.u32, u32(value));
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return entry(key, valueTypes.f32, bytes);
}

/** The bytes of the file; `more` metadata by the ends of their keys, and tensors besides. */
export function fixtureAsGguf(
  w: Written,
  weights: ReadonlyMap<string, Tensor>,
  config: Config,
  more: Readonly<Record<string, Value>> = {},
  besides: readonly TestTensor[] = [],
): Buffer {
  const keys = Object.entries({ ...w.metadata(config), ...more });
  return ggufBytes({
    metadata: [
      encoded('general.architecture', w.architecture),
      ...keys.map(([key, value]) => encoded(`${w.architecture}.${key}`, value)),
    ],
    tensors: [...[...weights].map(([name, tensor]) => tensorOf(name, tensor, w, config)), ...besides],
  });
}
