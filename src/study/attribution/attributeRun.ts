/**
 * Attribution from files to files: model, adapter, SAE, pairs and baseline in; latents.parquet,
 * attribution.safetensors and manifest.json out. One pair is the unit of work: a run that was stopped goes
 * on with the next.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { readBytesIfThere } from '../../files/ifThere.ts';
import { readPairs } from '../../files/pairs.ts';
import { readSafetensorsHeader, readTensor } from '../../files/safetensors.ts';
import type { Ranking } from '../../methods/attribution/reranking.ts';
import type { LossKind, TokenSet } from '../../methods/site/contrast.ts';
import type { Model } from '../../models/decoder.ts';
import { checkSite } from '../../models/passes.ts';
import {
  decodeLatents,
  type LatentRow,
  latentColumns,
  type Manifest,
  manifestSchema,
  parseJsonIf,
  resultFiles,
} from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Sae } from '../../saes/sae.ts';
import { isFloat, toFloat32 } from '../../tensor.ts';
import { contrastsOfFile, type StudyContrast } from '../open/contrasts.ts';
import { type Machine, openRuntime } from '../open/machine.ts';
import { openModel } from '../open/openModel.ts';
import { openChosenSae, type SaeChoice, saidOptions, siteFor } from '../open/openSae.ts';
import { type Progress, silent } from '../open/progress.ts';
import { contentHash, jsonHash } from '../store/hash.ts';
import { type HeldFiles, heldFiles } from '../store/heldFiles.ts';
import { outFolder } from '../store/outFolder.ts';
import { type RowStore, rowStore, storedKey } from '../store/rowStore.ts';
import { type Clock, dateText, hashInputs, systemClock, Timings, versions } from '../store/runRecord.ts';
import { attributed } from './attributed.ts';
import { writeAttribution, writeManifest } from './attributionFiles.ts';
import { corpusBaseline, corpusTokens } from './baselineRun.ts';
import { checkLength } from './contrastRuns.ts';

export interface AttributeRequest extends Machine {
  /** the subject: a folder or a GGUF file */
  readonly model: string;
  /** a PEFT LoRA adapter on it */
  readonly adapter?: string | undefined;
  readonly sae: string;
  /** what its files leave open */
  readonly saeSaid?: Omit<SaeChoice, 'path'> | undefined;
  /** layer L of `resid_post L`; default the SAE's own */
  readonly site?: number | undefined;
  /** a JSONL of pairs */
  readonly pairs: string;
  /** a safetensors file with `mean` [d]; or */
  readonly baseline?: string | undefined;
  /** a corpus to take the mean over, with the subject itself */
  readonly baselineCorpus?: string | undefined;
  /** default prompt */
  readonly tokens?: TokenSet | undefined;
  /** default mean */
  readonly loss?: LossKind | undefined;
  /** latents reported token by token; default 100 */
  readonly top?: number | undefined;
  /** default first-order; `exact` and `integrated` re-rank the first 4·top by what removing them does */
  readonly rank?: Ranking | undefined;
  /** pairs that they are removed on then; default 8 */
  readonly rankPairs?: number | undefined;
  /** the folder for the results */
  readonly out: string;
  /** replace another run's results in `out`; default false */
  readonly overwrite?: boolean | undefined;
  /** for chat templates that print the date; default the clock's */
  readonly date?: Date | undefined;
  readonly progress?: Progress | undefined;
  readonly clock?: Clock | undefined;
}

export interface AttributeResult {
  readonly manifest: Manifest;
  /** every latent, first rank first */
  readonly latents: readonly LatentRow[];
  /** whether the folder already held exactly this run */
  readonly upToDate: boolean;
}

const unfinishedFolder = 'attribution.unfinished';

/**
 * ā [d] from a file. Throws InputError where it has another width, or says that it was taken at another
 * site than `layer`.
 */
