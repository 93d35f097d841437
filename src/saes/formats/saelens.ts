/**
 * SAEs as SAELens saves them: `cfg.json` beside `sae_weights.safetensors` with W_enc [d, N], W_dec [N, d], b_dec [d] and
 * the kind's own vectors. Does not touch the disk.
 */
import { InputError } from '../../errors.ts';
import type { Decoder } from '../decoder.ts';
import { makeSae, type SaeParts } from '../dictionary.ts';
import type { Linear } from '../linear.ts';
import type { Sae } from '../sae.ts';
import { assertTensors, readWeight, readWeightRows, type Weights } from '../weights.ts';
import type { SaeFiles, SaeFormat } from './format.ts';
import { type Architecture, readSaelensConfig, type SaelensConfig } from './saelensConfig.ts';

export const saelens: SaeFormat = {
  name: 'SAELens',
  configFile: 'cfg.json',
  weightsFile: 'sae_weights.safetensors',
  open,
};

async function open(files: SaeFiles): Promise<Sae> {
  const config = readSaelensConfig(files.config, files.where);
  const weights = await withoutScalingFactor(files, config.latents);
  assertTensors(weights, tensorShapes(config));
  return build[config.architecture](config, weights);
}

const vectors: { [architecture in Architecture]: readonly string[] } = {
  standard: ['b_enc'],
  topk: ['b_enc'],
  jumprelu: ['b_enc', 'threshold'],
  gated: ['b_gate', 'b_mag', 'r_mag'],
};

function tensorShapes({ architecture, width: d, latents: N }: SaelensConfig): Record<string, number[]> {
  const own = vectors[architecture].map((name) => [name, [N]]);
  return { W_enc: [d, N], W_dec: [N, d], b_dec: [d], ...Object.fromEntries(own) };
}

/** Old files carry a `scaling_factor` [N] of ones that nobody uses; any other value is another arithmetic. */
async function withoutScalingFactor(files: SaeFiles, latents: number): Promise<Weights> {
  const { where, read } = files;
  const { scaling_factor: unused, ...rest } = Object.fromEntries(files.tensors);
  if (!unused) return files;
  const only = { tensors: new Map([['scaling_factor', unused]]), where, read };
  assertTensors(only, { scaling_factor: [latents] });
  const other = (await readWeight(only, 'scaling_factor')).find((v) => Math.abs(v - 1) > 1e-5);
  if (other !== undefined)
    throw new InputError(`${where}: tensor scaling_factor: expected ones, found ${other}`);
  return { tensors: new Map(Object.entries(rest)), where, read };
}

type Parts = Pick<SaeParts, 'where' | 'trainedOn' | 'normalisation' | 'decoder' | 'bias' | 'subtractBias'>;

const build: { [architecture in Architecture]: (config: SaelensConfig, weights: Weights) => Sae } = {
  standard: (config, weights) =>
    makeSae({ ...parts(config, weights), kind: 'relu', encoder: () => linear(weights, 'b_enc') }),
  topk: (config, weights) =>
    makeSae({
      ...parts(config, weights),
      kind: 'topk',
      unitActivations: config.rescaleByDecoderNorm,
      encoder: async (norms) => ({
        ...(await linear(weights, 'b_enc')),
        k: config.k,
        ...(config.rescaleByDecoderNorm && { rescale: await norms() }),
      }),
    }),
  jumprelu: (config, weights) =>
    makeSae({
      ...parts(config, weights),
      kind: 'jumprelu',
      encoder: async () => ({
        ...(await linear(weights, 'b_enc')),
        threshold: await readWeight(weights, 'threshold'),
      }),
    }),
  gated: (config, weights) =>
    makeSae({
      ...parts(config, weights),
      kind: 'gated',
      encoder: async () => ({
        ...(await linear(weights, 'b_gate')),
        logMagnitude: await readWeight(weights, 'r_mag'),
        magnitudeBias: await readWeight(weights, 'b_mag'),
      }),
    }),
};

function parts(config: SaelensConfig, weights: Weights): Parts {
  const { width, latents, trainedOn, normalisation, subtractBias } = config;
  const rows: Decoder['rows'] = (from, to) => readWeightRows(weights, 'W_dec', from, to);
  return {
    where: weights.where,
    trainedOn,
    normalisation,
    subtractBias,
    decoder: { width, latents, rows },
    bias: () => readWeight(weights, 'b_dec'),
  };
}

async function linear(weights: Weights, bias: string): Promise<Linear> {
  return { weight: await readWeight(weights, 'W_enc'), bias: await readWeight(weights, bias) };
}
