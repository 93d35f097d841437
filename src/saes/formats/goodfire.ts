/**
 * Goodfire's SAEs of Llama: one `.pth` or `.pt` with encoder_linear.weight [N, d], encoder_linear.bias,
 * decoder_linear.weight [d, N] and decoder_linear.bias of a ReLU SAE, whose bias is not subtracted from the
 * input. Model and layer stand in the file's name: `Llama-3.1-8B-Instruct-SAE-l19.pth`, the output of block 19.
 * Definition: Goodfire's model cards, and `get_goodfire_huggingface_loader` of SAELens.
 */
import { relu } from '../kinds/relu.ts';
import { renamed } from '../weights.ts';
import type { SaeFormat } from './format.ts';
import { holds, onlyFile } from './oneFile.ts';
import { siteOf } from './site.ts';
import { openStored } from './stored.ts';

const sources = {
  W_enc: { transposed: 'encoder_linear.weight' },
  b_enc: 'encoder_linear.bias',
  W_dec: { transposed: 'decoder_linear.weight' },
  b_dec: 'decoder_linear.bias',
};

export const goodfire: SaeFormat = {
  name: 'Goodfire',
  expects: 'one .pth or .pt with encoder_linear.weight',
  owns: holds('encoder_linear.weight', 'decoder_linear.weight'),
  async open({ where, names, tensors }) {
    const file = onlyFile(names)!;
    const [, model, layer] = /^(.+)-SAE-l(\d{1,6})\.\w+$/.exec(file) ?? [];
    const hook = layer === undefined ? undefined : `blocks.${layer}.hook_resid_post`;
    return openStored({
      kind: relu,
      where,
      trainedOn: { model, hook, site: siteOf(hook) },
      weights: renamed(await tensors(file), sources),
      subtractBias: false,
    });
  },
};
