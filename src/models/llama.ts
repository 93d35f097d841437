/**
 * The Llama family (Llama 1 to 3, SmolLM, TinyLlama, ...): RMS norms, rotary grouped-query attention, gated
 * SiLU MLP. Names and maths as in transformers' modeling_llama; GGUF names as in llama.cpp's tensor
 * mapping.
 */
import { z } from 'zod';
import { add, gather, mul, rmsNorm, rope, silu } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import type { Heads } from './attention.ts';
import type { Decoder, Scope } from './decoder.ts';
import { type Family, type Metadata, metadataReader } from './family.ts';
import { angles, ropeScaling } from './rope.ts';

const size = z.number().int().positive();

const config = z
  .object({
    vocab_size: size,
    hidden_size: size,
    intermediate_size: size,
    num_hidden_layers: size,
    num_attention_heads: size,
    num_key_value_heads: size.nullish(),
    head_dim: size.nullish(),
    hidden_act: z.literal('silu').default('silu'),
    max_position_embeddings: size.default(2048),
    rms_norm_eps: z.number().positive().default(1e-6),
    rope_theta: z.number().positive().optional(),
    rope_scaling: ropeScaling,
    rope_parameters: z
      .intersection(z.looseObject({ rope_theta: z.number().positive().optional() }), ropeScaling)
      .nullish(),
    rope_interleaved: z.literal(false).default(false),
    tie_word_embeddings: z.boolean().default(false),
  })
  .transform((c) => ({
    ...c,
    heads: {
      query: c.num_attention_heads,
      keyValue: c.num_key_value_heads ?? c.num_attention_heads,
      width: c.head_dim ?? c.hidden_size / c.num_attention_heads,
    } satisfies Heads,
    theta: c.rope_parameters?.rope_theta ?? c.rope_theta ?? 10000,
    scaling: c.rope_parameters ?? c.rope_scaling,
  }))
  .refine(
    ({ heads }) => heads.query % heads.keyValue === 0,
    'num_attention_heads must be a multiple of num_key_value_heads',
  )
  .refine(({ heads }) => Number.isInteger(heads.width / 2), 'the width of a head must be even');

function decoder(given: unknown): Decoder {
  const c = config.parse(given);
  const d = c.hidden_size;
  const { heads } = c;
  const table: readonly [string, readonly number[]] = ['model.embed_tokens.weight', [c.vocab_size, d]];
  const finalGain = (scope: Scope) => scope.param('model.norm.weight', [d]);
  return {
    family: 'llama',
    width: d,
    blocks: c.num_hidden_layers,
    vocabulary: c.vocab_size,
    context: c.max_position_embeddings,
    embed: (scope, { ids }) => gather(scope.param(...table), ids),
    block(layer, x, scope, pass) {
      const at = `model.layers.${layer}`;
      const norm = (y: Node, name: string) =>
        rmsNorm(y, scope.param(`${at}.${name}.weight`, [d]), c.rms_norm_eps);
      const attend = `${at}.self_attn`;
      const n = norm(x, 'input_layernorm');
      const project = (name: string, count: number) =>
        scope.linear(n, `${attend}.${name}`, d, count * heads.width);
      const [q, k, v] = [
        project('q_proj', heads.query),
        project('k_proj', heads.keyValue),
        project('v_proj', heads.keyValue),
      ];
      const { cosine, sine } = angles(pass.positions, c.theta, heads.width, c.scaling, scope);
      const turned = (y: Node, count: number) => rope(y, cosine, sine, count);
      const [query, key] = [turned(q, heads.query), turned(k, heads.keyValue)];
      const mixed = pass.attend(layer, query, key, v, heads, heads.width ** -0.5);
      const h = add(x, scope.linear(mixed, `${attend}.o_proj`, heads.query * heads.width, d));
      const m = norm(h, 'post_attention_layernorm');
      const wide = c.intermediate_size;
      const gate = silu(scope.linear(m, `${at}.mlp.gate_proj`, d, wide));
      const up = scope.linear(m, `${at}.mlp.up_proj`, d, wide);
      return add(h, scope.linear(mul(gate, up), `${at}.mlp.down_proj`, wide, d));
    },
    finalNorm: (x, scope) => rmsNorm(x, finalGain(scope), c.rms_norm_eps),
    finalGain,
    unembedding: (scope) =>
      c.tie_word_embeddings ? scope.param(...table) : scope.param('lm_head.weight', [c.vocab_size, d]),
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
 * llama.cpp names a scaling, or brings divisors of the frequencies; both at once is none of `ropeScaling`'s
 * kinds.
 */
function ggufScaling(metadata: Metadata, factors: boolean): Record<string, unknown> {
  const type = metadata.get('llama.rope.scaling.type') ?? 'none';
  if (type === 'none') return { rope_type: factors ? 'factors' : 'default' };
  return {
    rope_type: factors ? `${type} with rope_freqs` : type,
    factor: metadata.get('llama.rope.scaling.factor'),
  };
}

export const llama: Family = {
  modelType: 'llama',
  decoder,
  gguf: {
    architecture: 'llama',
    config(metadata, tensors, where) {
      const read = metadataReader(metadata, where);
      const query = read.number('llama.attention.head_count');
      return {
        vocab_size: tensors.get('token_embd.weight')?.shape[0],
        hidden_size: read.number('llama.embedding_length'),
        intermediate_size: read.number('llama.feed_forward_length'),
        num_hidden_layers: read.number('llama.block_count'),
        num_attention_heads: query,
        num_key_value_heads: read.number('llama.attention.head_count_kv', query),
        head_dim: read.number('llama.attention.key_length', read.number('llama.embedding_length') / query),
        max_position_embeddings: read.number('llama.context_length', 2048),
        rms_norm_eps: read.number('llama.attention.layer_norm_rms_epsilon'),
        rope_theta: read.number('llama.rope.freq_base', 10000),
        rope_scaling: ggufScaling(metadata, tensors.has('rope_freqs.weight')),
        tie_word_embeddings: !tensors.has('output.weight'),
      };
    },
    rename(name, given) {
      const found = publishedName(name);
      if (!found) return undefined;
      const { heads } = config.parse(given);
      const permuted = own({ attn_q: heads.query, attn_k: heads.keyValue }, found.part);
      return { target: found.target, ...(permuted === undefined ? {} : { unpermuteHeads: permuted }) };
    },
  },
};
