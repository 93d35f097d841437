/**
 * The Llama family (Llama 1 to 3, SmolLM, TinyLlama, ...): RMS norms, rotary grouped-query attention, gated
 * SiLU MLP. Names and maths as in transformers' modeling_llama; GGUF names as in llama.cpp's tensor
 * mapping.
 */
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { add, gather, mul, rmsNorm, rope, silu } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import type { Heads } from './attention.ts';
import type { Decoder, Scope } from './decoder.ts';
import { type Difference, type Family, type Metadata, metadataReader } from './family.ts';
import { shownValue } from './keys.ts';
import { angles, attentionFactor, inverseFrequencies, ropeFields, ropeOf } from './rope.ts';

const size = z.number().int().positive();

/** Whether a part of a block has biases; a GGUF file does not say it, but has them or not. */
const bias = z
  .union([z.boolean(), z.literal('as stored')])
  .default(false)
  .transform((said) => (said === 'as stored' ? undefined : said));

const fields = z.object({
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: z.enum(['silu', 'swish']).default('silu'),
  rms_norm_eps: z.number().positive().default(1e-6),
  ...ropeFields,
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: bias,
  mlp_bias: bias,
});

const config = fields
  .transform((c, issues) => ({
    ...c,
    heads: {
      query: c.num_attention_heads,
      keyValue: c.num_key_value_heads ?? c.num_attention_heads,
      width: c.head_dim ?? c.hidden_size / c.num_attention_heads,
    } satisfies Heads,
    rope: ropeOf(c, issues),
  }))
  .refine(
    ({ heads }) => heads.query % heads.keyValue === 0,
    'num_attention_heads must be a multiple of num_key_value_heads',
  )
  .refine(({ heads }) => Number.isInteger(heads.width / 2), 'the width of a head must be even');

/**
 * The tables of a model: where they are tied, a file may have one of them, under either name, or both, of
 * which each is then used as it stands, as transformers 5 does.
 */
function tables(c: z.output<typeof config>) {
  const names = ['model.embed_tokens.weight', 'lm_head.weight'] as const;
  const [embedding, head] = names;
  const shape = [c.vocab_size, c.hidden_size];
  const table = (scope: Scope, name: string, other: string) =>
    scope.param(c.tie_word_embeddings && !scope.has(name) && scope.has(other) ? other : name, shape);
  return {
    ...(c.tie_word_embeddings && { tied: names }),
    embedding: (scope: Scope) => table(scope, embedding, head),
    head: (scope: Scope) => table(scope, head, embedding),
  };
}

function decoder(given: unknown): Decoder {
  const c = config.parse(given);
  const d = c.hidden_size;
  const { heads } = c;
  const { embedding, head, ...tied } = tables(c);
  const finalGain = (scope: Scope) => scope.param('model.norm.weight', [d]);
  return {
    family: 'llama',
    width: d,
    blocks: c.num_hidden_layers,
    vocabulary: c.vocab_size,
    context: c.max_position_embeddings,
    ...tied,
    embed: (scope, { ids }) => gather(embedding(scope), ids),
    block(layer, x, scope, pass) {
      const at = `model.layers.${layer}`;
      const norm = (y: Node, name: string) =>
        rmsNorm(y, scope.param(`${at}.${name}.weight`, [d]), c.rms_norm_eps);
      const attend = `${at}.self_attn`;
      const n = norm(x, 'input_layernorm');
      const project = (name: string, count: number) =>
        scope.linear(n, `${attend}.${name}`, d, count * heads.width, c.attention_bias);
      const [q, k, v] = [
        project('q_proj', heads.query),
        project('k_proj', heads.keyValue),
        project('v_proj', heads.keyValue),
      ];
      const { cosine, sine } = angles(pass.positions, c.rope.theta, heads.width, c.rope.scaling, scope);
      const turned = (y: Node, count: number) => rope(y, cosine, sine, count);
      const [query, key] = [turned(q, heads.query), turned(k, heads.keyValue)];
      const mixed = pass.attend(layer, query, key, v, heads, heads.width ** -0.5);
      const wide = heads.query * heads.width;
      const h = add(x, scope.linear(mixed, `${attend}.o_proj`, wide, d, c.attention_bias));
      const m = norm(h, 'post_attention_layernorm');
      const inMlp = (y: Node, name: string, inputs: number, outputs: number) =>
        scope.linear(y, `${at}.mlp.${name}`, inputs, outputs, c.mlp_bias);
      const gate = silu(inMlp(m, 'gate_proj', d, c.intermediate_size));
      const up = inMlp(m, 'up_proj', d, c.intermediate_size);
      return add(h, inMlp(mul(gate, up), 'down_proj', c.intermediate_size, d));
    },
    finalNorm: (x, scope) => rmsNorm(x, finalGain(scope), c.rms_norm_eps),
    finalGain,
    unembedding: head,
  };
}