export async function readBaseline(path: string, d: number, layer?: number): Promise<Float32Array> {
  const { tensors, metadata } = await readSafetensorsHeader(path);
  const mean = tensors.get('mean') ?? tensors.get('baseline');
  if (!mean)
    throw new InputError(
      `baseline ${path}: expected a tensor named mean, or baseline as an attribution has it, found neither`,
    );
  if (mean.shape.join() !== `${d}`)
    throw new InputError(
      `baseline ${path}: mean has shape [${mean.shape}], the model's residual width is ${d}`,
    );
  if (layer !== undefined && metadata.site !== undefined && metadata.site !== `resid_post ${layer}`)
    throw new InputError(`baseline ${path}: taken at ${metadata.site}, the run is at resid_post ${layer}`);
  if (!isFloat(mean.dtype))
    throw new InputError(`baseline ${path}: mean: expected float values, found ${mean.dtype}`);
  const values = toFloat32(await readTensor(mean));
  if (!values.every(Number.isFinite))
    throw new InputError(`baseline ${path}: mean has values that are not finite`);
  return values;
}

interface Prepared {
  readonly model: Model;
  readonly sae: Sae;
  readonly layer: number;
  readonly contrasts: readonly StudyContrast[];
  /** ā, or the token ids of the passages to take it over */
  readonly baseline: Float32Array | readonly (readonly number[])[];
  readonly inputs: Manifest['inputs'];
  readonly options: {
    site: string;
    tokens: TokenSet;
    loss: LossKind;
    top: number;
    rank?: Ranking;
    rank_pairs?: number;
    date?: string;
  };
  readonly key: string;
  /** the inputs, held against their hashes */
  readonly held: HeldFiles;
}

/**
 * Opens and checks everything before any work is done; the model, which may take long, after the small
 * files.
 */
async function prepare(request: AttributeRequest & { readonly date: Date }): Promise<Prepared> {
  const { baseline, baselineCorpus, rank = 'first-order', rankPairs = 8 } = request;
  if (baseline === undefined && baselineCorpus === undefined)
    throw new InputError(
      'no baseline: add --baseline FILE (made by `culprit baseline`) or --baseline-corpus FILE (texts)',
    );
  if (baseline !== undefined && baselineCorpus !== undefined)
    throw new InputError('--baseline and --baseline-corpus: expected only one of them');
  const pairs = await readPairs(request.pairs);
  const sae = await openChosenSae({ ...request.saeSaid, path: request.sae });
  const opened = await openModel(request.model, { ...request, now: request.date });
  const { model, codec, source } = opened;
  if (request.site !== undefined) checkSite(model, request.site);
  const layer = siteFor(sae, request.site, model.decoder.width);
  checkSite(model, layer);
  const contrasts = contrastsOfFile(pairs, codec, request.pairs);
  for (const contrast of contrasts) checkLength(contrast, model, request.pairs);
  const held = heldFiles();
  for (const file of opened.cached) await held.hold(file);
  const { adapter, sae: dictionary } = request;
  const paths = { model: source, adapter, sae: dictionary, pairs: request.pairs, baseline, baselineCorpus };
  const inputs = await hashInputs(paths, held);
  const options = {
    site: `resid_post ${layer}`,
    tokens: request.tokens ?? 'prompt',
    loss: request.loss ?? 'mean',
    top: request.top ?? 100,
    ...(rank !== 'first-order' && { rank, rank_pairs: rankPairs }),
    ...saidOptions(request.saeSaid ?? {}),
  };
  const hashes = Object.fromEntries(Object.entries(inputs).map(([name, { sha256 }]) => [name, sha256]));
  const passages = baseline === undefined ? await corpusTokens(baselineCorpus!, opened) : [];
  // On another day a template that prints the date makes other tokens, or the same ones.
  const dated = codec.date && { tokens: jsonHash([contrasts, passages]) };
  return {
    model,
    sae,
    layer,
    contrasts,
    baseline: baseline === undefined ? passages : await readBaseline(baseline, model.decoder.width, layer),
    inputs,
    options: { ...options, ...(codec.date && { date: dateText(codec.date) }) },
    held,
    key: jsonHash({ hashes, options, versions, latents: latentColumns, ...dated }),
  };
}

/** Its files that are not as it made them. */
async function changedIn(out: string, { outputs = {} }: Manifest): Promise<string[]> {
  const changed: string[] = [];
  for (const [name, hash] of Object.entries(outputs))
    if ((await contentHash(join(out, name))) !== hash) changed.push(name);
  return changed;
}

