/**
 * Gemma Scope: `params.npz` with W_enc [d, N], W_dec [N, d] (in some w_enc, w_dec), b_enc, b_dec and the
 * thresholds [N] of a JumpReLU SAE, whose bias is not subtracted from the input. Layer, site and model stand in the path alone:
 * `gemma-scope-2b-pt-res/layer_20/width_16k/average_l0_71`. Definition: Gemma Scope's tutorial, and
 * `gemma_2_sae_huggingface_loader` of SAELens.
 */
import { jumprelu } from '../kinds/jumprelu.ts';
import type { TrainedOn } from '../sae.ts';
import { renamed } from '../weights.ts';
import type { SaeFormat } from './format.ts';
import { siteOf } from './site.ts';
import { openStored } from './stored.ts';

const file = 'params.npz';

export const gemmaScope: SaeFormat = {
  name: 'Gemma Scope',
  expects: file,
  owns: (names) => names.includes(file),
  async open({ where, path, tensors }) {
    const stored = await tensors(file);
    const [W_enc, W_dec] = stored.tensors.has('w_enc') ? ['w_enc', 'w_dec'] : ['W_enc', 'W_dec'];
    const same = { b_enc: 'b_enc', b_dec: 'b_dec', threshold: 'threshold' };
    return openStored({
      kind: jumprelu,
      where,
      trainedOn: trainedOn(path),
      weights: renamed(stored, { W_enc: W_enc!, W_dec: W_dec!, ...same }),
      subtractBias: false,
    });
  },
};

/** By the repository's last word, the place of layer L that its SAEs read. */
const places: Readonly<Record<string, (layer: string) => string>> = {
  res: (layer) => `blocks.${layer}.hook_resid_post`,
  mlp: (layer) => `blocks.${layer}.hook_mlp_out`,
  att: (layer) => `blocks.${layer}.attn.hook_z`,
  transcoders: (layer) => `blocks.${layer}.ln2.hook_normalized (a transcoder)`,
};

/** Where the path does not name the repository, its layer is one of the residual stream. */
function trainedOn(path: string): TrainedOn {
  const [, size, tuning, place = 'res'] =
    /gemma-scope-(\d+b)-(pt|it)-(res|mlp|att|transcoders)/.exec(path) ?? [];
  const [, layer] = /[/\\]layer_(\d{1,6})(?:[/\\]|$)/.exec(path) ?? [];
  const isEmbedding = /[/\\]embedding(?:[/\\]|$)/.test(path);
  const hook = isEmbedding ? 'hook_embed' : layer === undefined ? undefined : places[place]!(layer);
  const model = size === undefined ? undefined : `google/gemma-2-${size}${tuning === 'it' ? '-it' : ''}`;
  return { model, hook, site: siteOf(hook) };
}
