/**
 * OpenAI's SAEs of GPT-2 small: one `.pt` with encoder.weight [N, d], latent_bias [N], decoder.weight [d, N] and
 * pre_bias [d], which is subtracted from the input. `activation` is ReLU, or TopK of its `k`, with which the
 * input is normalised as by a layer norm. Place and layer stand in the path:
 * `resid_post_mlp_v5_32k/autoencoders/6.pt`. Definition: `model.py` and `paths.py` of openai/sparse_autoencoder.
 */
import { InputError } from '../../errors.ts';
import { relu } from '../kinds/relu.ts';
import { topk } from '../kinds/topk.ts';
import type { TrainedOn } from '../sae.ts';
import { renamed, sizesOf } from '../weights.ts';
import type { PlainValues, SaeFolder, SaeFormat } from './format.ts';
import { holds, onlyFile } from './oneFile.ts';
import { siteOf } from './site.ts';
import { openStored } from './stored.ts';

const sources = {
  W_enc: { transposed: 'encoder.weight' },
  b_enc: 'latent_bias',
  W_dec: { transposed: 'decoder.weight' },
  b_dec: 'pre_bias',
};

/** Counted in training. */
const unused = ['stats_last_nonzero', 'latents_activation_frequency', 'latents_mean_square'];

export const openai: SaeFormat = {
  name: 'OpenAI',
  expects: 'one .pt with encoder.weight, latent_bias and pre_bias',
  owns: holds('encoder.weight', 'latent_bias', 'pre_bias'),
  async open({ where, path, names, tensors }: SaeFolder) {
    const stored = await tensors(onlyFile(names)!);
    const weights = renamed(stored, sources, unused);
    const shared = { where, trainedOn: trainedOn(path), weights, subtractBias: true };
    const activation = text(stored.values, where, 'activation', ['ReLU', 'TopK']);
    if (activation === 'ReLU') return openStored({ ...shared, kind: relu });
    text(stored.values, where, 'activation_state_dict.postact_fn', ['ReLU']);
    const { latents, width } = sizesOf(weights);
    const k = stored.values.get('activation_state_dict.k');
    if (typeof k !== 'number' || !Number.isInteger(k) || k < 1 || k > latents)
      throw new InputError(
        `${where}: activation_state_dict.k: expected a whole number from 1 to ${latents}, found ${k}`,
      );
    if (width < 2) throw new InputError(`${where}: expected a width of 2 or more for a layer norm, found 1`);
    return openStored({ ...shared, kind: topk, counts: { k }, normalisation: 'layer_norm' });
  },
};

/** One of the words of `choices`; the first where the file does not say, as in the library. */
function text(values: PlainValues, where: string, name: string, choices: readonly string[]): string {
  const found = values.get(name) ?? choices[0];
  const known = choices.find((choice) => choice === found);
  if (known !== undefined) return known;
  const shown = JSON.stringify(String(found).slice(0, 40));
  throw new InputError(`${where}: ${name}: expected ${choices.join(', ')}, found ${shown}`);
}

/** TransformerLens' hook of each place of a block. */
const hooks: Readonly<Record<string, string>> = {
  mlp_post_act: 'mlp.hook_post',
  resid_delta_attn: 'hook_attn_out',
  resid_post_attn: 'hook_resid_mid',
  resid_delta_mlp: 'hook_mlp_out',
  resid_post_mlp: 'hook_resid_post',
};

function trainedOn(path: string): TrainedOn {
  const [, place, layer] =
    /(mlp_post_act|resid_delta_attn|resid_post_attn|resid_delta_mlp|resid_post_mlp)(?:_v\d+\w*)?[/\\]autoencoders[/\\](\d{1,6})\.pt$/.exec(
      path,
    ) ?? [];
  const hook = place === undefined ? undefined : `blocks.${layer}.${hooks[place]}`;
  return { model: 'gpt2', hook, site: siteOf(hook) };
}
