/**
 * Settings of the published formats that the fixtures' files do not have, and what is refused of each: folders made
 * here, against each publisher's formula written out in float64.
 */
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../src/files/safetensors.ts';
import { openSae, trainedLayer } from '../../src/study/open/openSae.ts';
import { f32 } from '../../src/tensor.ts';
import { temporaryFolder } from '../support/folder.ts';
import { npyFile } from '../support/npyWriter.ts';
import type { Made } from '../support/torchWriter.ts';
import { zipFile } from '../support/zipWriter.ts';
import {
  above,
  b,
  D,
  d,
  decoded,
  E,
  e,
  expectFormula,
  type Formula,
  filesIn,
  flipped,
  gatedOf,
  k,
  kept,
  less,
  m,
  N,
  norm,
  plainly,
  pre,
  r,
  relu,
  scalar,
  t,
  torch,
  wholeNumber,
} from './formulas.ts';

const at = temporaryFolder();
const { put, save } = filesIn(at);

describe('dictionary_learning', () => {
  const linear = { 'encoder.weight': torch(E), 'decoder.weight': torch(flipped(D)) };
  const plainNames = { W_enc: torch(flipped(E)), W_dec: torch(D), b_enc: torch(e), b_dec: torch(b) };
  const trainer = { layer: 2, submodule_name: 'resid_post_layer_2', lm_name: 'some/model' };
  function put_(dict_class: string, tensors: Readonly<Record<string, Made>>, more: object = {}, io = 'out') {
    const name = `dl/${dict_class}`;
    put(
      `${name}/config.json`,
      JSON.stringify({ trainer: { dict_class, ...trainer, ...more }, buffer: { io } }),
    );
    return dirname(save(`${name}/ae.pt`, tensors));
  }

  it.each<[string, Readonly<Record<string, Made>>, (x: readonly number[]) => number[]]>([
    [
      'AutoEncoderNew',
      { ...linear, 'encoder.bias': torch(e), 'decoder.bias': torch(b) },
      (x) => pre(x).map(relu),
    ],
    [
      'GatedAutoEncoder',
      { ...linear, decoder_bias: torch(b), gate_bias: torch(e), mag_bias: torch(m), r_mag: torch(r) },
      gatedOf,
    ],
    ['JumpReluAutoEncoder', { ...plainNames, threshold: torch(t) }, (x) => above(pre(x), t)],
    [
      'MatryoshkaBatchTopKSAE',
      { ...plainNames, k: wholeNumber(k), threshold: scalar(0.5), group_sizes: torch([1, 6]) },
      (x) => above(pre(less(x, b)), Array(N).fill(0.5)),
    ],
  ])('%s', async (name, tensors, encode) => {
    const sae = await expectFormula(put_(name, tensors), plainly(encode));
    expect(sae.trainedOn).toEqual({
      model: 'some/model',
      hook: 'resid_post_layer_2',
      site: { kind: 'resid_post', layer: 2 },
    });
  });

  const topk = { ...linear, 'encoder.bias': torch(e), b_dec: torch(b), k: wholeNumber(k) };
  it.each<[object, string, string]>([
    [{ dict_class: 'CrossCoder' }, 'out', 'trainer: dict_class: expected AutoEncoder,'],
    [{ dict_class: undefined }, 'out', 'trainer: dict_class: expected AutoEncoder,'],
    [{ k: 2 }, 'out', 'trainer: k: expected the tensor k (3), found 2'],
    [{ k, layer: 3 }, 'out', 'layer: expected that of submodule_name (resid_post_layer_2), found 3'],
    [{ k, dict_size: 9 }, 'out', "dict_size: expected the decoder's (7), found 9"],
    [{ k, submodule_name: 'mlp_out_layer_2' }, 'out', 'was trained on "mlp_out_layer_2"'],
    [{ k, submodule_name: 'model.layers.2.mlp' }, 'out', 'was trained on "model.layers.2.mlp"'],
    [{ k }, 'in_and_out', 'buffer: io: expected in, out, found "in_and_out"'],
  ])('refuses %j (%s)', async (more, io, message) => {
    await expect(openSae(put_('AutoEncoderTopK', topk, more, io))).rejects.toThrow(message);
  });

  it.each([
    [{ submodule_name: undefined }, 'out', 2],
    [{ submodule_name: undefined }, 'in', 1],
    [{ submodule_name: 'gpt_neox.layers.2' }, 'out', 2],
    [{ submodule_name: 'gpt_neox.layers.2' }, 'in', 1],
    [{ submodule_name: 'resid_pre_layer_2' }, 'out', 1],
    [{ submodule_name: undefined, layer: undefined }, 'out', undefined],
  ])('the site of %j (%s)', async (more, io, layer) => {
    const sae = await openSae(put_('AutoEncoderTopK', topk, { k, ...more }, io));
    expect(trainedLayer(sae)).toBe(layer);
  });
});

