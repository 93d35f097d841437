/**
 * SAEs as SAELens saves them: `cfg.json` beside `sae_weights.safetensors` with W_enc [d, N], W_dec [N, d],
 * b_dec [d] and the kind's own weights. Does not touch the disk.
 */
import { InputError } from '../../errors.ts';
import { makeSae } from '../dictionary.ts';
import { type SaeKind, weightShapes } from '../kinds/kind.ts';
import { saeKinds } from '../kinds/kinds.ts';
import { storedDecoder, storedMatrix } from '../latentMatrix.ts';
import { assertTensors, readWeight, type StoredWeights } from '../weights.ts';
import type { SaeFolder, SaeFormat } from './format.ts';
import { readSaelensConfig } from './saelensConfig.ts';

const files = { config: 'cfg.json', weights: 'sae_weights.safetensors' };

/** The format with these kinds. */
export const saelensOf = (kinds: readonly SaeKind[]): SaeFormat => ({
  name: 'SAELens',
  expects: `${files.config} and ${files.weights}`,
  owns: (names) => names.includes(files.config) && names.includes(files.weights),
  open: (folder) => open(folder, kinds),
});

export const saelens = saelensOf(saeKinds);

async function open(folder: SaeFolder, kinds: readonly SaeKind[]) {
  const { where } = folder;
  const config = readSaelensConfig(await folder.json(files.config), where, kinds);
  const { kind, width, latents } = config;
  const weights = await withoutScalingFactor(await folder.tensors(files.weights), latents);
  const own = weightShapes(kind, width, latents);
  assertTensors(weights, { W_enc: [width, latents], W_dec: [latents, width], b_dec: [width], ...own });
  return makeSae({
    ...config,
    where,
    decoder: { width, latents, ...storedDecoder(weights) },
    encoder: storedMatrix(weights, 'W_enc', 1),
    weight: (name) => readWeight(weights, name),
  });
}

/** Old files carry a `scaling_factor` [N] of ones that nobody uses; any other value is another arithmetic. */
async function withoutScalingFactor(weights: StoredWeights, latents: number): Promise<StoredWeights> {
  const { scaling_factor: unused, ...rest } = Object.fromEntries(weights.tensors);
  if (!unused) return weights;
  const only = { ...weights, tensors: new Map([['scaling_factor', unused]]) };
  assertTensors(only, { scaling_factor: [latents] });
  const other = (await readWeight(only, 'scaling_factor')).find((v) => Math.abs(v - 1) > 1e-5);
  if (other !== undefined)
    throw new InputError(`${weights.where}: tensor scaling_factor: expected ones, found ${other}`);
  return { ...weights, tensors: new Map(Object.entries(rest)) };
}
