/**
 * Formats that no fixture has, and settings that the fixtures' files do not have: folders made here, against
 * each publisher's formula written out in float64.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../src/files/safetensors.ts';
import { referenceRuntime } from '../../src/runtime/reference.ts';
import type { SaeSaid } from '../../src/saes/formats/format.ts';
import { openSae, trainedLayer } from '../../src/study/open/openSae.ts';
import { f32 } from '../../src/tensor.ts';
import { temporaryFolder } from '../support/folder.ts';
import { checkpoint, dictionary, floatTensor, type Made } from '../support/torchWriter.ts';
import { runGraph } from './runGraph.ts';

const runtime = referenceRuntime();
const at = temporaryFolder();

const [d, N, T, k] = [4, 7, 5, 3];

/** Numbers in −1..1 of a seed. */
function numbers(count: number, seed: number): number[] {
  let state = seed * 7919 + 1;
  return Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return Math.fround((2 * state) / 2147483647 - 1);
  });
}

/** Rows of a matrix. */
const matrix = (values: readonly number[], columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, i) => values.slice(i * columns, (i + 1) * columns));
const flipped = (rows: readonly number[][]): number[][] => rows[0]!.map((_, j) => rows.map((row) => row[j]!));
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
const norm = (a: readonly number[]) => Math.hypot(...a);
const relu = (v: number) => Math.max(0, v);

/** Encoder [N, d], decoder rows [N, d], biases, and x [T, d]. */
const E = matrix(numbers(N * d, 1), d);
const D = matrix(numbers(N * d, 2), d);
const [b, e, m, r] = [numbers(d, 3), numbers(N, 4), numbers(N, 5), numbers(N, 6)];
const t = numbers(N, 7).map(Math.abs);
const X = matrix(
  numbers(T * d, 8).map((v) => 3 * v + 1),
  d,
);

const less = (x: readonly number[], by: readonly number[]) => x.map((v, j) => v - by[j]!);
const pre = (x: readonly number[], bias: readonly number[] = e) => E.map((row, i) => dot(row, x) + bias[i]!);
const decoded = (a: readonly number[], bias = b) => bias.map((v, j) => v + dot(a, flipped(D)[j]!));
const kept = (p: readonly number[]) => {
  const least = p.toSorted((one, other) => other - one)[k - 1]!;
  return p.map((v) => (v >= least ? relu(v) : 0));
};
const above = (p: readonly number[], limits: readonly number[]) =>
  p.map((v, i) => (v > limits[i]! ? relu(v) : 0));

/** a [N] of decoder rows as published, and x̂ [d]. */
type Formula = (x: readonly number[]) => { readonly a: number[]; readonly made: number[] };
const plainly =
  (encode: (x: readonly number[]) => number[]): Formula =>
  (x) => {
    const a = encode(x);
    return { a, made: decoded(a) };
  };

async function expectFormula(path: string, formula: Formula, said: SaeSaid = {}, scale = 1) {
  const sae = await openSae(path, said);
  const { z, reconstruction } = await runGraph(runtime, sae, Float32Array.from(X.flat()));
  const wanted = X.map(formula);
  const unit = wanted.flatMap(({ a }) => a.map((v, i) => (v * norm(D[i]!)) / scale));
  const error = (found: Float32Array, exact: readonly number[]) =>
    Math.max(...exact.map((v, i) => Math.abs(v - found[i]!)));
  expect([...z].map((v) => v > 0)).toEqual(unit.map((v) => v > 0));
  expect(error(z, unit)).toBeLessThan(1e-5);
  expect(
    error(
      reconstruction,
      wanted.flatMap(({ made }) => made),
    ),
  ).toBeLessThan(1e-5);
  return sae;
}

