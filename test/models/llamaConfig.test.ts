/** What the Llama family refuses, each in one clear line; and how its GGUF files are named and described. */
import { describe, expect, it } from 'vitest';
import { llama } from '../../src/models/families/llama.ts';
import { decoderOf, familyOfGguf, readDecoder } from '../../src/models/families.ts';
import { gradientGraph, logitsGraph, lossGraph, residualGraph } from '../../src/models/passes.ts';
import { f32 } from '../../src/tensor.ts';
import { refusal } from '../support/refusal.ts';
import { type Tiny, tinyModel } from '../support/tinyModel.ts';

describe('what a llama refuses, in one line', () => {
  const { config } = tinyModel();

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['another activation', { hidden_act: 'gelu' }, /^config: hidden_act: .*"silu".*, found "gelu"$/],
    ['heads of odd width', { head_dim: 7 }, /^config: .*width of a head must be even/],
    ['heads of a broken width', { head_dim: null, hidden_size: 18 }, /width of a head must be even/],
    ['heads that do not divide', { num_key_value_heads: 3 }, /multiple of num_key_value_heads/],
    [
      'an unknown scaling',
      { rope_scaling: { rope_type: 'ntk' } },
      /rope_scaling\.rope_type: .*'llama3'.*found "ntk"/,
    ],
    ['the same, older', { rope_scaling: { type: 'su' } }, /rope_scaling\.rope_type: .*'llama3'/],
    ['the same, newer', { rope_parameters: { rope_type: 'su' } }, /rope_parameters\.rope_type: .*"su"/],
    ['yarn without a factor', { rope_scaling: { rope_type: 'yarn' } }, /rope_scaling\.factor: .*number/],
    ['half a scaling', { rope_scaling: { rope_type: 'linear' } }, /rope_scaling\.factor: .*number/],
    ['a scaling that is no object', { rope_scaling: 'linear' }, /rope_scaling: .*record/],
    ['interleaved rope', { rope_interleaved: true }, /rope_interleaved: .*found true/],
    ['a missing size', { hidden_size: undefined }, /hidden_size: .*number, received undefined/],
    ['a negative size', { vocab_size: -1 }, /vocab_size: .*found -1/],
    ['a size in words', { vocab_size: 'many' }, /vocab_size: .*found "many"/],
    ['an unknown family', { model_type: 'bloom' }, /model_type: expected one of .*llama.*found "bloom"/],
    ['no family', { model_type: undefined }, /model_type: expected one of .*found undefined/],
  ])('%s', (_, over, message) => {
    expect(refusal(() => decoderOf({ ...config, ...over }, 'config'))).toMatch(message);
  });

  it.each([[null], [[]], ['llama'], [3]])('the config %j', (given) => {
    expect(refusal(() => decoderOf(given, 'config'))).toMatch(/^config: model_type: expected one of/);
  });

  const graphs = {
    logits: logitsGraph,
    residual: (model: Tiny['model']) => residualGraph(model, [2]),
    loss: (model: Tiny['model']) => lossGraph(model, 0),
    gradient: (model: Tiny['model']) => gradientGraph(model, 0),
  };

  it.each(Object.entries(graphs))('a missing weight or one of another shape: %s', (_, graph) => {
    const name = 'model.layers.2.mlp.up_proj.weight';
    const { model, weights } = tinyModel();
    weights.delete(name);
    expect(refusal(() => graph(model))).toBe(`tiny: weight ${name} is missing`);
    weights.set(name, f32([16, 20], Array(320).fill(0)));
    expect(refusal(() => graph(model))).toBe(
      `tiny: weight ${name}: config expects [20,16], the file has [16,20]`,
    );
  });

  it('an untied model without lm_head; a config whose heads its weights do not have, however wide', () => {
    const { model, weights } = tinyModel();
    weights.delete('lm_head.weight');
    expect(refusal(() => logitsGraph(model))).toBe('tiny: weight lm_head.weight is missing');
    const decoder = decoderOf({ ...config, head_dim: 2 ** 40 }, 'config');
    expect(refusal(() => residualGraph({ ...model, decoder }, [0]))).toMatch(
      /q_proj.* expects \[4398046511104,16\]/,
    );
  });

  it.each([-1, 3, 0.5, Number.NaN])('the site %d', (layer) => {
    const { model } = tinyModel();
    const message = `site resid_post ${layer}: tiny has blocks 0 to 2`;
    for (const graph of [lossGraph, gradientGraph]) expect(refusal(() => graph(model, layer))).toBe(message);
    expect(refusal(() => residualGraph(model, [0, layer]))).toBe(message);
  });
});