describe('Llama Scope', () => {
  const hyperparams = {
    d_model: d,
    d_sae: N,
    hook_point_in: 'blocks.3.hook_resid_post',
    hook_point_out: 'blocks.3.hook_resid_post',
    act_fn: 'jumprelu',
    jump_relu_threshold: 0.1,
    norm_activation: 'dataset-wise',
    dataset_average_activation_norm: { in: 5, out: 5 },
    sparsity_include_decoder_norm: true,
    apply_decoder_bias_to_pre_encoder: false,
    use_decoder_bias: true,
    use_glu_encoder: false,
    top_k: 50,
  };
  async function put_(change: object) {
    const name = 'Llama3_1-8B-Base-L3R-8x';
    put(`${name}/hyperparams.json`, JSON.stringify({ ...hyperparams, ...change }));
    const path = put(`${name}/checkpoints/final.safetensors`, '');
    await writeSafetensors(path, {
      'encoder.weight': f32([N, d], E.flat()),
      'encoder.bias': f32([N], e),
      'decoder.weight': f32([d, N], flipped(D).flat()),
      'decoder.bias': f32([d], b),
    });
    return at(name);
  }
  const s = Math.sqrt(d) / 5;
  const formula =
    (includesNorm: boolean): Formula =>
    (x) => {
      const p = pre(x.map((v) => s * v));
      const by = (i: number) => (includesNorm ? norm(D[i]!) : 1);
      const a = p.map((v, i) => (v * by(i) > 0.1 * s ? relu(v) : 0));
      return { a, made: decoded(a).map((v) => v / s) };
    };

  it.each([true, false])('with decoder norms in its sparsity: %s', async (includesNorm) => {
    const path = await put_({ sparsity_include_decoder_norm: includesNorm });
    const sae = await expectFormula(path, formula(includesNorm), {}, s);
    expect([trainedLayer(sae), sae.trainedOn.model]).toEqual([3, 'meta-llama/Llama-3.1-8B']);
  });

  it.each<[object, string]>([
    [{ act_fn: 'topk' }, 'act_fn: expected jumprelu, found "topk"'],
    [{ norm_activation: 'token-wise' }, 'norm_activation: expected dataset-wise, found "token-wise"'],
    [{ use_glu_encoder: true }, 'use_glu_encoder: expected false, found true'],
    [{ use_decoder_bias: false }, 'use_decoder_bias: expected true, found false'],
    [{ hook_point_out: 'blocks.3.hook_mlp_out' }, 'hook_point_out: expected the place that it reads'],
    [{ dataset_average_activation_norm: { in: 5, out: 6 } }, 'out: expected in (5), found 6'],
    [{ jump_relu_threshold: 'x' }, 'jump_relu_threshold: expected a number above 0, found "x"'],
    [{ d_sae: 8 }, 'd_sae: expected the latents of the decoder (7), found 8'],
  ])('refuses %j', async (change, message) => {
    await expect(openSae(await put_(change))).rejects.toThrow(message);
  });
});

describe('sparsify', () => {
  const config = { activation: 'topk', k, num_latents: 0, expansion_factor: 2, d_in: d };
  async function put_(name: string, change: object = {}) {
    put(`${name}/cfg.json`, JSON.stringify({ ...config, ...change }));
    const path = put(`${name}/sae.safetensors`, '');
    await writeSafetensors(path, {
      'encoder.weight': f32([N, d], E.flat()),
      'encoder.bias': f32([N], e),
      W_dec: f32([N, d], D.flat()),
      b_dec: f32([d], b),
    });
    return at(name);
  }

  it.each([
    ['layers.3', 3],
    ['h.0', 0],
    ['layers.3/seed1', 3],
    ['mine', undefined],
  ])('the site of the folder %s', async (name, layer) => {
    const sae = await expectFormula(
      await put_(name),
      plainly((x) => kept(pre(less(x, b)))),
    );
    expect(trainedLayer(sae)).toBe(layer);
  });

  it.each(['layers.3.mlp', 'embed_tokens', 'h.1.attn'])('refuses the folder %s by its name', async (name) => {
    await expect(openSae(await put_(name))).rejects.toThrow(`was trained on "${name}"`);
  });

  it.each<[object, string]>([
    [{ transcode: true }, 'transcode: expected false, found true'],
    [{ skip_connection: true }, 'skip_connection: expected false, found true'],
    [{ signed: true }, 'signed: expected false, found true'],
    [{ activation: 'groupmax' }, 'activation: expected topk, found "groupmax"'],
    [{ k: undefined }, 'k: expected a whole number from 1 to 7 (num_latents), found nothing'],
    [{ num_latents: 8 }, 'num_latents: expected the rows of the decoder (7), found 8'],
    [{ d_in: 5 }, 'd_in: expected the width of the decoder (4), found 5'],
  ])('refuses %j', async (change, message) => {
    await expect(openSae(await put_('layers.2', change))).rejects.toThrow(message);
  });
});

