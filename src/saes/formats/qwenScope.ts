/**
 * Qwen-Scope: one `layerL.sae.pt` a layer with W_enc [N, d], W_dec [d, N], b_enc and b_dec of a top-k SAE of the
 * output of block L, whose bias is not subtracted from the input. k stands in the repository's name,
 * `SAE-Res-Qwen3-8B-Base-W64K-L0_50`, and in its `config.json`. The model card keeps the k greatest pre-activations as they are; here, as
 * for every top-k SAE, one below 0 counts as 0. Definition: the model cards of Qwen/SAE-Res-*.
 */
import { InputError } from '../../errors.ts';
import { topk } from '../kinds/topk.ts';
import { renamed, sizesOf } from '../weights.ts';
import type { SaeFolder, SaeFormat, SaeSaid } from './format.ts';
import { countSaid } from './said.ts';
import { Settings } from './settings.ts';
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

const configName = 'config.json';

/** What the repository's config.json says, where it lies beside the file. */
async function described({ where, names, json }: SaeFolder) {
  if (!names.includes(configName)) return {};
  const config = new Settings(await json(configName), `${where}: ${configName}`);
  config.choice('model_type', ['topk_sae'], 'topk_sae');
  config.choice('hook_point', ['resid_post'], 'resid_post');
  const k = config.get('k');
  return { k: k === undefined ? undefined : String(k), model: config.text('base_model') };
}

async function open(folder: SaeFolder, said: SaeSaid = {}) {
  const { where, path, names, tensors } = folder;
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
  const [, name, told] = /SAE-Res-([\w.-]+?)-W\d+K-L0_(\d{1,6})/.exec(path) ?? [];
  const own = await described(folder);
  if (told !== undefined && own.k !== undefined && own.k !== told)
    throw new InputError(
      `SAE ${where}: ${configName}: k: expected ${told}, as the path says, found ${own.k}`,
    );
  const model = own.model ?? (name === undefined ? undefined : `Qwen/${name}`);
  return openStored({
    kind: topk,
    where,
    trainedOn: { model, hook, site: siteOf(hook) },
    weights,
    counts: { k: countSaid(where, said, sizesOf(weights).latents, told ?? own.k) },
    subtractBias: false,
  });
}