const blockNames: Readonly<Record<string, string>> = {
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

const outerNames: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
  rope_freqs: 'rope_freqs',
};

const own = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

/**
 * `blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`; undefined for a name that llama does
 * not have.
 */
function publishedName(name: string): { readonly target: string; readonly part: string } | undefined {
  const inBlock = /^blk\.(\d+)\.([a-z_]+)\.(weight|bias)$/.exec(name);
  if (inBlock) {
    const [, layer, part, kind] = inBlock;
    const module = own(blockNames, part!);
    return module === undefined
      ? undefined
      : { target: `model.layers.${layer}.${module}.${kind}`, part: part! };
  }
  const [, part, kind] = /^([a-z_]+)\.(weight|bias)$/.exec(name) ?? [];
  const module = part === undefined ? undefined : own(outerNames, part);
  return module === undefined ? undefined : { target: `${module}.${kind}`, part: part! };
}

/**
 * The scaling as llama.cpp reads it: linear where no type is named, with a factor of 1 where none stands there;
 * the divisors of `rope_freqs.weight` besides.
 */
function ggufScaling(metadata: Metadata, divisors: boolean, where: string): Record<string, unknown> {
  const read = metadataReader(metadata, where);
  const type = metadata.get('llama.rope.scaling.type') ?? 'linear';
  if (type === 'none') return { rope_type: divisors ? 'factors' : 'default' };
  const factor = read.number('llama.rope.scaling.factor', read.number('llama.rope.scale_linear', 0)) || 1;
  if (type === 'linear' && divisors) return { rope_type: 'factors', ...(factor !== 1 && { factor }) };
  if (type === 'linear') return factor === 1 ? { rope_type: 'default' } : { rope_type: 'linear', factor };
  if (type !== 'yarn' || divisors)
    throw new InputError(
      `${where}: llama.rope.scaling.type: expected none or linear${divisors ? ' beside rope_freqs.weight' : ' or yarn'}, found ${shownValue(type)}`,
    );
  const context = read.number('llama.context_length', 2048);
  return {
    rope_type: type,
    factor,
    original_max_position_embeddings: read.number('llama.rope.scaling.original_context_length', context),
  };
}

/** Throws InputError unless every element of a head is turned, and values are as wide as keys. */
function checkHeadWidth(metadata: Metadata, width: number, where: string): void {
  const read = metadataReader(metadata, where);
  for (const key of ['llama.rope.dimension_count', 'llama.attention.value_length']) {
    const found = read.number(key, width);
    if (found !== width)
      throw new InputError(`${where}: ${key}: expected ${width}, the width of a head, found ${found}`);
  }
}

const isClose = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.abs(b);

/**
 * Fields whose values no weight's shape shows. The divisors of a GGUF and the `llama3` of a config.json are two
 * ways of saying the same scaling.
 */
function difference(given: unknown, own: unknown): Difference | undefined {
  const [a, b] = [config.parse(given), config.parse(own)];
  const numbers = {
    head_dim: [a.heads.width, b.heads.width],
    num_attention_heads: [a.heads.query, b.heads.query],
    num_key_value_heads: [a.heads.keyValue, b.heads.keyValue],
    rms_norm_eps: [a.rms_norm_eps, b.rms_norm_eps],
    rope_theta: [a.rope.theta, b.rope.theta],
  } as const;
  for (const [field, [given, own]] of Object.entries(numbers))
    if (!isClose(given, own)) return { field, given, own };
  if (a.rope.scaling.rope_type === 'llama3' && b.rope.scaling.rope_type === 'factors') return undefined;
  // Any width tells two scalings apart; the files' own may be too large to write out.
  const [f, g] = [a, b].map(({ rope }) => [
    attentionFactor(rope.scaling),
    ...inverseFrequencies(rope.theta, 256, rope.scaling),
  ]) as [number[], number[]];
  const isSame = b.rope.scaling.rope_type !== 'factors' && f.every((x, i) => isClose(x, g[i]!));
  return isSame ? undefined : { field: 'rope_scaling', given: a.rope.scaling, own: b.rope.scaling };
}

