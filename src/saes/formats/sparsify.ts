/**
 * EleutherAI's sparsify (before it `sae`): `cfg.json` beside `sae.safetensors` with encoder.weight [N, d],
 * encoder.bias, W_dec [N, d] and b_dec of a top-k SAE, whose bias is subtracted from the input. The folder is
 * named after the module whose output it reads, such as `layers.10`. Definition: `sparse_coder.py`, 1.3.
 */
import { basename, dirname } from 'node:path';
import { topk } from '../kinds/topk.ts';
import { renamed, sizesOf } from '../weights.ts';
import type { SaeFormat } from './format.ts';
import { Settings } from './settings.ts';
import { siteOf } from './site.ts';
import { openStored } from './stored.ts';

const files = { config: 'cfg.json', weights: 'sae.safetensors' };

/** Settings that would add a term or take one away. */
const otherArithmetic = ['transcode', 'skip_connection', 'signed', 'embed_skip', 'gram_lookup'];

export const sparsify: SaeFormat = {
  name: 'sparsify',
  expects: `${files.config} and ${files.weights}`,
  owns: (names) => names.includes(files.config) && names.includes(files.weights),
  async open({ where, path, json, tensors }) {
    const config = new Settings(await json(files.config), `${where}: ${files.config}`);
    config.choice('activation', ['topk'], 'topk');
    for (const name of otherArithmetic) if (config.flag(name, false)) config.fail(name, 'false');
    const weights = renamed(await tensors(files.weights), {
      W_enc: { transposed: 'encoder.weight' },
      b_enc: 'encoder.bias',
      W_dec: 'W_dec',
      b_dec: 'b_dec',
    });
    const { width, latents } = sizesOf(weights);
    if (config.get('d_in') !== width) config.fail('d_in', `the width of the decoder (${width})`);
    const told = config.get('num_latents');
    if (told !== undefined && told !== 0 && told !== latents)
      config.fail('num_latents', `the rows of the decoder (${latents})`);
    const hook = hookIn(path);
    return openStored({
      kind: topk,
      where,
      trainedOn: { model: undefined, hook, site: siteOf(hook) },
      weights,
      counts: { k: config.count('k', 1, latents, ' (num_latents)') },
      subtractBias: true,
    });
  },
};

/** The module that the folder is named after; a folder of a name that is none says nothing. */
function hookIn(path: string): string | undefined {
  const name = basename(/^seed\d+$/.test(basename(path)) ? dirname(path) : path);
  return /^(?:(?:model|transformer|gpt_neox)\.)*(?:layers|h|embed_tokens|wte|embed_in)(?:\.|$)/.test(name)
    ? name
    : undefined;
}
