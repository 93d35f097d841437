/**
 * The place in a model that a publisher's name for it means. Names are those of TransformerLens' hooks, and of
 * transformers' modules, whose output is meant unless they end in `.input`.
 */
import type { TrainedOn } from '../sae.ts';

type Site = TrainedOn['site'];

const block =
  /^(?:(?:model\.|language_model\.)*layers|(?:transformer\.)?h|(?:gpt_neox\.)layers)\.(\d{1,6})(?:\.(input|output))?$/;
const hook = /^blocks\.(\d{1,6})\.hook_(resid_post|resid_pre|out|in)$/;
const written = /^resid_(post|pre)_layer_(\d{1,6})$/;

/**
 * `blocks.L.hook_resid_post` and `_pre`, or `hook_out` and `hook_in` as TransformerLens 3 calls them;
 * `model.layers.L`, `transformer.h.L`, `gpt_neox.layers.L`, `layers.L`, `h.L`, each perhaps with `.output` or
 * `.input`; `resid_post_layer_L` and `resid_pre_layer_L` of dictionary_learning. Undefined for any other place.
 */
export function siteOf(name: string | undefined): Site {
  const [, layer, side] = block.exec(name ?? '') ?? [];
  if (layer !== undefined) return site(side === 'input', layer);
  const [, at, place] = hook.exec(name ?? '') ?? [];
  if (at !== undefined) return site(place === 'resid_pre' || place === 'in', at);
  const [, which, number] = written.exec(name ?? '') ?? [];
  return number === undefined ? undefined : site(which === 'pre', number);
}

const site = (isBefore: boolean, layer: string): Site => ({
  kind: isBefore ? 'resid_pre' : 'resid_post',
  layer: Number(layer),
});