const scaledPositions = { means: 'another scale of rotary positions' };

export const llama: Family = {
  modelType: 'llama',
  decoder,
  keys: { applied: Object.keys(fields.shape) },
  gguf: {
    architecture: 'llama',
    keys: {
      applied: [
        'llama.embedding_length',
        'llama.feed_forward_length',
        'llama.block_count',
        'llama.context_length',
        'llama.attention.head_count',
        'llama.attention.head_count_kv',
        'llama.attention.key_length',
        'llama.attention.value_length',
        'llama.attention.layer_norm_rms_epsilon',
        'llama.rope.dimension_count',
        'llama.rope.freq_base',
        'llama.rope.scaling.type',
        'llama.rope.scaling.factor',
        'llama.rope.scale_linear',
        'llama.rope.scaling.original_context_length',
      ],
      withoutEffect: ['llama.vocab_size', 'llama.tensor_data_layout', 'llama.rope.scaling.finetuned'],
      refused: {
        'llama.rope.scaling.attn_factor': { ...scaledPositions, unless: [1] },
        'llama.rope.scaling.yarn_ext_factor': { ...scaledPositions, unless: [1] },
        'llama.rope.scaling.yarn_attn_factor': { ...scaledPositions, unless: [1] },
        'llama.rope.scaling.yarn_beta_fast': { ...scaledPositions, unless: [32] },
        'llama.rope.scaling.yarn_beta_slow': { ...scaledPositions, unless: [1] },
        'llama.expert_count': { means: 'a mixture of experts', unless: [0] },
        'llama.expert_used_count': { means: 'a mixture of experts', unless: [0] },
        'llama.use_parallel_residual': { means: 'attention and MLP side by side', unless: [false] },
        'llama.attention.causal': { means: 'attention to later tokens', unless: [true] },
        'llama.logit_scale': { means: 'scaled logits', unless: [0, 1] },
        'llama.embedding_scale': { means: 'scaled embeddings', unless: [0, 1] },
        'llama.residual_scale': { means: 'scaled additions to the residual stream', unless: [0, 1] },
        'llama.attention.scale': { means: 'another scale of attention scores', unless: [0] },
        'llama.attention.sliding_window': { means: 'attention within a window', unless: [0] },
        'llama.attention.max_alibi_bias': { means: 'positions as a bias of attention', unless: [0] },
        'llama.attention.clamp_kqv': { means: 'queries, keys and values within bounds', unless: [0] },
        'llama.attn_logit_softcapping': { means: 'attention scores within bounds', unless: [0] },
        'llama.final_logit_softcapping': { means: 'logits within bounds', unless: [0] },
      },
    },
    config(metadata, tensors, where) {
      const read = metadataReader(metadata, where);
      const query = read.number('llama.attention.head_count');
      const width = read.number('llama.attention.key_length', read.number('llama.embedding_length') / query);
      checkHeadWidth(metadata, width, where);
      return {
        vocab_size: tensors.get('token_embd.weight')?.shape[0],
        hidden_size: read.number('llama.embedding_length'),
        intermediate_size: read.number('llama.feed_forward_length'),
        num_hidden_layers: read.number('llama.block_count'),
        num_attention_heads: query,
        num_key_value_heads: read.number('llama.attention.head_count_kv', query),
        head_dim: width,
        max_position_embeddings: read.number('llama.context_length', 2048),
        rms_norm_eps: read.number('llama.attention.layer_norm_rms_epsilon'),
        rope_theta: read.number('llama.rope.freq_base', 10000),
        rope_scaling: ggufScaling(metadata, tensors.has('rope_freqs.weight'), where),
        tie_word_embeddings: !tensors.has('output.weight'),
        attention_bias: 'as stored',
        mlp_bias: 'as stored',
      };
    },
    difference,
    rename(name, given) {
      const found = publishedName(name);
      if (!found) return undefined;
      const { heads } = config.parse(given);
      const permuted = own({ attn_q: heads.query, attn_k: heads.keyValue }, found.part);
      return { target: found.target, ...(permuted === undefined ? {} : { unpermuteHeads: permuted }) };
    },
  },
};