describe('Gemma Scope', () => {
  function put_(name: string, letter = 'W') {
    const array = (shape: string, values: readonly number[]) =>
      npyFile(
        `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`,
        new Uint8Array(Float32Array.from(values).buffer),
      );
    const arrays = {
      [`${letter}_enc`]: array(`(${d}, ${N})`, flipped(E).flat()),
      [`${letter}_dec`]: array(`(${N}, ${d})`, D.flat()),
      b_enc: array(`(${N},)`, e),
      b_dec: array(`(${d},)`, b),
      threshold: array(`(${N},)`, t),
    };
    const entries = Object.entries(arrays).map(([own, bytes]) => ({ name: `${own}.npy`, bytes }));
    return dirname(put(`${name}/params.npz`, zipFile(entries)));
  }

  it.each([
    ['gemma-scope-2b-pt-res/layer_20/width_16k/average_l0_71', 'W', 'google/gemma-2-2b', 20],
    [
      'models--google--gemma-scope-9b-it-res/snapshots/x/layer_9/width_16k/l0',
      'w',
      'google/gemma-2-9b-it',
      9,
    ],
    ['layer_3/width_16k/average_l0_71', 'W', undefined, 3],
    ['mine', 'w', undefined, undefined],
  ])('%s, %s_enc', async (name, letter, model, layer) => {
    const sae = await expectFormula(
      put_(name, letter),
      plainly((x) => above(pre(x), t)),
    );
    expect([sae.trainedOn.model, trainedLayer(sae)]).toEqual([model, layer]);
  });

  it.each([
    ['gemma-scope-2b-pt-mlp/layer_2/w', 'blocks.2.hook_mlp_out'],
    ['gemma-scope-2b-pt-att/layer_2/w', 'blocks.2.attn.hook_z'],
    ['gemma-scope-2b-pt-transcoders/layer_2/w', 'blocks.2.ln2.hook_normalized (a transcoder)'],
    ['gemma-scope-2b-pt-res/embedding/w', 'hook_embed'],
  ])('refuses %s by its name', async (name, hook) => {
    await expect(openSae(put_(name))).rejects.toThrow(`was trained on "${hook}"`);
  });
});

describe('Gemma Scope 2', () => {
  const config = { architecture: 'jump_relu', type: 'sae', affine_connection: false, width: N };
  async function put_(change: object) {
    put('g2/config.json', JSON.stringify({ ...config, ...change }));
    await writeSafetensors(put('g2/params.safetensors', ''), {
      w_enc: f32([d, N], flipped(E).flat()),
      w_dec: f32([N, d], D.flat()),
      b_enc: f32([N], e),
      b_dec: f32([d], b),
      threshold: f32([N], t),
    });
    return at('g2');
  }

  it.each<[object, string]>([
    [{ type: 'transcoder' }, 'type: expected sae, found "transcoder"'],
    [{ affine_connection: true }, 'affine_connection: expected false, found true'],
    [{ architecture: 'relu' }, 'architecture: expected jump_relu, found "relu"'],
    [{ width: 9 }, 'width: expected the number of latents (7), found 9'],
    [
      { hf_hook_point_in: 'model.layers.1.output', hf_hook_point_out: 'model.layers.2.output' },
      'hf_hook_point_out: expected the place that it reads (model.layers.1.output)',
    ],
    [
      { hf_hook_point_in: 'model.layers.1.self_attn.o_proj.input' },
      'was trained on "model.layers.1.self_attn.o_proj.input"',
    ],
  ])('refuses %j', async (change, message) => {
    await expect(openSae(await put_(change))).rejects.toThrow(message);
  });

  it('reads the input of a block as the one before', async () => {
    expect(trainedLayer(await openSae(await put_({ hf_hook_point_in: 'model.layers.4.input' })))).toBe(3);
  });
});
