/**
 * GGUF files of families with RMS norms, as llama.cpp's converter writes them: what their metadata say in the words
 * of a config.json, and how their tensors are named. Knows no family.
 */
import { InputError } from '../errors.ts';
import type { Heads } from './attention.ts';
import { type Difference, type Family, type Metadata, metadataReader, type Renamed } from './family.ts';
import { type KeyTable, type RefusedKey, shownValue } from './keys.ts';
import { attentionFactor, inverseFrequencies, type Rope } from './rope.ts';

type Gguf = NonNullable<Family['gguf']>;
type Names = Readonly<Record<string, string>>;

/** Numbers of one architecture's metadata, by the end of their keys. */
interface GgufReader {
  /** a number; `fallback` where the key is absent, an error without one */
  number(key: string, fallback?: number): number;
  get(key: string): unknown;
  readonly where: string;
}

export function readerOf(metadata: Metadata, architecture: string, where: string): GgufReader {
  const read = metadataReader(metadata, where);
  return {
    number: (key, fallback) => read.number(`${architecture}.${key}`, fallback),
    get: (key) => metadata.get(`${architecture}.${key}`),
    where,
  };
}

/** A table of keys that are named by their ends. */
export const ofArchitecture = (architecture: string, table: KeyTable): KeyTable => {
  const whole = (keys: readonly string[] = []) => keys.map((key) => `${architecture}.${key}`);
  return {
    applied: whole(table.applied),
    withoutEffect: whole(table.withoutEffect),
    refused: Object.fromEntries(
      Object.entries(table.refused ?? {}).map(([key, refusal]) => [`${architecture}.${key}`, refusal]),
    ),
  };
};

const own = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

/** How tensors of a block, and those outside, are called in the published layout. */
interface TensorNames {
  /** what holds the blocks, as `model.layers` */
  readonly container: string;
  readonly block: Names;
  readonly outer: Names;
}

/**
 * `blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`, and the part, `attn_q`; undefined for a name
 * that the family does not have.
 */
export function publishedName(
  name: string,
  { container, block, outer }: TensorNames,
): { readonly target: string; readonly part: string } | undefined {
  const inBlock = /^blk\.(\d+)\.([a-z_]+)\.(weight|bias)$/.exec(name);
  if (inBlock) {
    const [, layer, part, kind] = inBlock;
    const module = own(block, part!);
    return module === undefined
      ? undefined
      : { target: `${container}.${layer}.${module}.${kind}`, part: part! };
  }
  const [, part, kind] = /^([a-z_]+)\.(weight|bias)$/.exec(name) ?? [];
  const module = part === undefined ? undefined : own(outer, part);
  return module === undefined ? undefined : { target: `${module}.${kind}`, part: part! };
}

const blockNames: Names = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

const outerNames: Names = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
  rope_freqs: 'rope_freqs',
};

const scaledPositions = (...unless: number[]): RefusedKey => ({
  means: 'another scale of rotary positions',
  unless,
});

