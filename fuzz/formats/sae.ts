/** Dictionaries, a seed for each kind of each registered format. */
import { openSae, trainedLayer } from '../../src/study/open/openSae.ts';
import { each, type Format, jsonPart, promised } from '../format.ts';
import { f32Tensor, safetensorsPart } from './safetensors.ts';

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

const saelens = (own: object, weights: Parameters<typeof safetensorsPart>[0]) => ({
  'cfg.json': jsonPart(own),
  'sae_weights.safetensors': safetensorsPart(weights),
});

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
  ],
  read: (folder) =>
    each(async () => {
      const found = await openSae(folder);
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
        () => promised(Number.isInteger(trainedLayer(found) ?? 0), 'a layer that is none'),
      );
    }),
};
