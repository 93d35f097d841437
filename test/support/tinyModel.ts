/**
 * A small llama with seeded random weights in memory: every part that a published one has (grouped query
 * heads, a head width of its own, tied or untied unembedding, any rope scaling, biases), at a size where
 * slow checks are quick.
 */
import type { Model } from '../../src/models/decoder.ts';
import { decoderOf } from '../../src/models/families.ts';
import { f32, sizeOf, type Tensor } from '../../src/tensor.ts';
import { type Draw, draw } from './opCases.ts';

export interface TinyOptions {
  readonly seed?: number;
  readonly tied?: boolean;
  /** biases on every linear module */
  readonly biases?: boolean;
  /** fields of config.json laid over the default ones */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface TinyConfig extends Record<string, unknown> {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly rms_norm_eps: number;
  readonly rope_theta: number;
  readonly tie_word_embeddings: boolean;
}

export interface Tiny {
  readonly config: TinyConfig;
  readonly weights: Map<string, Tensor<'f32'>>;
  readonly model: Model;
}

const defaults = {
  model_type: 'llama',
  vocab_size: 29,
  hidden_size: 16,
  intermediate_size: 20,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  rms_norm_eps: 1e-5,
  rope_theta: 100,
};

/** Every scaling, at lengths where the tiny model has frequencies in each of their ranges. */
export const ropeVariants: Readonly<Record<string, Record<string, unknown>>> = {
  default: { rope_type: 'default' },
  linear: { type: 'linear', factor: 4 },
  llama3: {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 64,
  },
  factors: { rope_type: 'factors' },
};

/** A float32 tensor of normal values of standard deviation `size` around `mean`. */
export function normal(d: Draw, shape: readonly number[], size: number, mean = 0): Tensor<'f32'> {
  return f32(
    shape,
    Array.from({ length: sizeOf(shape) }, () => mean + size * d.normal()),
  );
}

/** Outputs and inputs of every linear module, by name. */
export function linearShapes(c: TinyConfig): Map<string, readonly [outputs: number, inputs: number]> {
  const [d, wide, h] = [c.hidden_size, c.intermediate_size, c.head_dim];
  const [q, kv] = [c.num_attention_heads * h, c.num_key_value_heads * h];
  const inBlock = {
    'self_attn.q_proj': [q, d],
    'self_attn.k_proj': [kv, d],
    'self_attn.v_proj': [kv, d],
    'self_attn.o_proj': [d, q],
    'mlp.gate_proj': [wide, d],
    'mlp.up_proj': [wide, d],
    'mlp.down_proj': [d, wide],
  } as const;
  const shapes = new Map<string, readonly [number, number]>();
  for (let layer = 0; layer < c.num_hidden_layers; layer++)
    for (const [module, shape] of Object.entries(inBlock))
      shapes.set(`model.layers.${layer}.${module}`, shape);
  return shapes;
}

function makeWeights(c: TinyConfig, d: Draw, biases: boolean): Map<string, Tensor<'f32'>> {
  const weights = new Map<string, Tensor<'f32'>>();
  const width = c.hidden_size;
  const norm = (name: string) => weights.set(`${name}.weight`, normal(d, [width], 0.2, 1));
  weights.set('model.embed_tokens.weight', normal(d, [c.vocab_size, width], 1));
  for (const [module, [outputs, inputs]] of linearShapes(c)) {
    weights.set(`${module}.weight`, normal(d, [outputs, inputs], 1.5 / Math.sqrt(inputs)));
    if (biases) weights.set(`${module}.bias`, normal(d, [outputs], 0.3));
  }
  for (let layer = 0; layer < c.num_hidden_layers; layer++) {
    norm(`model.layers.${layer}.input_layernorm`);
    norm(`model.layers.${layer}.post_attention_layernorm`);
  }
  norm('model.norm');
  const scaling = c.rope_scaling as { rope_type?: string } | undefined;
  if (scaling?.rope_type === 'factors') weights.set('rope_freqs.weight', normal(d, [c.head_dim / 2], 0.5, 3));
  if (!c.tie_word_embeddings) weights.set('lm_head.weight', normal(d, [c.vocab_size, width], 0.5));
  return weights;
}

/** A model; the same for the same options. */
export function tinyModel({
  seed = 1,
  tied = false,
  biases = false,
  config: over = {},
}: TinyOptions = {}): Tiny {
  const withBiases = { attention_bias: true, mlp_bias: true };
  const config: TinyConfig = {
    ...defaults,
    ...(biases && withBiases),
    tie_word_embeddings: tied,
    ...over,
  };
  const weights = makeWeights(config, draw(seed), biases);
  const model = {
    decoder: decoderOf(config, 'tiny/config.json'),
    weights,
    updates: new Map(),
    where: 'tiny',
  };
  return { config, weights, model };
}

/** `count` random token ids of the model's vocabulary. */
export function randomIds(d: Draw, count: number, { config }: Pick<Tiny, 'config'>): number[] {
  return Array.from({ length: count }, () => d.below(config.vocab_size));
}
