/**
 * Llama Scope (OpenMOSS, first version): `hyperparams.json` beside `checkpoints/final.safetensors` with
 * encoder.weight [N, d], encoder.bias, decoder.weight [d, N] and decoder.bias of a JumpReLU SAE of one
 * threshold. With n the dataset's average norm and s = √d / n: p = s x W + b, a = p where p > s · threshold,
 * x̂ = (a D + b_dec) / s; where it is trained with decoder norms in its sparsity, p is multiplied by them before
 * it is compared. Definition: `llama_scope_sae_huggingface_loader` of SAELens, `sae.py` of Language-Model-SAEs.
 */
import { jumprelu } from '../kinds/jumprelu.ts';
import { renamed, sizesOf } from '../weights.ts';
import type { SaeFormat } from './format.ts';
import { Settings } from './settings.ts';
import { siteOf } from './site.ts';
import { openStored } from './stored.ts';

const files = { config: 'hyperparams.json', weights: 'checkpoints/final.safetensors' };

export const llamaScope: SaeFormat = {
  name: 'Llama Scope',
  expects: `${files.config} and ${files.weights}`,
  owns: (names) => names.includes(files.config),
  async open({ where, path, json, tensors }) {
    const config = new Settings(await json(files.config), `${where}: ${files.config}`);
    config.choice('act_fn', ['jumprelu'], 'jumprelu');
    config.choice('norm_activation', ['dataset-wise'], 'dataset-wise');
    for (const name of ['apply_decoder_bias_to_pre_encoder', 'use_glu_encoder'])
      if (config.flag(name, false)) config.fail(name, 'false');
    if (!config.flag('use_decoder_bias', true)) config.fail('use_decoder_bias', 'true');
    const hook = hookIn(config);
    const weights = renamed(await tensors(files.weights), {
      W_enc: { transposed: 'encoder.weight' },
      b_enc: 'encoder.bias',
      W_dec: { transposed: 'decoder.weight' },
      b_dec: 'decoder.bias',
    });
    const { width, latents } = sizesOf(weights);
    if (config.get('d_model') !== width) config.fail('d_model', `the width of the decoder (${width})`);
    if (config.get('d_sae') !== latents) config.fail('d_sae', `the latents of the decoder (${latents})`);
    const norms = config.object('dataset_average_activation_norm');
    const inputScale = Math.sqrt(width) / norms.positive('in');
    if (norms.get('out') !== norms.get('in')) norms.fail('out', `in (${norms.get('in')})`);
    return openStored({
      kind: jumprelu,
      where,
      trainedOn: { model: modelIn(path), hook, site: siteOf(hook) },
      weights,
      constants: { threshold: config.positive('jump_relu_threshold') * inputScale },
      subtractBias: false,
      rescaled: config.flag('sparsity_include_decoder_norm', false),
      inputScale,
    });
  },
};

function hookIn(config: Settings): string | undefined {
  const hook = config.text('hook_point_in');
  const out = config.text('hook_point_out');
  if (out !== undefined && out !== hook) config.fail('hook_point_out', `the place that it reads (${hook})`);
  return hook;
}

/** The folder is named `Llama3_1-8B-Base-L15R-8x`. */
const modelIn = (path: string) => (path.includes('Llama3_1-8B-Base') ? 'meta-llama/Llama-3.1-8B' : undefined);