describe('llama as GGUF', () => {
  const metadata = new Map<string, unknown>([
    ['llama.embedding_length', 16],
    ['llama.feed_forward_length', 20n],
    ['llama.block_count', 3],
    ['llama.attention.head_count', 4],
    ['llama.attention.layer_norm_rms_epsilon', 1e-5],
  ]);
  const tensors = new Map([['token_embd.weight', { shape: [29, 16] }]]);
  const read = (more: readonly [string, unknown][] = [], also: readonly string[] = []) =>
    llama.gguf.config(
      new Map([...metadata, ...more]),
      new Map([...tensors.keys(), ...also].map((name) => [name, { shape: [29, 16] }])),
      'x.gguf',
    );

  it('renames every tensor, with the heads whose rows are interleaved', () => {
    const { config } = tinyModel();
    const renamed = (name: string) => llama.gguf.rename(name, config);
    const inBlock = {
      attn_norm: 'input_layernorm',
      attn_v: 'self_attn.v_proj',
      attn_output: 'self_attn.o_proj',
      ffn_norm: 'post_attention_layernorm',
      ffn_gate: 'mlp.gate_proj',
      ffn_up: 'mlp.up_proj',
      ffn_down: 'mlp.down_proj',
    };
    for (const [gguf, module] of Object.entries(inBlock))
      expect(renamed(`blk.12.${gguf}.weight`)).toEqual({ target: `model.layers.12.${module}.weight` });
    for (const kind of ['weight', 'bias']) {
      const q = { target: `model.layers.0.self_attn.q_proj.${kind}`, unpermuteHeads: 4 };
      const k = { target: `model.layers.0.self_attn.k_proj.${kind}`, unpermuteHeads: 2 };
      expect([renamed(`blk.0.attn_q.${kind}`), renamed(`blk.0.attn_k.${kind}`)]).toEqual([q, k]);
    }
    const outer = {
      token_embd: 'model.embed_tokens',
      output_norm: 'model.norm',
      output: 'lm_head',
      rope_freqs: 'rope_freqs',
    };
    for (const [gguf, module] of Object.entries(outer))
      expect(renamed(`${gguf}.weight`)).toEqual({ target: `${module}.weight` });
  });

  it.each(['blk.0.ffn_gate_inp.weight', 'blk.0.attn_q', 'blk.x.attn_q.weight', 'position_embd.weight', ''])(
    'does not know %j',
    (name) => expect(llama.gguf.rename(name, tinyModel().config)).toBeUndefined(),
  );

  it.each(['constructor.weight', 'blk.0.constructor.weight', '__proto__.weight', 'blk.0.__proto__.bias'])(
    'does not take %j from the prototype of its table',
    (name) => expect(llama.gguf.rename(name, tinyModel().config)).toBeUndefined(),
  );

  it('reads the config from metadata, with llama.cpp defaults', () => {
    const plain = {
      vocab_size: 29,
      hidden_size: 16,
      intermediate_size: 20,
      num_hidden_layers: 3,
      num_attention_heads: 4,
      num_key_value_heads: 4,
      head_dim: 4,
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-5,
      rope_theta: 10000,
      rope_scaling: { rope_type: 'default' },
      tie_word_embeddings: true,
      attention_bias: 'as stored',
      mlp_bias: 'as stored',
    };
    expect(read()).toEqual(plain);
    const more: [string, unknown][] = [
      ['llama.attention.head_count_kv', 2],
      ['llama.attention.key_length', 8],
      ['llama.context_length', 512],
      ['llama.rope.freq_base', 5e5],
    ];
    expect(read(more, ['output.weight', 'rope_freqs.weight'])).toEqual({
      ...plain,
      num_key_value_heads: 2,
      head_dim: 8,
      max_position_embeddings: 512,
      rope_theta: 5e5,
      rope_scaling: { rope_type: 'factors' },
      tie_word_embeddings: false,
    });
    expect(readDecoder(llama, read(more), 'x.gguf')).toMatchObject({
      width: 16,
      blocks: 3,
      vocabulary: 29,
      context: 512,
    });
  });

  it('reads a linear scaling, and refuses the ones that it does not have', () => {
    const scaled = (type: string, also: readonly string[] = []) => {
      const more: [string, unknown][] = [
        ['llama.rope.scaling.type', type],
        ['llama.rope.scaling.factor', 4],
      ];
      return read(more, also) as { rope_scaling: unknown };
    };
    expect(scaled('none').rope_scaling).toEqual({ rope_type: 'default' });
    expect(scaled('none', ['rope_freqs.weight']).rope_scaling).toEqual({ rope_type: 'factors' });
    expect(scaled('linear').rope_scaling).toEqual({ rope_type: 'linear', factor: 4 });
    expect(scaled('linear', ['rope_freqs.weight']).rope_scaling).toEqual({ rope_type: 'factors', factor: 4 });
    expect(refusal(() => scaled('longrope'))).toBe(
      'x.gguf: llama.rope.scaling.type: expected none or linear or yarn, found "longrope"',
    );
    expect(refusal(() => scaled('yarn', ['rope_freqs.weight']))).toMatch(
      /^x\.gguf: llama\.rope\.scaling\.type: .* beside rope_freqs\.weight, found "yarn"$/,
    );
  });

  it('says which key is missing or no number', () => {
    const missing = new Map(metadata);
    missing.delete('llama.block_count');
    expect(refusal(() => llama.gguf.config(missing, tensors, 'x.gguf'))).toBe(
      'x.gguf: metadata llama.block_count: expected a number, found undefined',
    );
    expect(refusal(() => read([['llama.embedding_length', 'wide']]))).toMatch(
      /expected a number, found "wide"/,
    );
    const mamba = new Map([['general.architecture', 'mamba']]);
    expect(refusal(() => familyOfGguf(mamba, 'x.gguf'))).toMatch(/general\.architecture: .*llama.*"mamba"/);
    const noTable = llama.gguf.config(metadata, new Map(), 'x.gguf');
    expect(refusal(() => readDecoder(llama, noTable, 'x.gguf'))).toMatch(/^x\.gguf: vocab_size: .*undefined/);
  });
});