const commonKeys: KeyTable = {
  applied: [
    'embedding_length',
    'feed_forward_length',
    'block_count',
    'context_length',
    'attention.head_count',
    'attention.head_count_kv',
    'attention.key_length',
    'attention.value_length',
    'attention.layer_norm_rms_epsilon',
    'rope.dimension_count',
    'rope.freq_base',
    'rope.scaling.type',
    'rope.scaling.factor',
    'rope.scale_linear',
    'rope.scaling.original_context_length',
  ],
  withoutEffect: ['vocab_size', 'tensor_data_layout', 'rope.scaling.finetuned'],
  refused: {
    'rope.scaling.attn_factor': scaledPositions(1),
    'rope.scaling.yarn_ext_factor': scaledPositions(1),
    'rope.scaling.yarn_attn_factor': scaledPositions(1),
    'rope.scaling.yarn_beta_fast': scaledPositions(32),
    'rope.scaling.yarn_beta_slow': scaledPositions(1),
    expert_count: { means: 'a mixture of experts', unless: [0] },
    expert_used_count: { means: 'a mixture of experts', unless: [0] },
    use_parallel_residual: { means: 'attention and MLP side by side', unless: [false] },
    'attention.causal': { means: 'attention to later tokens', unless: [true] },
    logit_scale: { means: 'scaled logits', unless: [0, 1] },
    embedding_scale: { means: 'scaled embeddings', unless: [0, 1] },
    residual_scale: { means: 'scaled additions to the residual stream', unless: [0, 1] },
    'attention.scale': { means: 'another scale of attention scores', unless: [0] },
    'attention.sliding_window': { means: 'attention within a window', unless: [0] },
    'attention.max_alibi_bias': { means: 'positions as a bias of attention', unless: [0] },
    'attention.clamp_kqv': { means: 'queries, keys and values within bounds', unless: [0] },
    attn_logit_softcapping: { means: 'attention scores within bounds', unless: [0] },
    final_logit_softcapping: { means: 'logits within bounds', unless: [0] },
  },
};

/**
 * The scaling as llama.cpp reads it: linear where no type is named, with a factor of 1 where none stands there;
 * the divisors of `rope_freqs.weight` besides.
 */
export function ggufScaling(read: GgufReader, name: string, divisors: boolean): Record<string, unknown> {
  const type = read.get('rope.scaling.type') ?? 'linear';
  if (type === 'none') return { rope_type: divisors ? 'factors' : 'default' };
  const factor = read.number('rope.scaling.factor', read.number('rope.scale_linear', 0)) || 1;
  if (type === 'linear' && divisors) return { rope_type: 'factors', ...(factor !== 1 && { factor }) };
  if (type === 'linear') return factor === 1 ? { rope_type: 'default' } : { rope_type: 'linear', factor };
  if (type !== 'yarn' || divisors)
    throw new InputError(
      `${read.where}: ${name}.rope.scaling.type: expected none or linear${divisors ? ' beside rope_freqs.weight' : ' or yarn'}, found ${shownValue(type)}`,
    );
  const context = read.number('context_length', 2048);
  return {
    rope_type: type,
    factor,
    original_max_position_embeddings: read.number('rope.scaling.original_context_length', context),
  };
}

/** Throws InputError unless the number is `width`. */
function checkWidth(read: GgufReader, name: string, key: string, width: number): void {
  const found = read.number(key, width);
  if (found !== width)
    throw new InputError(
      `${read.where}: ${name}.${key}: expected ${width}, the width of a head, found ${found}`,
    );
}

const isClose = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.abs(b);

/** What a family has parsed of a config. */
interface Parsed {
  readonly heads: Heads;
  readonly rms_norm_eps: number;
  readonly rope: Rope;
}

/** Where two scalings give other angles. The `llama3` of a config.json says what a GGUF's divisors say. */
function scalingDifference(a: Rope, b: Rope): Difference | undefined {
  const pair = [a.scaling.rope_type, b.scaling.rope_type].join();
  if (pair === 'llama3,factors' || pair === 'longrope,factors') return undefined;
  const difference = { field: 'rope_scaling', given: a.scaling, own: b.scaling };
  if (pair.includes('longrope') || b.scaling.rope_type === 'factors') return difference;
  // Any width tells two scalings apart; the files' own may be too large to write out.
  const [f, g] = [a, b].map(({ theta, scaling }) => [
    attentionFactor(scaling),
    ...inverseFrequencies(theta, 256, scaling),
  ]) as [number[], number[]];
  return f.every((x, i) => isClose(x, g[i]!)) ? undefined : difference;
}

/**
 * Fields whose values no weight's shape shows. `more`: numbers of the family's own, by field; null where one has
 * none.
 */
