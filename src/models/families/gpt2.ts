/**
 * GPT-2: learned positions, layer norms, an MLP without a gate; weights of linear modules lie as [inputs, outputs].
 * Maths as in transformers' modeling_gpt2.
 */
import { z } from 'zod';
import { add, asIndex, gather, reshape, slice } from '../../graph/build.ts';
import type { Node } from '../../graph/node.ts';
import { activations } from '../activations.ts';
import type { Scope } from '../decoder.ts';
import { headsOf, size } from '../decoderConfig.ts';
import type { GgufFamily } from '../family.ts';
import { ofArchitecture, publishedName, readerOf } from '../ggufDecoder.ts';
import { layerNorm } from '../norms.ts';
import { tables } from '../tables.ts';

const fields = z.object({
  vocab_size: size,
  n_embd: size,
  n_layer: size,
  n_head: size,
  n_positions: size.default(1024),
  n_inner: size.nullish(),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  activation_function: z.enum(['gelu_new', 'gelu', 'gelu_pytorch_tanh']).default('gelu_new'),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
});

const config = fields.transform((c, issues) => ({
  ...c,
  inner: c.n_inner ?? 4 * c.n_embd,
  heads: headsOf({ hidden_size: c.n_embd, num_attention_heads: c.n_head }, issues),
}));

const tensorNames = {
  container: 'transformer.h',
  block: {
    attn_norm: 'ln_1',
    attn_qkv: 'attn.c_attn',
    attn_output: 'attn.c_proj',
    ffn_norm: 'ln_2',
    ffn_up: 'mlp.c_fc',
    ffn_down: 'mlp.c_proj',
  },
  outer: {
    token_embd: 'transformer.wte',
    position_embd: 'transformer.wpe',
    output_norm: 'transformer.ln_f',
    output: 'lm_head',
  },
};

/** Modules whose weights are [inputs, outputs]: transformers' Conv1D. */
const transposed = (module: string) => /\.(c_attn|c_proj|c_fc)$/.test(module);

export const gpt2: GgufFamily = {
  modelType: 'gpt2',
  keys: {
    applied: Object.keys(fields.shape),
    withoutEffect: [
      'n_ctx',
      'n_special',
      'predict_special_tokens',
      'reorder_and_upcast_attn',
      'summary_*',
      '_num_labels',
    ],
  },
  publishedName: (name) => (/^(h|wte|wpe|ln_f)\./.test(name) ? `transformer.${name}` : name),
  decoder(given) {
    const c = config.parse(given);
    const { n_embd: d, inner, heads } = c;
    const names = ['transformer.wte.weight', 'lm_head.weight'] as const;
    const { embedding, head, ...tied } = tables(names, [c.vocab_size, d], c.tie_word_embeddings);
    const activation = activations[c.activation_function];
    const norm = (x: Node, at: string, scope: Scope) => layerNorm(x, at, scope, c.layer_norm_epsilon);
    const scaleOf = (layer: number) =>
      (c.scale_attn_weights ? heads.width ** -0.5 : 1) / (c.scale_attn_by_inverse_layer_idx ? layer + 1 : 1);
    return {
      family: 'gpt2',
      width: d,
      blocks: c.n_layer,
      vocabulary: c.vocab_size,
      context: c.n_positions,
      ...tied,
      transposed,
      unused: /\.attn\.(masked_)?bias$/,
      embed(scope, { ids, positions }) {
        const places = asIndex(reshape(positions, [positions.shape[0]!]));
        const learned = gather(scope.param('transformer.wpe.weight', [c.n_positions, d]), places);
        return add(gather(embedding(scope), ids), learned);
      },
      block(layer, x, scope, pass) {
        const at = `transformer.h.${layer}`;
        const qkv = scope.linear(norm(x, `${at}.ln_1`, scope), `${at}.attn.c_attn`, d, 3 * d, true);
        const [query, key, value] = [0, 1, 2].map((i) => slice(qkv, 1, i * d, (i + 1) * d));
        const mixed = pass.attend(layer, query!, key!, value!, heads, { scale: scaleOf(layer) });
        const h = add(x, scope.linear(mixed, `${at}.attn.c_proj`, d, d, true));
        const up = scope.linear(norm(h, `${at}.ln_2`, scope), `${at}.mlp.c_fc`, d, inner, true);
        return add(h, scope.linear(activation(up), `${at}.mlp.c_proj`, inner, d, true));
      },
      finalNorm: (x, scope) => norm(x, 'transformer.ln_f', scope),
      finalGain: (scope) => scope.param('transformer.ln_f.weight', [d]),
      centres: true,
      unembedding: head,
    };
  },
  gguf: {
    architecture: 'gpt2',
    keys: ofArchitecture('gpt2', {
      applied: [
        'context_length',
        'embedding_length',
        'feed_forward_length',
        'block_count',
        'attention.head_count',
        'attention.layer_norm_epsilon',
      ],
      withoutEffect: ['vocab_size'],
    }),
    config(metadata, tensors, where) {
      const read = readerOf(metadata, 'gpt2', where);
      return {
        vocab_size: tensors.get('token_embd.weight')?.shape[0],
        n_embd: read.number('embedding_length'),
        n_layer: read.number('block_count'),
        n_head: read.number('attention.head_count'),
        n_positions: read.number('context_length'),
        n_inner: read.number('feed_forward_length'),
        layer_norm_epsilon: read.number('attention.layer_norm_epsilon'),
        tie_word_embeddings: !tensors.has('output.weight'),
      };
    },
    difference(given, own) {
      const [a, b] = [config.parse(given), config.parse(own)];
      for (const field of ['n_head', 'layer_norm_epsilon'] as const)
        if (Math.abs(a[field] - b[field]) > 1e-6 * b[field]) return { field, given: a[field], own: b[field] };
      return undefined;
    },
    rename(name) {
      const found = publishedName(name, tensorNames);
      if (!found) return undefined;
      const { target } = found;
      return { target, ...(transposed(target.replace(/\.weight$/, '')) && { transposed: true }) };
    },
  },
};