function put(name: string, bytes: Uint8Array | string): string {
  const path = at(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

/** A matrix as it stands, or a vector, as a tensor of a checkpoint. */
const torch = (rows: readonly number[][] | readonly number[]): Made => {
  const shape = Array.isArray(rows[0]) ? [rows.length, (rows[0] as number[]).length] : [rows.length];
  return floatTensor(shape, rows.flat());
};
const scalar = (value: number): Made => floatTensor([], [value]);
const wholeNumber = (value: number): Made => ({
  type: 'LongStorage',
  storage: new Uint8Array(BigInt64Array.of(BigInt(value)).buffer),
  length: 1,
  shape: [],
});
const save = (name: string, tensors: Readonly<Record<string, Made>>) =>
  put(name, checkpoint(dictionary(tensors)));

describe('Qwen-Scope', () => {
  const tensors = { W_enc: torch(E), W_dec: torch(flipped(D)), b_enc: torch(e), b_dec: torch(b) };
  const formula = plainly((x) => kept(pre(x)));

  it('takes k and model from the path, and the layer from the file', async () => {
    const path = save(`SAE-Res-Qwen3-8B-Base-W64K-L0_${k}/layer12.sae.pt`, tensors);
    const sae = await expectFormula(path, formula);
    expect([sae.trainedOn.model, trainedLayer(sae)]).toEqual(['Qwen/Qwen3-8B-Base', 12]);
    await expect(openSae(path, { k: 2 })).rejects.toThrow('expected k 3, as its path says, found 2');
  });

  it('asks for k where the path does not tell it', async () => {
    const path = save('qwen/layer3.sae.pt', tensors);
    await expect(openSae(path)).rejects.toThrow('its files do not say k');
    await expectFormula(path, formula, { k });
    await expect(openSae(path, { k: N + 1 })).rejects.toThrow(`expected a whole number from 1 to ${N}`);
    await expect(openSae(path, { k, kind: 'relu' })).rejects.toThrow(
      'expected kind topk, as its files say, found relu',
    );
  });

  it('asks which of several layers', async () => {
    for (const layer of [0, 1]) save(`several/layer${layer}.sae.pt`, tensors);
    await expect(openSae(at('several'), { k })).rejects.toThrow(
      'expected one file of a layer, found 2: name one, such as layer0.sae.pt',
    );
    expect(trainedLayer(await openSae(at('several', 'layer1.sae.pt'), { k }))).toBe(1);
  });
});

it('Goodfire: ReLU, its bias not subtracted, layer and model from the name', async () => {
  const path = save('goodfire/Llama-3.1-8B-Instruct-SAE-l19.pth', {
    'encoder_linear.weight': torch(E),
    'encoder_linear.bias': torch(e),
    'decoder_linear.weight': torch(flipped(D)),
    'decoder_linear.bias': torch(b),
  });
  const sae = await expectFormula(
    path,
    plainly((x) => pre(x).map(relu)),
  );
  expect([sae.trainedOn.model, trainedLayer(sae)]).toEqual(['Llama-3.1-8B-Instruct', 19]);
  expect((await openSae(dirname(path))).latents).toBe(N);
  await expect(openSae(path, { k: 3 })).rejects.toThrow('expected no k of a dictionary of Goodfire');
});

describe('OpenAI', () => {
  const tensors = {
    pre_bias: torch(b),
    latent_bias: torch(e),
    'encoder.weight': torch(E),
    'decoder.weight': torch(flipped(D)),
    stats_last_nonzero: wholeNumber(1),
  };
  const topk = {
    ...tensors,
    activation: 'TopK',
    activation_state_dict: dictionary({ k, postact_fn: 'ReLU' }),
  };

  it('ReLU', async () => {
    const path = save('openai/6.pt', { ...tensors, activation: 'ReLU' });
    await expectFormula(
      path,
      plainly((x) => pre(less(x, b)).map(relu)),
    );
  });

  it('TopK of a layer norm, at the end of a block by its path', async () => {
    const path = save('resid_post_mlp_v5_32k/autoencoders/6.pt', topk);
    const sae = await openSae(path);
    const { reconstruction, z } = await runGraph(runtime, sae, Float32Array.from(X.flat()));
    X.forEach((x, row) => {
      const mean = x.reduce((sum, v) => sum + v, 0) / d;
      const centred = x.map((v) => v - mean);
      const deviation = Math.sqrt(dot(centred, centred) / (d - 1));
      const a = kept(
        pre(
          less(
            centred.map((v) => v / (deviation + 1e-5)),
            b,
          ),
        ),
      );
      const made = decoded(a).map((v) => v * deviation + mean);
      made.forEach((v, j) => void expect(reconstruction[row * d + j]).toBeCloseTo(v, 4));
      a.forEach((v, i) => void expect(z[row * N + i]).toBeCloseTo(v * norm(D[i]!), 4));
    });
    expect([sae.trainedOn.model, trainedLayer(sae)]).toEqual(['gpt2', 6]);
  });

  it.each([
    ['mlp_post_act', 'blocks.2.mlp.hook_post'],
    ['resid_delta_mlp_v5_128k', 'blocks.2.hook_mlp_out'],
    ['resid_post_attn', 'blocks.2.hook_resid_mid'],
    ['resid_delta_attn', 'blocks.2.hook_attn_out'],
  ])('refuses %s by its name', async (place, hook) => {
    const path = save(`${place}/autoencoders/2.pt`, topk);
    await expect(openSae(path)).rejects.toThrow(`was trained on "${hook}"`);
  });

  it.each([
    [{ ...topk, activation: 'Identity' }, 'activation: expected ReLU, TopK, found "Identity"'],
    [
      { ...topk, activation_state_dict: dictionary({ k, postact_fn: 'Identity' }) },
      'activation_state_dict.postact_fn: expected ReLU, found "Identity"',
    ],
    [
      { ...topk, activation_state_dict: dictionary({ postact_fn: 'ReLU' }) },
      'activation_state_dict.k: expected a whole number from 1 to 7, found undefined',
    ],
  ])('refuses another activation', async (made, message) => {
    await expect(openSae(save('openai-other/1.pt', made))).rejects.toThrow(message);
  });
});

describe('plain weights', () => {
  const sized = { W_enc: E, W_dec: D, b_enc: e, b_dec: b };
  const stored = async (name: string, tensors: Readonly<Record<string, number[][] | number[]>>) => {
    const path = put(`plain/${name}/weights.safetensors`, '');
    const entries = Object.entries(tensors).map(([own, rows]) => {
      const shape = Array.isArray(rows[0]) ? [rows.length, (rows[0] as number[]).length] : [rows.length];
      return [own, f32(shape, rows.flat())] as const;
    });
    await writeSafetensors(path, entries);
    return path;
  };

  it.each([
    ['relu', (x: readonly number[]) => pre(less(x, b)).map(relu), {}],
    ['topk', (x: readonly number[]) => kept(pre(less(x, b))), { k }],
    ['relu', (x: readonly number[]) => pre(x).map(relu), { subtractBias: false }],
    ['jumprelu', (x: readonly number[]) => above(pre(x), Array(N).fill(0.25)), { threshold: 0.25 }],
  ] as const)('%s', async (kind, encode, more) => {
    const [one, other] = [
      await stored('rows', sized),
      await stored('columns', { ...sized, W_enc: flipped(E), W_dec: flipped(D) }),
    ];
    for (const path of [one, other]) await expectFormula(path, plainly(encode), { kind, ...more });
    const saved = { W_enc: torch(E), W_dec: torch(D), b_enc: torch(e), b_dec: torch(b) };
    await expectFormula(save('plain-pt/a.pt', saved), plainly(encode), { kind, ...more });
  });

  it('a threshold and a gate say the kind', async () => {
    const jump = await stored('jump', { ...sized, threshold: t });
    await expectFormula(
      jump,
      plainly((x) => above(pre(x), t)),
    );
    await expect(openSae(jump, { kind: 'relu' })).rejects.toThrow(
      'expected kind jumprelu, as its tensors say, found relu',
    );
    await expect(openSae(jump, { threshold: 1 })).rejects.toThrow(
      'expected no threshold, which is in its file',
    );
    const gate = await stored('gate', { W_enc: E, W_dec: D, b_dec: b, b_gate: e, b_mag: m, r_mag: r });
    await expectFormula(gate, plainly(gatedOf));
  });

  it('without b_dec nothing is subtracted or added', async () => {
    const path = await stored('unbiased', { W_enc: E, W_dec: D, b_enc: e });
    await expectFormula(
      path,
      (x) => {
        const a = pre(x).map(relu);
        return { a, made: decoded(a, Array(d).fill(0)) };
      },
      { kind: 'relu' },
    );
  });

  it('asks for what is not said', async () => {
    const path = await stored('unsaid', sized);
    await expect(openSae(path)).rejects.toThrow(
      'its files do not say the kind (relu, topk, jumprelu, gated): say it with --sae-kind, or sae.kind in study.yaml',
    );
    await expect(openSae(path, { kind: 'topk' })).rejects.toThrow('its files do not say k');
    await expect(openSae(path, { kind: 'jumprelu' })).rejects.toThrow('its files do not say the threshold');
    await expect(openSae(path, { kind: 'batchtopk' })).rejects.toThrow(
      'kind: expected relu, topk, jumprelu, gated, found "batchtopk"',
    );
  });
});

function gatedOf(x: readonly number[]): number[] {
  const product = pre(less(x, b), Array(N).fill(0));
  return product.map((p, i) => (p + e[i]! > 0 ? relu(p * Math.exp(r[i]!) + m[i]!) : 0));
}

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
