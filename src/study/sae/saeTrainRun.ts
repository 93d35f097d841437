/**
 * Training an SAE from files to files: model and corpora in, an SAE folder as SAELens saves one out.
 * Harvest and training both go on where they were stopped; the folder's `work` holds what that needs and
 * goes when the SAE stands.
 */

import { mkdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { readTextIfThere } from '../../files/ifThere.ts';
import { writeSafetensors } from '../../files/safetensors.ts';
import { readSealed, writeSealed } from '../../files/sealed.ts';
import type { SaeWeights } from '../../methods/sae/saeStart.ts';
import {
  type SaeCheckpoint,
  type SaeTrainOptions,
  type SaeTrainSettings,
  type SaeTrainStep,
  saeTrainSettings,
  trainSae,
} from '../../methods/sae/saeTraining.ts';
import { checkSite } from '../../models/passes.ts';
import { counted, type Manifest } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { dataOf, tensor } from '../../tensor.ts';
import { type Machine, openRuntime } from '../open/machine.ts';
import { type OpenModel, openModel } from '../open/openModel.ts';
import { type Progress, silent } from '../open/progress.ts';
import { jsonHash } from '../store/hash.ts';
import { type HeldFiles, heldFiles } from '../store/heldFiles.ts';
import { type Clock, dateText, hashInputs, systemClock, versions } from '../store/runRecord.ts';
import { type Harvest, harvest, harvestKey } from './harvest.ts';

export interface SaeTrainRequest extends SaeTrainOptions, Machine {
  readonly model: string;
  readonly adapter?: string | undefined;
  /** layer L of `resid_post L` */
  readonly site: number;
  /** read in turn, a passage from each */
  readonly corpora: readonly string[];
  /** passes over the harvested tokens, at least; default 1, more where the corpora are too short */
  readonly epochs?: number | undefined;
  /** each passage is cut to this many tokens; default 256 */
  readonly passageTokens?: number | undefined;
  /** the folder for the SAE */
  readonly out: string;
  /** where the harvest lies, kept for further runs; default in `out`, deleted at the end */
  readonly harvestDir?: string | undefined;
  readonly overwrite?: boolean | undefined;
  /** for chat templates that print the date; default the clock's. Another day is another harvest. */
  readonly date?: Date | undefined;
  /** seconds between checkpoints; default 30 */
  readonly checkpointSeconds?: number | undefined;
  readonly progress?: Progress | undefined;
  readonly onStep?: ((step: SaeTrainStep) => void) | undefined;
  readonly clock?: Clock | undefined;
}

export interface SaeTrainResult {
  /** rows trained on: whole steps only */
  readonly tokens: number;
  readonly harvested: number;
  /** whether `out` already held exactly this SAE */
  readonly upToDate: boolean;
}

export const saeTrainDefaults = { passageTokens: 256, epochs: 1, checkpointSeconds: 30 };

const files = {
  config: 'cfg.json',
  weights: 'sae_weights.safetensors',
  work: 'work',
  harvest: 'harvest',
  checkpoint: 'checkpoint.safetensors',
};

interface Prepared {
  readonly opened: OpenModel;
  readonly settings: SaeTrainSettings;
  readonly inputs: Manifest['inputs'];
  /** the inputs, held against their hashes */
  readonly held: HeldFiles;
  /** what the harvest is asked for */
  readonly wanted: { readonly layer: number; readonly tokens: number; readonly passageTokens: number };
  readonly harvestKey: string;
  readonly key: string;
}

function checkedSettings(request: SaeTrainRequest, d: number): SaeTrainSettings {
  const { latents, tokens, kind, k, batch, rate, warmup, seed, deadAfter, auxK, auxWeight } = request;
  const given = Object.entries({ kind, k, batch, rate, warmup, seed, deadAfter, auxK, auxWeight });
  const chosen = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  try {
    return saeTrainSettings({ latents, tokens, ...chosen }, d);
  } catch (error) {
    if (error instanceof RangeError) throw new InputError(`sae train: ${error.message}`);
    throw error;
  }
}

/** Opens and checks everything before any work is done. */
async function prepare(request: SaeTrainRequest): Promise<Prepared> {
  const { site, corpora, epochs = saeTrainDefaults.epochs } = request;
  if (corpora.length === 0) throw new InputError('sae train: expected a corpus, found none');
  const { date: now = (request.clock ?? systemClock)() } = request;
  const opened = await openModel(request.model, { ...request, now });
  checkSite(opened.model, site);
  const settings = checkedSettings(request, opened.model.decoder.width);
  const paths = Object.fromEntries(corpora.map((path, i) => [`corpus.${i}`, path]));
  const held = heldFiles();
  const inputs = await hashInputs({ model: opened.source, adapter: request.adapter, ...paths }, held);
  const hashes = Object.fromEntries(Object.entries(inputs).map(([name, { sha256 }]) => [name, sha256]));
  const wanted = {
    layer: site,
    tokens: Math.ceil(settings.tokens / epochs),
    passageTokens: request.passageTokens ?? saeTrainDefaults.passageTokens,
  };
  const { date } = opened.codec;
  const day = date && { day: dateText(date).slice(0, 10) };
  const rows = harvestKey({ ...hashes, ...day }, wanted);
  return { opened, settings, inputs, held, wanted, harvestKey: rows, key: jsonHash({ rows, settings }) };
}

/** The key of the SAE that `out` holds, if it is one of ours. */
async function keyIn(out: string): Promise<string | undefined> {
  const text = await readTextIfThere(join(out, files.config));
  if (text === undefined) return undefined;
  try {
    return `${JSON.parse(text).metadata.culprit.key}`;
  } catch {
    return 'none of ours';
  }
}

async function readCheckpoint(path: string, key: string): Promise<SaeCheckpoint | undefined> {
  const found = await readSealed(path);
  if (found?.metadata.key !== key) return undefined;
  const { lastActive, ...state } = Object.fromEntries(found.tensors);
  return { step: Number(found.metadata.step), state, lastActive: dataOf(lastActive!, 'i32') };
}

async function writeCheckpoint(path: string, key: string, checkpoint: SaeCheckpoint): Promise<void> {
  const { step, state, lastActive } = checkpoint;
  const tensors = { ...state, lastActive: tensor('i32', [lastActive.length], lastActive) };
  await writeSealed(path, tensors, { key, step: `${step}` });
}

/** Rows trained on: the last step is left out if it is not whole. */
const trainedOn = ({ tokens, batch }: SaeTrainSettings): number => Math.floor(tokens / batch) * batch;

function epochsOf(settings: SaeTrainSettings, { tokens }: Harvest): number {
  return trainedOn(settings) / tokens;
}

/** cfg.json: what SAELens needs, then where the SAE comes from. */
function configOf(request: SaeTrainRequest, prepared: Prepared, found: Harvest): Record<string, unknown> {
  const { settings, inputs, wanted, opened } = prepared;
  const { kind, k, latents, tokens, ...training } = settings;
  const hashed = (name: string) => inputs[name]?.sha256;
  return {
    architecture: kind,
    d_in: opened.model.decoder.width,
    d_sae: latents,
    ...(kind === 'topk' && { k, rescale_acts_by_decoder_norm: false }),
    dtype: 'float32',
    device: 'cpu',
    apply_b_dec_to_input: true,
    normalize_activations: 'none',
    reshape_activations: 'none',
    metadata: {
      model_name: basename(resolve(request.model)),
      hook_name: `blocks.${wanted.layer}.hook_resid_post`,
      context_size: wanted.passageTokens,
      prepend_bos: false,
      culprit: {
        key: prepared.key,
        versions,
        model_sha256: hashed('model'),
        ...(request.adapter !== undefined && {
          adapter: basename(resolve(request.adapter)),
          adapter_sha256: hashed('adapter'),
        }),
        corpora: request.corpora.map((path, i) => ({
          name: basename(path),
          sha256: hashed(`corpus.${i}`),
        })),
        tokens_trained: trainedOn(settings),
        tokens_harvested: found.tokens,
        passages: found.passages,
        sinks_left_out: found.sinks,
        epochs: epochsOf(settings, found),
        training: { ...training, ...(kind === 'jumprelu' && { l0: k }) },
      },
    },
  };
}

async function train(
  runtime: Runtime,
  request: SaeTrainRequest,
  { settings, key }: Prepared,
  found: Harvest,
  work: string,
): Promise<SaeWeights> {
  const { clock = systemClock, onStep = () => {}, progress = silent } = request;
  const every = 1000 * (request.checkpointSeconds ?? saeTrainDefaults.checkpointSeconds);
  const path = join(work, files.checkpoint);
  const from = await readCheckpoint(path, key);
  if (from) progress.note(`Continuing after step ${from.step}`);
  let saved = clock().getTime();
  return trainSae(runtime, found.shards, found.width, settings, {
    from,
    onStep,
    saveNow: () => clock().getTime() - saved >= every,
    save: async (checkpoint) => {
      await writeCheckpoint(path, key, checkpoint);
      saved = clock().getTime();
    },
  });
}

/**
 * Trains, goes on with training, or finds the SAE finished. Throws InputError for anything wrong in what
 * was given; then nothing was written. Files are replaced whole, cfg.json last.
 */
export async function runSaeTrain(request: SaeTrainRequest): Promise<SaeTrainResult> {
  const { out, progress = silent } = request;
  const prepared = await prepare(request);
  const { settings, opened, wanted, key } = prepared;
  const before = await keyIn(out);
  if (before === key) return { tokens: trainedOn(settings), harvested: 0, upToDate: true };
  if (before !== undefined && !request.overwrite)
    throw new InputError(`--out ${out}: holds another SAE; name another folder, or add --overwrite`);
  const work = join(out, files.work);
  await mkdir(work, { recursive: true });
  const runtime = openRuntime(request);
  try {
    const found = await harvest(runtime, {
      ...opened,
      ...wanted,
      corpora: request.corpora,
      folder: request.harvestDir ?? join(work, files.harvest),
      replace: request.harvestDir === undefined,
      key: prepared.harvestKey,
      progress,
    });
    const epochs = epochsOf(settings, found);
    if (epochs > 1)
      progress.note(
        `${counted(found.tokens, 'token')} harvested; training on ${counted(trainedOn(settings), 'token')} is ${epochs.toFixed(2)} epochs`,
      );
    await prepared.held.check();
    const weights = await train(runtime, request, prepared, found, work);
    await writeSafetensors(join(out, files.weights), { ...weights });
    await replaceFile(join(out, files.config), async (file) => {
      await file.writeFile(`${JSON.stringify(configOf(request, prepared, found), undefined, 2)}\n`);
    });
    await rm(work, { recursive: true, force: true });
    return { tokens: trainedOn(settings), harvested: found.tokens, upToDate: false };
  } finally {
    await runtime.close();
  }
}
