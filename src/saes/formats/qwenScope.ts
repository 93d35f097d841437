/**
 * Qwen-Scope: one `layerL.sae.pt` a layer with W_enc [N, d], W_dec [d, N], b_enc and b_dec of a top-k SAE of the
 * output of block L, whose bias is not subtracted from the input. k stands in the repository's name alone:
 * `SAE-Res-Qwen3-8B-Base-W64K-L0_50`. Its model card keeps the k greatest pre-activations as they are; here, as
 * for every top-k SAE, one below 0 counts as 0. Definition: the model cards of Qwen/SAE-Res-*.
 */
import { InputError } from '../../errors.ts';
import { topk } from '../kinds/topk.ts';
import { renamed, sizesOf } from '../weights.ts';
import type { SaeFolder, SaeFormat, SaeSaid } from './format.ts';
import { countSaid } from './said.ts';
import { siteOf } from './site.ts';
import { openStored } from './stored.ts';

const fileName = /^layer(\d{1,6})\.sae\.pt$/;

export const qwenScope: SaeFormat = {
  name: 'Qwen-Scope',
  asks: true,
  expects: 'layerL.sae.pt',
  owns: (names) => names.some((name) => fileName.test(name)),
  open,
};

async function open({ where, path, names, tensors }: SaeFolder, said: SaeSaid = {}) {
  const files = names.filter((name) => fileName.test(name));
  if (files.length !== 1)
    throw new InputError(
      `SAE ${where}: expected one file of a layer, found ${files.length}: name one, such as ${files[0]}`,
    );
  const hook = `blocks.${Number(fileName.exec(files[0]!)![1])}.hook_resid_post`;
  const weights = renamed(await tensors(files[0]!), {
    W_enc: { transposed: 'W_enc' },
    b_enc: 'b_enc',
    W_dec: { transposed: 'W_dec' },
    b_dec: 'b_dec',
  });
  const [, model, told] = /SAE-Res-([\w.-]+?)-W\d+K-L0_(\d{1,6})/.exec(path) ?? [];
  return openStored({
    kind: topk,
    where,
    trainedOn: { model: model === undefined ? undefined : `Qwen/${model}`, hook, site: siteOf(hook) },
    weights,
    counts: { k: countSaid(where, said, sizesOf(weights).latents, told) },
    subtractBias: false,
  });
}
