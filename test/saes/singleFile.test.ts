/** Formats of a single file, against each publisher's formula written out in float64. */
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../src/files/safetensors.ts';
import { openChosenSae, openSae, trainedLayer } from '../../src/study/open/openSae.ts';
import { f32 } from '../../src/tensor.ts';
import { temporaryFolder } from '../support/folder.ts';
import { dictionary } from '../support/torchWriter.ts';
import {
  above,
  b,
  D,
  d,
  decoded,
  dot,
  E,
  e,
  expectFormula,
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
  runtime,
  t,
  torch,
  wholeNumber,
  X,
} from './formulas.ts';
import { runGraph } from './runGraph.ts';

const at = temporaryFolder();
const { put, save } = filesIn(at);

describe('Qwen-Scope', () => {
  const tensors = { W_enc: torch(E), W_dec: torch(flipped(D)), b_enc: torch(e), b_dec: torch(b) };
  const formula = plainly((x) => kept(pre(x)));

  it('takes k and model from the path, and the layer from the file', async () => {
    const path = save(`SAE-Res-Qwen3-8B-Base-W64K-L0_${k}/layer12.sae.pt`, tensors);
    const sae = await expectFormula(path, formula);
    expect([sae.trainedOn.model, trainedLayer(sae)]).toEqual(['Qwen/Qwen3-8B-Base', 12]);
    await expect(openChosenSae({ path, k: 2 })).rejects.toThrow('expected k 3, as its path says, found 2');
  });

  it('asks for k where the path does not tell it', async () => {
    const path = save('qwen/layer3.sae.pt', tensors);
    await expect(openSae(path)).rejects.toThrow('its files do not say k');
    await expectFormula(path, formula, { k });
    await expect(openChosenSae({ path, k: N + 1 })).rejects.toThrow(`expected a whole number from 1 to ${N}`);
    await expect(openChosenSae({ path, k, kind: 'relu' })).rejects.toThrow(
      'expected kind topk, as its files say, found relu',
    );
  });

  it('takes k and model from the config.json beside it', async () => {
    const own = { model_type: 'topk_sae', base_model: 'Qwen/Qwen3-1.7B-Base', k, hook_point: 'resid_post' };
    const says = (folder: string, over: object = {}) =>
      put(`${folder}/config.json`, JSON.stringify({ ...own, ...over }));
    const path = save('described/layer5.sae.pt', tensors);
    says('described');
    const sae = await expectFormula(path, formula);
    expect([sae.trainedOn.model, trainedLayer(sae)]).toEqual(['Qwen/Qwen3-1.7B-Base', 5]);
    says('described', { hook_point: 'mlp_out' });
    await expect(openSae(path)).rejects.toThrow('hook_point: expected resid_post, found "mlp_out"');
    const other = save(`SAE-Res-Qwen3-8B-Base-W64K-L0_${k}/layer1.sae.pt`, tensors);
    says(`SAE-Res-Qwen3-8B-Base-W64K-L0_${k}`, { k: k + 1 });
    await expect(openSae(other)).rejects.toThrow(`k: expected ${k}, as the path says, found ${k + 1}`);
  });

  it('asks which of several layers', async () => {
    for (const layer of [0, 1]) save(`several/layer${layer}.sae.pt`, tensors);
    await expect(openChosenSae({ path: at('several'), k })).rejects.toThrow(
      'expected one file of a layer, found 2: name one, such as layer0.sae.pt',
    );
    expect(trainedLayer(await openChosenSae({ path: at('several', 'layer1.sae.pt'), k }))).toBe(1);
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
  await expect(openChosenSae({ path, k: 3 })).rejects.toThrow('expected no k of a dictionary of Goodfire');
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
    await expect(openChosenSae({ path: jump, kind: 'relu' })).rejects.toThrow(
      'expected kind jumprelu, as its tensors say, found relu',
    );
    await expect(openChosenSae({ path: jump, threshold: 1 })).rejects.toThrow(
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
    await expect(openChosenSae({ path, kind: 'topk' })).rejects.toThrow('its files do not say k');
    await expect(openChosenSae({ path, kind: 'jumprelu' })).rejects.toThrow(
      'its files do not say the threshold',
    );
    await expect(openChosenSae({ path, kind: 'batchtopk' })).rejects.toThrow(
      'kind: expected relu, topk, jumprelu, gated, found "batchtopk"',
    );
  });
});
