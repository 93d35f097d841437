/** The tiny models of ../shared/fixtures/models with transformers' numbers. Only call where `shared` is defined. */
import { readFileSync } from 'node:fs';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { scalar } from '../../src/graph/build.ts';
import { attention } from '../../src/models/attention.ts';
import type { Decoder, Model } from '../../src/models/decoder.ts';
import { decoderOf } from '../../src/models/families.ts';
import type { Tensor } from '../../src/tensor.ts';
import { toFloat32 } from '../../src/tensor.ts';
import { inShared } from './shared.ts';

export const fixtureFamilies = [
  'gemma2',
  'gemma3',
  'gpt2',
  'gpt_neox',
  'granite',
  'llama',
  'llama3',
  'mistral',
  'olmo2',
  'phi3',
  'qwen2',
  'qwen3',
  'smollm3',
] as const;
export type FixtureFamily = (typeof fixtureFamilies)[number];

type Json = Record<string, unknown>;

export const jsonAt = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Json;

export const fixtureConfig = (family: FixtureFamily): Json =>
  jsonAt(inShared('fixtures/models', family, 'config.json'));

/**
 * The fixture's gpt2 was run with a first block whose tokens see all others: the script's pre-hook returns the
 * hidden states, which then stand for all arguments that transformers passes there by position, the mask among
 * them. The other families pass it by name.
 */
export function asFixtureRan(family: FixtureFamily, decoder: Decoder): Decoder {
  if (family !== 'gpt2') return decoder;
  return {
    ...decoder,
    block: (layer, x, scope, pass) =>
      decoder.block(layer, x, scope, {
        ...pass,
        ...(layer === 0 && {
          attend: (_, query, key, value, heads, scoring) =>
            attention(query, key, value, scalar(0), heads, scoring),
        }),
      }),
  };
}

/** A model of a fixture, its weights in memory, with a config that may be changed. */
export async function fixtureModel(family: FixtureFamily, over: Json = {}): Promise<Model> {
  const weights = new Map<string, Tensor>();
  for (const [name, stored] of await openSafetensors(inShared('fixtures/models', family)))
    weights.set(name, await readTensor(stored));
  const decoder = decoderOf({ ...fixtureConfig(family), ...over }, family);
  return { decoder: asFixtureRan(family, decoder), weights, updates: new Map(), where: family };
}

export interface FixtureNumbers {
  /** ids of each row */
  readonly rows: readonly (readonly number[])[];
  /** tokens of each row that are its prompt */
  readonly prompt: number;
  /** row b of logits [B, T, V], resid_post.L, grad.L [B, T, d] or loss [B] */
  of(name: string, b: number): Float32Array;
}

const rowOf = (t: Tensor, b: number): Float32Array => {
  const size = t.data.length / t.shape[0]!;
  return toFloat32(t).subarray(b * size, (b + 1) * size);
};

export async function fixtureNumbers(family: FixtureFamily): Promise<FixtureNumbers> {
  const tensors = new Map<string, Tensor>();
  const path = inShared('fixtures/models', family, 'golden.safetensors');
  for (const [name, stored] of await openSafetensors(path)) tensors.set(name, await readTensor(stored));
  const ids = tensors.get('input_ids')!;
  const [count, width] = ids.shape as [number, number];
  return {
    rows: Array.from({ length: count }, (_, b) =>
      Array.from(ids.data.subarray(b * width, (b + 1) * width), Number),
    ),
    prompt: Number(tensors.get('prompt_length')!.data[0]),
    of: (name, b) => rowOf(tensors.get(name)!, b),
  };
}