function differenceOf<C extends Parsed>(
  a: C,
  b: C,
  more: (c: C) => Readonly<Record<string, number | null | undefined>>,
): Difference | undefined {
  const numbers = (c: C): Record<string, number | null | undefined> => ({
    head_dim: c.heads.width,
    num_attention_heads: c.heads.query,
    num_key_value_heads: c.heads.keyValue,
    rms_norm_eps: c.rms_norm_eps,
    rope_theta: c.rope.theta,
    ...more(c),
  });
  const others = numbers(b);
  for (const [field, given] of Object.entries(numbers(a))) {
    const own = others[field];
    const isSame =
      typeof given === 'number' && typeof own === 'number'
        ? isClose(given, own)
        : (given ?? null) === (own ?? null);
    if (!isSame) return { field, given, own };
  }
  return scalingDifference(a.rope, b.rope);
}

/** What the files of one family have of their own. */
interface GgufOwn<C extends Parsed> {
  readonly architecture: string;
  parse(config: unknown): C;
  /** keys, by their ends, that are applied besides */
  readonly applied?: readonly string[];
  /** names of tensors in a block besides, or of other meaning */
  readonly block?: Names;
  readonly outer?: Names;
  /** fields of the config that the metadata say besides, or that take the place of the common ones */
  config?(read: GgufReader, tensors: Parameters<Gguf['config']>[1], width: number): Record<string, unknown>;
  /** how many elements of a head are turned; default all */
  readonly partial?: boolean;
  /** what is done to a tensor, by its part; default nothing */
  restore?(part: string, c: NoInfer<C>): Omit<Renamed, 'target'>;
  /** numbers of the config that must agree with a config.json beside the file */
  compared?(c: NoInfer<C>): Readonly<Record<string, number | null | undefined>>;
}

/** The rows of q and k that llama.cpp's converter permuted for its rotary embedding. */
export function permutedRows(part: string, { heads }: Parsed): Omit<Renamed, 'target'> {
  const count = own({ attn_q: heads.query, attn_k: heads.keyValue }, part);
  return count === undefined ? {} : { unpermuteHeads: count };
}

export function rmsGguf<C extends Parsed>(family: GgufOwn<C>): Gguf {
  const { architecture } = family;
  const names: TensorNames = {
    container: 'model.layers',
    block: { ...blockNames, ...family.block },
    outer: { ...outerNames, ...family.outer },
  };
  return {
    architecture,
    keys: ofArchitecture(architecture, {
      ...commonKeys,
      applied: [...commonKeys.applied!, ...(family.applied ?? [])],
    }),
    config(metadata, tensors, where) {
      const read = readerOf(metadata, architecture, where);
      const query = read.number('attention.head_count');
      const width = read.number('attention.key_length', read.number('embedding_length') / query);
      checkWidth(read, architecture, 'attention.value_length', width);
      if (!family.partial) checkWidth(read, architecture, 'rope.dimension_count', width);
      return {
        vocab_size: tensors.get('token_embd.weight')?.shape[0],
        hidden_size: read.number('embedding_length'),
        intermediate_size: read.number('feed_forward_length'),
        num_hidden_layers: read.number('block_count'),
        num_attention_heads: query,
        num_key_value_heads: read.number('attention.head_count_kv', query),
        head_dim: width,
        max_position_embeddings: read.number('context_length', 2048),
        rms_norm_eps: read.number('attention.layer_norm_rms_epsilon'),
        rope_theta: read.number('rope.freq_base', 10000),
        rope_scaling: ggufScaling(read, architecture, tensors.has('rope_freqs.weight')),
        tie_word_embeddings: !tensors.has('output.weight'),
        attention_bias: 'as stored',
        mlp_bias: 'as stored',
        ...family.config?.(read, tensors, width),
      };
    },
    difference: (given, own) =>
      differenceOf(family.parse(given), family.parse(own), family.compared ?? (() => ({}))),
    rename(name, given) {
      const found = publishedName(name, names);
      return found && { target: found.target, ...family.restore?.(found.part, family.parse(given)) };
    },
  };
}
