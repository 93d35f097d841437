/** Dictionaries, a seed for each kind of each registered format. */
import { readdirSync } from 'node:fs';
import type { SaeSaid } from '../../src/saes/formats/format.ts';
import { saeFormats } from '../../src/saes/formats/formats.ts';
import { openSae, trainedLayer } from '../../src/study/open/openSae.ts';
import { each, type Format, jsonPart, promised, type Seed } from '../format.ts';
import { f32Tensor, floats, safetensorsPart } from './safetensors.ts';
import { npzPart, torchFloats, torchPart } from './zipped.ts';

const common = {
  W_enc: f32Tensor(4, 6),
  W_dec: f32Tensor(6, 4),
  b_dec: f32Tensor(4),
  b_enc: f32Tensor(6),
};
const config = {
  d_in: 4,
  d_sae: 6,
  dtype: 'float32',
  apply_b_dec_to_input: true,
  normalize_activations: 'none',
  metadata: { sae_lens_version: '6.0.0', model_name: 'tiny', hook_name: 'blocks.1.hook_resid_post' },
};
const old = {
  d_in: 4,
  d_sae: 6,
  model_name: 'tiny',
  hook_point: 'blocks.{layer}.hook_resid_pre',
  hook_point_layer: 2,
  activation_fn_str: 'topk',
  activation_fn_kwargs: { k: 2 },
  finetuning_scaling_factor: false,
};

const torchLinear = {
  'encoder.weight': torchFloats(6, 4),
  'encoder.bias': torchFloats(6),
  'decoder.weight': torchFloats(4, 6),
  b_dec: torchFloats(4),
};
const trainer = {
  layer: 1,
  submodule_name: 'resid_post_layer_1',
  lm_name: 'tiny',
  activation_dim: 4,
  dict_size: 6,
};
const dictionaryLearning = (own: object, weights: object) => ({
  'config.json': jsonPart({ trainer: { ...trainer, ...own }, buffer: { io: 'out' } }),
  'ae.pt': torchPart(weights),
});
const lower = {
  w_enc: common.W_enc,
  w_dec: common.W_dec,
  b_enc: common.b_enc,
  b_dec: common.b_dec,
  threshold: f32Tensor(6),
};
const arrays = {
  W_enc: ['(4, 6)', floats(24)],
  W_dec: ['(6, 4)', floats(24)],
  b_enc: ['(6,)', floats(6)],
  b_dec: ['(4,)', floats(4)],
  threshold: ['(6,)', floats(6)],
} as const;

/** One of each published format beside SAELens'. */
const published: readonly Seed[] = [
  dictionaryLearning({ dict_class: 'AutoEncoderTopK', k: 2 }, torchLinear),
  dictionaryLearning({ dict_class: 'BatchTopKSAE' }, { ...torchLinear, threshold: torchFloats() }),
  {
    'cfg.json': jsonPart({ activation: 'topk', k: 2, d_in: 4, num_latents: 6, transcode: false }),
    'sae.safetensors': safetensorsPart({
      'encoder.weight': f32Tensor(6, 4),
      'encoder.bias': f32Tensor(6),
      W_dec: f32Tensor(6, 4),
      b_dec: f32Tensor(4),
    }),
  },
  { 'params.npz': npzPart(arrays, false) },
  { 'params.npz': npzPart(arrays, true) },
  {
    'config.json': jsonPart({
      architecture: 'jump_relu',
      type: 'sae',
      width: 6,
      hf_hook_point_in: 'model.layers.1.output',
      hf_hook_point_out: 'model.layers.1.output',
    }),
    'params.safetensors': safetensorsPart(lower),
  },
  {
    'layer3.sae.pt': torchPart({
      W_enc: torchFloats(6, 4),
      W_dec: torchFloats(4, 6),
      b_enc: torchFloats(6),
      b_dec: torchFloats(4),
    }),
  },
  {
    'Tiny-SAE-l1.pth': torchPart({
      'encoder_linear.weight': torchFloats(6, 4),
      'encoder_linear.bias': torchFloats(6),
      'decoder_linear.weight': torchFloats(4, 6),
      'decoder_linear.bias': torchFloats(4),
    }),
  },
  {
    '6.pt': torchPart({
      'encoder.weight': torchFloats(6, 4),
      'decoder.weight': torchFloats(4, 6),
      latent_bias: torchFloats(6),
      pre_bias: torchFloats(4),
      activation: 'TopK',
      activation_state_dict: { k: 2, postact_fn: 'ReLU' },
    }),
  },
  { 'weights.safetensors': safetensorsPart(common) },
];

const saelens = (own: object, weights: Parameters<typeof safetensorsPart>[0]) => ({
  'cfg.json': jsonPart(own),
  'sae_weights.safetensors': safetensorsPart(weights),
});

/** What a user would say of those whose files leave it open. */
function saidIn(folder: string): SaeSaid {
  const names = readdirSync(folder);
  if (names.includes('layer3.sae.pt')) return { k: 2 };
  return names.includes('weights.safetensors') ? { kind: 'topk', k: 2 } : {};
}

export const sae: Format = {
  name: 'sae',
  seeds: () => [
    saelens({ architecture: 'standard', ...config }, common),
    saelens({ architecture: 'topk', k: 3, rescale_acts_by_decoder_norm: true, ...config }, common),
    saelens({ architecture: 'jumprelu', ...config }, { ...common, threshold: f32Tensor(6) }),
    saelens(
      { architecture: 'gated', ...config },
      {
        W_enc: common.W_enc,
        W_dec: common.W_dec,
        b_dec: common.b_dec,
        b_gate: f32Tensor(6),
        r_mag: f32Tensor(6),
        b_mag: f32Tensor(6),
      },
    ),
    saelens(old, {
      ...common,
      scaling_factor: ['F32', [6], new Uint8Array(Float32Array.of(1, 1, 1, 1, 1, 1).buffer)],
    }),
    ...published,
  ],
  read: (folder) =>
    each(async () => {
      const found = await openSae(folder, saeFormats, saidIn(folder));
      await each(
        async () => {
          const rows = await found.decoderRows(0, found.latents);
          promised(rows.length === found.latents * found.width, `${rows.length} numbers of decoder rows`);
          promised(rows.every(Number.isFinite), 'decoder rows that are not finite');
        },
        async () =>
          promised(
            (await found.decoderNorms()).every((n) => n >= 0),
            'norms below 0',
          ),
        () => found.arithmetic(),
        async () => {
          const columns = await found.encoderColumns(0, found.latents);
          promised(
            columns.length === found.latents * found.width,
            `${columns.length} numbers of the encoder`,
          );
          promised(columns.every(Number.isFinite), 'encoder columns that are not finite');
        },
        () => promised(Number.isInteger(trainedLayer(found) ?? 0), 'a layer that is none'),
      );
    }),
};
