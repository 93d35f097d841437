/** Whether a model's weights are all read, and none shows that they are more than they seem. */
import { InputError } from '../errors.ts';
import type { Graph } from '../graph/node.ts';
import { nodesOf } from '../graph/node.ts';
import type { Model } from './decoder.ts';
import { shownName } from './keys.ts';

/**
 * Tensors that published files have and nothing computes with: frequencies that older versions stored, and
 * llama.cpp's divisors of them, where a config.json beside the GGUF says the same by its scaling, or that are for
 * longer sequences.
 */
const unused = [/(^|\.)rotary_emb\.inv_freq$/, /^rope_(freqs|factors_long)\.weight$/];

/** Ends of names that only quantised weights have: bitsandbytes, GPTQ, AWQ, fp8, compressed-tensors, AQLM, MLX. */
const quantised =
  /\.(SCB|weight_format|absmax|quant_map|nested_absmax|nested_quant_map|quant_state\..*|qweight|qzeros|scales|g_idx|weight_scale|weight_scale_inv|weight_scale_2|weight_packed|weight_shape|weight_zero_point|weight_g_idx|input_scale|output_scale|activation_scale|k_scale|v_scale|codes|codebooks|biases)$/;

/** Throws InputError where a tensor's name says that weights are quantised in a form that is not read here. */
export function checkNotQuantised({ weights, where }: Pick<Model, 'weights' | 'where'>): void {
  const name = [...weights.keys()].find((one) => quantised.test(one));
  if (name !== undefined)
    throw new InputError(
      `${where}: tensor ${shownName(name)}: belongs to quantised weights, which are not supported in this form: expected float weights, or a GGUF file`,
    );
}

/** Throws InputError where the model's file has a tensor that `graph`, which computes its logits, does not read. */
export function checkAllRead({ weights, decoder, where }: Model, graph: Graph): void {
  const read = new Set(nodesOf(graph, 'param').map((node) => node.attributes.name));
  for (const name of weights.keys())
    if (!read.has(name) && !unused.some((pattern) => pattern.test(name)) && !decoder.unused?.test(name))
      throw new InputError(
        `${where}: tensor ${shownName(name)}: not read for a ${decoder.family} of ${decoder.blocks} blocks: expected a file without it, or a config that says what it is for`,
      );
}
