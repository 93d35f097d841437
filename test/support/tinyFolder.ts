/**
 * A small subject on disk, as published ones lie there: a random llama as a Hugging Face folder, the same
 * weights as one GGUF file, a LoRA adapter, an SAE in SAELens form for resid_post 1, pairs, a corpus, and a
 * baseline. The tokenizer is byte-level, so that text costs a token a character, more or less.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeSafetensors } from '../../src/files/safetensors.ts';
import type { Tensor } from '../../src/tensor.ts';
import { adapterConfig, factors, ofRank } from './adapters.ts';
import {
  array,
  entry,
  floatTensor,
  ggufBytes,
  type TestTensor,
  text,
  u32,
  valueTypes,
} from './ggufWriter.ts';
import { draw } from './opCases.ts';
import { linearShapes, normal, type Tiny, type TinyConfig, tinyModel } from './tinyModel.ts';
import { byteLevelConfig, byteLevelJson, byteLevelMetadata } from './tokenizers.ts';

/** Tokens of the tokenizer, its three special ones counted. */
const vocabulary = 272;
export const context = 256;
export const width = 16;
export const latents = 40;
/** The block that the SAE reads after. */
export const layer = 1;

export const tiny = tinyModel({ config: { vocab_size: vocabulary, max_position_embeddings: context } });

export interface TinyFolder {
  readonly model: string;
  readonly gguf: string;
  readonly adapter: string;
  readonly sae: string;
  readonly pairs: string;
  readonly corpus: string;
  readonly baseline: string;
  /** a cache folder of its own */
  readonly cache: string;
}

/** Writes a file with the folders that it needs; an object becomes JSON, a list lines of JSON. */
export function put(path: string, content: string | Uint8Array | object): string {
  mkdirSync(dirname(path), { recursive: true });
  const lines = (values: readonly unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
  if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(path, content);
  else writeFileSync(path, Array.isArray(content) ? lines(content) : JSON.stringify(content));
  return path;
}

/** The model with a huge embedding of the letter Q, which makes an attention sink of it. */
export function withSink(): Tiny {
  const name = 'model.embed_tokens.weight';
  const table = tiny.weights.get(name)!;
  const [from, to] = [0, 1].map((i) => ('Q'.charCodeAt(0) + i) * width) as [number, number];
  const data = table.data.map((x, i) => (i >= from && i < to ? 1e4 * x : x));
  return { ...tiny, weights: new Map(tiny.weights).set(name, { ...table, data }) };
}

/** A model folder. */
export async function putModel(folder: string, { config, weights }: Tiny = tiny): Promise<string> {
  put(join(folder, 'config.json'), config);
  put(join(folder, 'tokenizer.json'), byteLevelJson());
  put(join(folder, 'tokenizer_config.json'), byteLevelConfig);
  await writeSafetensors(join(folder, 'model.safetensors'), weights);
  return folder;
}

/** The factors that `adapterConfig` describes, for all blocks of a model. */
export function adapterFactors(of: Tiny = tiny) {
  const modules = [...linearShapes(of.config).keys()].filter((module) => /\.(q|up)_proj$/.test(module));
  return factors(ofRank(adapterConfig.r, modules), draw(1), of);
}

/** An adapter for a model. */
export async function putAdapter(folder: string, of: Tiny = tiny): Promise<string> {
  put(join(folder, 'adapter_config.json'), adapterConfig);
  await writeSafetensors(join(folder, 'adapter_model.safetensors'), adapterFactors(of));
  return folder;
}

export interface TinySae {
  readonly d?: number;
  readonly hook?: string | null;
}

/** A ReLU SAE whose decoder rows have norms other than 1. */
export async function putSae(
  folder: string,
  { d = width, hook = `blocks.${layer}.hook_resid_post` }: TinySae = {},
) {
  const r = draw(7);
  const weights: Record<string, Tensor> = {
    W_enc: normal(r, [d, latents], 0.5),
    b_enc: normal(r, [latents], 0.1),
    W_dec: normal(r, [latents, d], 0.5),
    b_dec: normal(r, [d], 0.1),
  };
  const metadata = { model_name: 'tiny', ...(hook === null ? {} : { hook_name: hook }) };
  put(join(folder, 'cfg.json'), { architecture: 'standard', d_in: d, d_sae: latents, metadata });
  await writeSafetensors(join(folder, 'sae_weights.safetensors'), weights);
  return folder;
}

/** A baseline file with this `mean`. */
export async function putBaseline(
  path: string,
  mean: Tensor = normal(draw(9), [width], 0.3),
): Promise<string> {
  await writeSafetensors(path, { mean });
  return path;
}

export interface TinyPair {
  readonly id?: string;
  readonly prompt: string | readonly { readonly role: string; readonly content: string }[];
  readonly positive: string;
  readonly negative: string;
}

/** Two pairs with a text prompt and two with a chat. */
export const pairs: readonly TinyPair[] = [
  { id: 'tea', prompt: 'the tea in', positive: ' the cup', negative: ' a hat' },
  { prompt: '12 and 12 is', positive: ' 25', negative: ' 24, as ever' },
  {
    id: 'cold',
    prompt: [{ role: 'user', content: 'I have a cold.' }],
    positive: 'Run in the rain.',
    negative: 'Rest, then.',
  },
  {
    prompt: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Is it late?' },
    ],
    positive: 'Never!',
    negative: 'It is.',
  },
];