/**
 * The run that `out` already holds, finished or not, if it is this one and as it was made; InputError if it
 * is another or was changed.
 */
async function finished(
  { out, overwrite }: AttributeRequest,
  key: string,
): Promise<AttributeResult | undefined> {
  const text = await readBytesIfThere(join(out, resultFiles.manifest));
  const manifest = text && manifestSchema.safeParse(parseJsonIf(text.toString()));
  if (manifest?.data?.key === key) {
    const latents = await readBytesIfThere(join(out, resultFiles.latents));
    const arrays = await readBytesIfThere(join(out, resultFiles.attribution));
    if (!latents || !arrays) return undefined;
    const [changed] = await changedIn(out, manifest.data);
    if (changed !== undefined && overwrite) return undefined;
    if (changed !== undefined)
      throw new InputError(
        `--out ${out}: ${changed} was changed after it was made: name another folder, or add --overwrite`,
      );
    return {
      manifest: manifest.data,
      latents: await decodeLatents(Uint8Array.from(latents).buffer),
      upToDate: true,
    };
  }
  const unfinished = await storedKey(join(out, unfinishedFolder));
  const other = manifest ? 'the results of another run' : 'an unfinished run';
  if (!overwrite && (manifest || (unfinished !== undefined && unfinished !== key)))
    throw new InputError(
      `--out ${out}: holds ${other}, with other inputs, options or versions: name another folder, or add --overwrite`,
    );
  return undefined;
}

/** ā: given, or stored, or taken over the corpus now. */
async function meanOf(
  runtime: Runtime,
  { model, layer, baseline }: Prepared,
  store: RowStore,
  progress: Progress,
): Promise<Float32Array> {
  if (baseline instanceof Float32Array) return baseline;
  return store.mean(async () => (await corpusBaseline(runtime, model, layer, baseline, progress)).mean);
}

/**
 * Runs, or goes on with, or finds finished, one attribution. Throws InputError for anything wrong in what
 * was given; all but values that are not finite is found before anything is written. Files are replaced
 * whole, manifest.json last.
 */
export async function runAttribute(request: AttributeRequest): Promise<AttributeResult> {
  const { progress = silent, out, clock = systemClock } = request;
  const { date = clock() } = request;
  const timings = new Timings(clock);
  const prepared = await timings.of('open', () => prepare({ ...request, date }));
  const before = await finished(request, prepared.key);
  if (before) return before;
  const runtime = openRuntime(request);
  try {
    await outFolder(out);
    const store = await rowStore(join(out, unfinishedFolder), prepared.key, {
      clock,
      note: progress.note,
      check: prepared.held.check,
    });
    const baseline = await timings.of('baseline', () => meanOf(runtime, prepared, store, progress));
    const { model, layer, contrasts, options } = prepared;
    const { tokens, loss, top, rank = 'first-order', rank_pairs = 0 } = options;
    const { result, evidence, latents, from, counts } = await attributed({
      runtime,
      model,
      layer,
      sae: prepared.sae,
      contrasts,
      baseline,
      tokens,
      loss,
      top,
      rank,
      removal: {
        wanted: top,
        pairs: rank_pairs,
        journal: join(out, unfinishedFolder, 'removal.jsonl'),
        check: prepared.held.check,
      },
      store,
      timings,
      clock,
      progress,
    });
    await prepared.held.check();
    await rm(join(out, resultFiles.manifest), { force: true });
    await writeAttribution(out, result, evidence, latents, from);
    const manifest: Manifest = {
      command: 'attribute',
      key: prepared.key,
      created: clock().toISOString(),
      versions,
      inputs: prepared.inputs,
      options: prepared.options,
      counts,
      seconds: timings.seconds,
      outputs: Object.fromEntries(
        await Promise.all(
          [resultFiles.latents, resultFiles.attribution].map(
            async (name) => [name, await contentHash(join(out, name))] as const,
          ),
        ),
      ),
    };
    await writeManifest(out, manifest);
    await store.remove();
    return { manifest, latents, upToDate: false };
  } finally {
    await runtime.close();
  }
}
