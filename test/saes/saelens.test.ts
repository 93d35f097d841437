/**
 * The SAELens layout: settings of both generations, what is refused and how, hostile configurations.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { referenceRuntime } from '../../src/runtime/reference.ts';
import { saelens } from '../../src/saes/formats/saelens.ts';
import type { Sae } from '../../src/saes/sae.ts';
import { type Case, kinds, makeFiles } from './made.ts';
import { runGraph } from './runGraph.ts';

const runtime = referenceRuntime();

const [d, N] = [2, 3];

function weightsOf(architecture: string): Case['weights'] {
  const vector = (length: number) => ({ shape: [length], values: Array<number>(length).fill(1) });
  const matrix = (rows: number, columns: number) => ({
    shape: [rows, columns],
    values: Array<number>(rows * columns).fill(1),
  });
  const own = {
    standard: ['b_enc'],
    topk: ['b_enc'],
    jumprelu: ['b_enc', 'threshold'],
    gated: ['b_gate', 'b_mag', 'r_mag'],
  }[architecture]!;
  return {
    W_enc: matrix(d, N),
    W_dec: matrix(N, d),
    b_dec: vector(d),
    ...Object.fromEntries(own.map((name) => [name, vector(N)])),
  };
}

function open(change: Record<string, unknown>, weights = weightsOf('standard')): Promise<Sae> {
  return saelens.open(makeFiles({ architecture: 'standard', d_in: d, d_sae: N, ...change }, weights));
}

describe('settings', () => {
  it.each(kinds)('version 6: %s', async (architecture) => {
    const config = {
      architecture,
      k: 2,
      dtype: 'bfloat16',
      device: 'cuda',
      reshape_activations: 'none',
      normalize_activations: 'none',
      metadata: {
        model_name: 'some/model',
        hook_name: 'blocks.4.hook_resid_pre',
        hook_head_index: null,
        sae_lens_version: '6.54.12',
      },
      never_heard_of: { it: 1 },
    };
    const sae = await open(config, weightsOf(architecture));
    expect([sae.kind.name, sae.width, sae.latents, sae.where]).toEqual([
      architecture === 'standard' ? 'relu' : architecture,
      d,
      N,
      'made',
    ]);
    expect(sae.trainedOn).toEqual({
      model: 'some/model',
      hook: 'blocks.4.hook_resid_pre',
      site: { kind: 'resid_pre', layer: 4 },
    });
  });

  it('the flat layout of version 5 and older', async () => {
    const old = {
      architecture: 'standard',
      model_name: 'gpt2-small',
      hook_name: 'blocks.8.hook_resid_post',
      hook_layer: 8,
      hook_head_index: null,
      activation_fn_str: 'relu',
      activation_fn_kwargs: {},
      finetuning_scaling_factor: false,
      normalize_activations: 'none',
      sae_lens_training_version: null,
    };
    const sae = await open(old);
    expect([sae.kind.name, sae.trainedOn]).toEqual([
      'relu',
      { model: 'gpt2-small', hook: 'blocks.8.hook_resid_post', site: { kind: 'resid_post', layer: 8 } },
    ]);
    const oldest = { architecture: null, hook_point: 'blocks.1.hook_mlp_out', normalize_activations: false };
    expect((await open(oldest)).trainedOn).toEqual({
      model: undefined,
      hook: 'blocks.1.hook_mlp_out',
      site: undefined,
    });
  });

  it.each(['activation_fn', 'activation_fn_str'])(
    'top-k written as an activation function: %s',
    async (field) => {
      const sae = await open({
        [field]: 'topk',
        activation_fn_kwargs: { k: 1 },
        apply_b_dec_to_input: false,
      });
      expect(sae.kind.name).toBe('topk');
      const { z } = await runGraph(runtime, sae, Float32Array.of(1, 1));
      expect([...z]).toEqual([Math.fround(3 * Math.SQRT2), 0, 0]);
    },
  );

  it.each([
    ['blocks.0.hook_out', { kind: 'resid_post', layer: 0 }],
    ['blocks.11.hook_in', { kind: 'resid_pre', layer: 11 }],
    ['blocks.11.attn.hook_out', undefined],
    ['blocks.99999999999999999999.hook_resid_post', undefined],
  ])('the site of %s', async (hook_name, site) => {
    expect((await open({ metadata: { hook_name } })).trainedOn.site).toEqual(site);
  });

  it.each([true, 'expected_average_only_in'])(
    'average-norm scaling does nothing at run time: %s',
    async (how) => {
      const [scaled, plain] = [await open({ normalize_activations: how }), await open({})];
      expect(await scaled.arithmetic()).toEqual(await plain.arithmetic());
    },
  );

  it('a scaling factor of ones is left out, any other refused', async () => {
    const with_ = (...values: number[]) => ({
      ...weightsOf('standard'),
      scaling_factor: { shape: [N], values },
    });
    expect((await open({}, with_(1, 1, 1))).kind.name).toBe('relu');
    await expect(open({}, with_(1, 1, 1.5))).rejects.toThrow(
      new InputError('made: tensor scaling_factor: expected ones, found 1.5'),
    );
  });
});

describe('refused, naming the setting and its value', () => {
  it.each<[Record<string, unknown>, string]>([
    [
      { architecture: 'batchtopk' },
      'architecture: expected standard, topk, jumprelu, gated, found "batchtopk"',
    ],
    [{ d_in: undefined }, 'd_in: expected a whole number from 1 to 2147483648, found nothing'],
    [{ d_sae: 1.5 }, 'd_sae: expected a whole number from 1 to 2147483648, found 1.5'],
    [{ architecture: 'topk', k: 0 }, 'k: expected a whole number from 1 to 3 (d_sae), found 0'],
    [{ architecture: 'topk', k: 4 }, 'k: expected a whole number from 1 to 3 (d_sae), found 4'],
    [{ architecture: 'topk' }, 'k: expected a whole number from 1 to 3 (d_sae), found nothing'],
    [{ architecture: 'topk', k: '2' }, 'k: expected a whole number from 1 to 3 (d_sae), found "2"'],
    [
      { architecture: 'topk', k: 2, activation_fn_kwargs: { k: 1 } },
      'k: expected activation_fn_kwargs.k (1), found 2',
    ],
    [{ activation_fn: 'tanh-relu' }, 'activation_fn: expected relu, topk, found "tanh-relu"'],
    [
      { architecture: 'gated', activation_fn: 'topk' },
      'activation_fn: expected relu with architecture gated, found "topk"',
    ],
    [{ apply_b_dec_to_input: 'yes' }, 'apply_b_dec_to_input: expected true or false, found "yes"'],
    [
      { normalize_activations: 'covariance_whitening' },
      'normalize_activations: expected none, expected_average_only_in, constant_norm_rescale, layer_norm, found "covariance_whitening"',
    ],
    [
      { normalize_activations: 'layer_norm', d_in: 1 },
      'normalize_activations: expected another normalisation for d_in 1, found "layer_norm"',
    ],
    [{ reshape_activations: 'hook_z' }, 'reshape_activations: expected none, found "hook_z"'],
    [
      { hook_name: 'blocks.1.attn.hook_z' },
      'reshape_activations: expected none (hook blocks.1.attn.hook_z implies hook_z), found nothing',
    ],
    [{ finetuning_scaling_factor: true }, 'finetuning_scaling_factor: expected false, found true'],
    [{ hook_head_index: 3 }, 'hook_head_index: expected null (all heads), found 3'],
    [{ metadata: { hook_head_index: 3 } }, 'metadata: hook_head_index: expected null (all heads), found 3'],
    [
      { metadata: { hook_name: 'a', hook_name_out: 'b' } },
      'metadata: hook_name_out: expected the hook it reads (a), found "b"',
    ],
    [{ d_out: 5 }, 'd_out: expected d_in (2), found 5'],
    [
      { rescale_acts_by_decoder_norm: true },
      'rescale_acts_by_decoder_norm: expected false with architecture standard, found true',
    ],
    [{ metadata: [] }, 'metadata: expected an object, found a list of 0'],
    [{ metadata: { hook_name: 5 } }, 'metadata: hook_name: expected text, found 5'],
    [{ model_name: {} }, 'model_name: expected text, found an object'],
  ])('%j', async (change, message) => {
    await expect(open(change)).rejects.toThrow(new InputError(`made: cfg.json: ${message}`));
  });

  it.each([
    [null, 'null'],
    [[1], 'a list of 1'],
    ['x'.repeat(100), `"${'x'.repeat(59)}…`],
  ])('a configuration that is no object', async (config, found) => {
    const files = makeFiles(config, weightsOf('standard'));
    await expect(saelens.open(files)).rejects.toThrow(
      new InputError(`made: cfg.json: expected an object, found ${found}`),
    );
  });
});

describe('tensors that do not fit the settings', () => {
  it.each(kinds)('any missing, or of another shape: %s', async (architecture) => {
    const all = weightsOf(architecture);
    for (const [name, { shape }] of Object.entries(all)) {
      const { [name]: _, ...rest } = all;
      await expect(open({ architecture, k: 1 }, rest)).rejects.toThrow(
        new InputError(`made: tensor ${name} of shape [${shape}] is missing`),
      );
      const grown = { ...all, [name]: { shape: [...shape, 1], values: all[name]!.values } };
      await expect(open({ architecture, k: 1 }, grown)).rejects.toThrow(
        new InputError(`made: tensor ${name}: expected shape [${shape}], found [${shape},1]`),
      );
    }
  });

  it('one that nobody reads', async () => {
    await expect(open({}, weightsOf('jumprelu'))).rejects.toThrow(
      new InputError('made: expected only tensors W_enc, W_dec, b_dec, b_enc, found "threshold"'),
    );
  });

  it('integers', async () => {
    const files = makeFiles({ d_in: d, d_sae: N }, weightsOf('standard'), 'i32');
    await expect(saelens.open(files)).rejects.toThrow(
      new InputError('made: tensor W_enc: expected float values, found i32'),
    );
  });
});

describe('hostile configurations', () => {
  const fields = [
    'architecture d_in d_sae k dtype apply_b_dec_to_input normalize_activations reshape_activations metadata hook_name',
    'hook_point hook_head_index hook_name_out d_out model_name activation_fn activation_fn_str activation_fn_kwargs',
    'finetuning_scaling_factor rescale_acts_by_decoder_norm __proto__ constructor toString',
  ].flatMap((line) => line.split(' '));
  const plausible = fc.constantFrom<unknown>(
    ...kinds,
    1,
    2,
    3,
    true,
    false,
    null,
    'none',
    'layer_norm',
    'relu',
  );
  const value = fc.oneof(plausible, fc.jsonValue(), fc.record({ k: plausible, hook_name: fc.string() }));
  const change = fc.dictionary(fc.constantFrom(...fields), value, { maxKeys: 4 });

  it('open, or give one line of InputError', async () => {
    let opened = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...kinds), change, async (architecture, other) => {
        const text = JSON.stringify({ architecture, d_in: d, d_sae: N, k: 2, ...other });
        try {
          const sae = await saelens.open(makeFiles(JSON.parse(text), weightsOf(architecture)));
          opened++;
          const { z } = await runGraph(runtime, sae, Float32Array.of(1, -2));
          expect(z.every((v) => v >= 0)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect((error as Error).message).toMatch(/^made: [^\n\r]{1,300}$/);
        }
      }),
      { numRuns: 1000 },
    );
    expect(opened).toBeGreaterThan(50);
  });

  it('a deeply nested value is refused, not followed', async () => {
    const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
    await expect(open({ architecture: deep })).rejects.toThrow(
      'architecture: expected standard, topk, jumprelu, gated, found a list of 1',
    );
  });
});