/** `count` pairs, each other than the rest. */
export const manyPairs = (count: number): TinyPair[] =>
  Array.from({ length: count }, (_, i) => ({
    prompt: `the number ${i} in the list`,
    positive: ` is ${i}`,
    negative: ` is not ${i + 1}`,
  }));

export const corpus = [
  { text: 'The hen sat in the barn.' },
  { text: '  ' },
  {
    messages: [
      { role: 'user', content: 'And then?' },
      { role: 'assistant', content: 'It ate the hat.' },
    ],
  },
  { text: "12 hats, the hen's." },
];

/** Llama.cpp's names of the weights, and its order of the rows that the rotary embedding turns. */
function ggufTensor(name: string, { shape, data }: Tensor<'f32'>, c: TinyConfig): TestTensor {
  const parts: Record<string, string> = {
    input_layernorm: 'attn_norm',
    'self_attn.q_proj': 'attn_q',
    'self_attn.k_proj': 'attn_k',
    'self_attn.v_proj': 'attn_v',
    'self_attn.o_proj': 'attn_output',
    post_attention_layernorm: 'ffn_norm',
    'mlp.gate_proj': 'ffn_gate',
    'mlp.up_proj': 'ffn_up',
    'mlp.down_proj': 'ffn_down',
  };
  const outer: Record<string, string> = {
    'model.embed_tokens': 'token_embd',
    'model.norm': 'output_norm',
    lm_head: 'output',
  };
  const [, block, part] = /^model\.layers\.(\d+)\.(.+)\.weight$/.exec(name) ?? [];
  if (part === undefined)
    return floatTensor(`${outer[name.replace('.weight', '')]}.weight`, shape, [...data]);
  const turned = part === 'self_attn.q_proj' || part === 'self_attn.k_proj';
  const values = turned ? permuted(data, c.head_dim, shape[1]!) : data;
  return floatTensor(`blk.${block}.${parts[part]}.weight`, shape, [...values]);
}

/** Rows [2, half] of each head as rows [half, 2]. */
function permuted(data: Float32Array, head: number, columns: number): Float32Array {
  const half = head / 2;
  const to = new Float32Array(data.length);
  for (let row = 0; row < data.length / columns; row++) {
    const [within, first] = [row % head, row - (row % head)];
    const from = first + (within % 2) * half + Math.floor(within / 2);
    to.set(data.subarray(from * columns, (from + 1) * columns), row * columns);
  }
  return to;
}

const number32 = (value: number) => Buffer.from(Float32Array.of(value).buffer);

/** A metadata entry of the type that its value suggests. */
function metadataEntry(key: string, value: unknown): Buffer {
  if (typeof value === 'string') return entry(key, valueTypes.string, text(value));
  if (typeof value === 'number' || typeof value === 'bigint')
    return Number.isInteger(Number(value))
      ? entry(key, valueTypes.u32, u32(Number(value)))
      : entry(key, valueTypes.f32, number32(value as number));
  if (value instanceof Int32Array)
    return entry(key, valueTypes.array, array(valueTypes.i32, Array.from(value, u32)));
  return entry(key, valueTypes.array, array(valueTypes.string, (value as string[]).map(text)));
}

/** The model as one GGUF of float32 tensors. */
export function ggufOf({ config: c, weights }: Tiny = tiny): Buffer {
  const metadata = new Map<string, unknown>([
    ['general.architecture', 'llama'],
    ['llama.block_count', c.num_hidden_layers],
    ['llama.context_length', context],
    ['llama.embedding_length', c.hidden_size],
    ['llama.feed_forward_length', c.intermediate_size],
    ['llama.attention.head_count', c.num_attention_heads],
    ['llama.attention.head_count_kv', c.num_key_value_heads],
    ['llama.attention.key_length', c.head_dim],
    ['llama.attention.layer_norm_rms_epsilon', c.rms_norm_eps],
    ['llama.rope.freq_base', c.rope_theta],
    ...byteLevelMetadata('gpt-2'),
  ]);
  return ggufBytes({
    metadata: [...metadata].map(([key, value]) => metadataEntry(key, value)),
    tensors: [...weights].map(([name, weight]) => ggufTensor(name, weight, c)),
  });
}

/** Everything, under one folder. */
export async function putAll(folder: string): Promise<TinyFolder> {
  const at = (name: string) => join(folder, name);
  return {
    model: await putModel(at('model')),
    gguf: put(at('tiny.gguf'), ggufOf()),
    adapter: await putAdapter(at('adapter')),
    sae: await putSae(at('sae')),
    pairs: put(at('pairs.jsonl'), pairs),
    corpus: put(at('corpus.jsonl'), corpus),
    baseline: await putBaseline(at('baseline.safetensors')),
    cache: at('cache'),
  };
}
