/**
 * GPT-NeoX (Pythia): attention and MLP side by side, layer norms, rotary positions on a part of each head, query, key
 * and value of each head in one matrix. Maths as in transformers' modeling_gpt_neox, whose gelu is exact where
 * llama.cpp's is not.
 */
import { z } from 'zod';
import { add, gather, reshape, slice } from '../../graph/build.ts';
import type { Node } from '../../graph/node.ts';
import { activations } from '../activations.ts';
import type { Scope } from '../decoder.ts';
import { biasField, headsOf, size } from '../decoderConfig.ts';
import type { GgufFamily } from '../family.ts';
import { ofArchitecture, publishedName, readerOf } from '../ggufDecoder.ts';
import { layerNorm } from '../norms.ts';
import { pairsExpected, ropeFields, ropeOf, turnedWidth, turnsPairs } from '../rope.ts';
import { rotaryAttention } from '../rotaryAttention.ts';
import { tables } from '../tables.ts';

const fields = z.object({
  ...ropeFields,
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  layer_norm_eps: z.number().positive().default(1e-5),
  hidden_act: z.enum(['gelu', 'gelu_new', 'gelu_pytorch_tanh']).default('gelu'),
  use_parallel_residual: z.boolean().default(true),
  attention_bias: biasField.default(true),
  rotary_pct: z.number().positive().max(1).default(0.25),
  rotary_emb_base: z.number().positive().default(10000),
  tie_word_embeddings: z.boolean().default(false),
});

const config = fields
  .refine((c) => (c.rope_theta ?? c.rotary_emb_base) === c.rotary_emb_base, {
    path: ['rope_theta'],
    message: 'expected the same as rotary_emb_base',
  })
  .transform((c, issues) => ({
    ...c,
    heads: headsOf(c, issues),
    rope: ropeOf(c, issues, { theta: c.rotary_emb_base, share: c.rotary_pct }),
  }))
  .refine(turnsPairs, pairsExpected);

const tensorNames = {
  container: 'gpt_neox.layers',
  block: {
    attn_norm: 'input_layernorm',
    attn_qkv: 'attention.query_key_value',
    attn_output: 'attention.dense',
    ffn_norm: 'post_attention_layernorm',
    ffn_up: 'mlp.dense_h_to_4h',
    ffn_down: 'mlp.dense_4h_to_h',
  },
  outer: { token_embd: 'gpt_neox.embed_in', output_norm: 'gpt_neox.final_layer_norm', output: 'embed_out' },
};

export const gptNeox: GgufFamily = {
  modelType: 'gpt_neox',
  keys: { applied: Object.keys(fields.shape) },
  decoder(given) {
    const c = config.parse(given);
    const { hidden_size: d, intermediate_size: inner, heads } = c;
    const names = ['gpt_neox.embed_in.weight', 'embed_out.weight'] as const;
    const { embedding, head, ...tied } = tables(names, [c.vocab_size, d], c.tie_word_embeddings);
    const activation = activations[c.hidden_act];
    const norm = (x: Node, at: string, scope: Scope) => layerNorm(x, at, scope, c.layer_norm_eps);
    /** The i-th third of each head's part of qkv [T, heads·3·h] → [T, d]. */
    const third = (qkv: Node, i: number) => {
      const apart = reshape(qkv, [qkv.shape[0]!, heads.query, 3 * heads.width]);
      return reshape(slice(apart, 2, i * heads.width, (i + 1) * heads.width), [qkv.shape[0]!, d]);
    };
    return {
      family: 'gpt_neox',
      width: d,
      blocks: c.num_hidden_layers,
      vocabulary: c.vocab_size,
      context: c.rope.context,
      ...tied,
      unused: /\.attention\.(masked_)?bias$/,
      embed: (scope, { ids }) => gather(embedding(scope), ids),
      block(layer, x, scope, pass) {
        const at = `gpt_neox.layers.${layer}`;
        const n = norm(x, `${at}.input_layernorm`, scope);
        const qkv = scope.linear(n, `${at}.attention.query_key_value`, d, 3 * d, c.attention_bias);
        const [query, key, value] = [third(qkv, 0), third(qkv, 1), third(qkv, 2)];
        const mixed = rotaryAttention({ layer, scope, pass }, { query, key, value }, heads, c.rope);
        const h = add(x, scope.linear(mixed, `${at}.attention.dense`, d, d, c.attention_bias));
        const m = norm(c.use_parallel_residual ? x : h, `${at}.post_attention_layernorm`, scope);
        const up = activation(scope.linear(m, `${at}.mlp.dense_h_to_4h`, d, inner, true));
        return add(h, scope.linear(up, `${at}.mlp.dense_4h_to_h`, inner, d, true));
      },
      finalNorm: (x, scope) => norm(x, 'gpt_neox.final_layer_norm', scope),
      finalGain: (scope) => scope.param('gpt_neox.final_layer_norm.weight', [d]),
      centres: true,
      unembedding: head,
    };
  },
  gguf: {
    architecture: 'gptneox',
    keys: ofArchitecture('gptneox', {
      applied: [
        'context_length',
        'embedding_length',
        'feed_forward_length',
        'block_count',
        'attention.head_count',
        'attention.layer_norm_epsilon',
        'rope.dimension_count',
        'rope.freq_base',
        'use_parallel_residual',
      ],
      withoutEffect: ['vocab_size'],
    }),
    config(metadata, tensors, where) {
      const read = readerOf(metadata, 'gptneox', where);
      const heads = read.number('attention.head_count');
      const width = read.number('embedding_length') / heads;
      return {
        vocab_size: tensors.get('token_embd.weight')?.shape[0],
        hidden_size: read.number('embedding_length'),
        intermediate_size: read.number('feed_forward_length'),
        num_hidden_layers: read.number('block_count'),
        num_attention_heads: heads,
        max_position_embeddings: read.number('context_length'),
        layer_norm_eps: read.number('attention.layer_norm_epsilon'),
        rotary_pct: read.number('rope.dimension_count', width) / width,
        rotary_emb_base: read.number('rope.freq_base', 10000),
        use_parallel_residual: read.get('use_parallel_residual') ?? true,
        attention_bias: 'as stored',
        tie_word_embeddings: !tensors.has('output.weight'),
      };
    },
    difference(given, own) {
      const facts = (raw: unknown) => {
        const c = config.parse(raw);
        return {
          num_attention_heads: c.heads.query,
          layer_norm_eps: c.layer_norm_eps,
          rotary_pct: turnedWidth(c.heads, c.rope),
          rotary_emb_base: c.rope.theta,
          use_parallel_residual: Number(c.use_parallel_residual),
        };
      };
      const [a, b] = [facts(given), facts(own)];
      const field = (Object.keys(a) as (keyof typeof a)[]).find(
        (key) => Math.abs(a[key] - b[key]) > 1e-6 * Math.abs(b[key]),
      );
      return field && { field, given: a[field], own: b[field] };
    },
    rename(name, given) {
      const found = publishedName(name, tensorNames);
      if (!found) return undefined;
      const { heads } = config.parse(given);
      return { target: found.target, ...(found.part === 'attn_qkv' && { interleaveHeads: heads.query }) };
    },
  },
};
