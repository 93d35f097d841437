/**
 * Gemma Scope 2: `config.json` beside `params.safetensors` with w_enc [d, N], w_dec [N, d], b_enc, b_dec and
 * the thresholds [N] of a JumpReLU SAE, whose bias is not subtracted from the input. Definition:
 * `gemma_3_sae_huggingface_loader` of SAELens.
 */
import { jumprelu } from '../kinds/jumprelu.ts';
import { renamed, sizesOf } from '../weights.ts';
import type { SaeFormat } from './format.ts';
import { Settings } from './settings.ts';
import { siteOf } from './site.ts';
import { openStored } from './stored.ts';

const files = { config: 'config.json', weights: 'params.safetensors' };

export const gemmaScope2: SaeFormat = {
  name: 'Gemma Scope 2',
  expects: `${files.config} and ${files.weights}`,
  owns: (names) => names.includes(files.config) && names.includes(files.weights),
  async open({ where, json, tensors }) {
    const config = new Settings(await json(files.config), `${where}: ${files.config}`);
    config.choice('type', ['sae'], 'sae');
    config.choice('architecture', ['jump_relu'], 'jump_relu');
    if (config.flag('affine_connection', false)) config.fail('affine_connection', 'false');
    const hook = config.text('hf_hook_point_in');
    const out = config.text('hf_hook_point_out');
    if (out !== undefined && out !== hook)
      config.fail('hf_hook_point_out', `the place that it reads (${hook})`);
    const weights = renamed(await tensors(files.weights), {
      W_enc: 'w_enc',
      W_dec: 'w_dec',
      b_enc: 'b_enc',
      b_dec: 'b_dec',
      threshold: 'threshold',
    });
    const { latents } = sizesOf(weights);
    if (config.get('width') !== undefined && config.get('width') !== latents)
      config.fail('width', `the number of latents (${latents})`);
    const trainedOn = { model: config.text('model_name'), hook, site: siteOf(hook) };
    return openStored({ kind: jumprelu, where, trainedOn, weights, subtractBias: false });
  },
};
