/**
 * A study's latents, a probe and a mean difference as detectors of its behaviour: fitted to the completions that latents
 * were found from, tried on others, within the task and across tasks. docs/method.md section 10.
 */
import { join, resolve } from 'node:path';
import { InputError, NothingToWorkOn } from '../../errors.ts';
import { isFolderThere, isThere } from '../../files/ifThere.ts';
import { directionsOf } from '../../methods/attribution/score.ts';
import type { MeasuredText } from '../../methods/monitoring/detectors.ts';
import {
  crossTried,
  type FittedMonitor,
  type FittingOptions,
  fitMonitor,
  tryMonitor,
} from '../../methods/monitoring/fitted.ts';
import type { TokenSet } from '../../methods/site/contrast.ts';
import { shuffled } from '../../methods/statistics/groups.ts';
import { generatorOf } from '../../methods/statistics/random.ts';
import {
  confirmedLatents,
  type LatentRow,
  type MonitorDetector,
  type MonitorRecord,
  type MonitorTest,
  resultFiles,
} from '../../results.ts';
import { readAttributionArrays } from '../attribution/attributionFiles.ts';
import type { Machine } from '../open/machine.ts';
import { type Progress, silent } from '../open/progress.ts';
import { readLatents, readSteering } from '../open/records.ts';
import { hashedNow, type OpenStudy } from '../open/study.ts';
import { staleStages } from '../report/stale.ts';
import { openFor } from '../run/studyRun.ts';
import { journalFile } from '../store/folder.ts';
import { jsonHash } from '../store/hash.ts';
import { openJournal } from '../store/journal.ts';
import { lockStudy } from '../store/lock.ts';
import { outFolder } from '../store/outFolder.ts';
import { type Clock, dateText, systemClock, versions } from '../store/runRecord.ts';
import { meanRecord, meanResiduals, meanVersion } from './meanResiduals.ts';
import {
  checkAsMade,
  discoveryTexts,
  labelledTexts,
  type MonitoredText,
  unsteeredTexts,
} from './monitoredTexts.ts';
import { writeMonitor } from './monitorFiles.ts';
import { testRecord } from './testRecord.ts';

export const monitorDefaults = { tokens: 'completion', first: 3, random: 50, seed: 1 } as const;

export interface MonitorRequest extends Machine {
  /** a study's folder, or its study.yaml */
  readonly study: string;
  /** other studies, and files of labelled completions, to try the detectors on */
  readonly on?: readonly string[] | undefined;
  /** whose mean residual is read; default completion */
  readonly tokens?: TokenSet | undefined;
  /** latents by Δ where none is confirmed; default 3 */
  readonly first?: number | undefined;
  /** random latents; default 50 */
  readonly random?: number | undefined;
  /** of random latents, the probe's folds and intervals; default 1 */
  readonly seed?: number | undefined;
  /** folder for the results; default the study's */
  readonly out?: string | undefined;
  readonly progress?: Progress | undefined;
  readonly clock?: Clock | undefined;
}

export interface MonitorResult {
  readonly record: MonitorRecord;
  readonly files: readonly string[];
}

/** What a monitor is made of, beside the texts. */
const ownFiles = [resultFiles.latents, resultFiles.attribution, resultFiles.steering];
const usedStages = new Set(['sample', 'grade', 'pair', 'attribute', 'steer']);

/** Texts with their means; `unread` had none. */
interface Measured {
  readonly texts: readonly MeasuredText[];
  readonly unread: number;
}

/** Reads texts with one study's subject. */
async function measured(
  study: OpenStudy,
  texts: readonly MonitoredText[],
  { tokens, journalIn }: { readonly tokens: TokenSet; readonly journalIn: string },
): Promise<Measured> {
  const { model, codec } = await study.model(study.config.subject);
  const layer = await study.layer();
  const hashes = await study.modelHashes('model', study.config.subject);
  const key = jsonHash([
    Object.entries(hashes).map(([name, { sha256 }]) => [name, sha256]),
    [layer, tokens, meanVersion, codec.date ? dateText(codec.date) : null],
    study.recorder.versions,
  ]);
  const { clock, progress, recorder } = study;
  const journal = await openJournal(
    journalFile(journalIn, { name: 'monitor', key }),
    meanRecord,
    ({ id }) => id,
    {
      clock,
      note: progress.note,
      check: recorder.check,
    },
  );
  const site = { runtime: study.runtime(), model, codec, layer, tokens };
  const means = await meanResiduals(site, texts, journal, progress);
  const found = texts.flatMap(({ group, positive }, n): MeasuredText[] => {
    const features = means[n];
    return features === undefined ? [] : [{ features, label: positive, group }];
  });
  return { texts: found, unread: texts.length - found.length };
}

interface ChosenLatents {
  readonly rows: readonly LatentRow[];
  /** null without a causal test */
  readonly confirmed: readonly number[] | null;
}

/** The confirmed ones, strongest first, else the first by Δ; and the first by Δ in any case. */
async function chosenLatents(
  folder: string,
  rows: readonly LatentRow[],
  first: number,
): Promise<ChosenLatents> {
  const tested = await isThere(join(folder, resultFiles.steering));
  const confirmed = tested
    ? confirmedLatents((await readSteering(folder)).rows).map(({ latent }) => latent)
    : null;
  const byLatent = new Map(rows.map((row) => [row.latent, row]));
  const found = confirmed?.length ? confirmed : rows.slice(0, first).map(({ latent }) => latent);
  const latents = [...new Set([...found, rows[0]!.latent])];
  const unknown = latents.find((latent) => !byLatent.has(latent));
  if (unknown !== undefined)
    throw new InputError(
      `${join(folder, resultFiles.latents)}: expected latent ${unknown}, which ${resultFiles.steering} has, found none`,
    );
  return { rows: latents.map((latent) => byLatent.get(latent)!), confirmed };
}

/** Directions of `count` latents that are ever active and are none of `others`; fewer where there are fewer. */
async function randomDirections(
  study: OpenStudy,
  rows: readonly LatentRow[],
  {
    count,
    others,
    seed,
  }: { readonly count: number; readonly others: readonly number[]; readonly seed: number },
): Promise<Float32Array[]> {
  const sae = await study.sae();
  const alive = rows.filter(({ q, latent }) => q !== null && !others.includes(latent));
  const drawn = shuffled(
    alive.map(({ latent }) => latent).sort((a, b) => a - b),
    generatorOf(seed),
  );
  const found: Float32Array[] = [];
  for (const latent of drawn) {
    if (found.length >= count) break;
    const direction = await directionsOf(sae, [latent]);
    if (direction.some((x) => x !== 0)) found.push(direction);
  }
  return found;
}

const isStudy = async (path: string) => /\.ya?ml$/i.test(path) || (await isFolderThere(path));

/** What another study's subject has to have in common with this one's. */
async function shapeOf(study: OpenStudy): Promise<string> {
  const { decoder } = (await study.model(study.config.subject)).model;
  return `a ${decoder.family} model of ${decoder.blocks} blocks and width ${decoder.width} read at resid_post ${await study.layer()}`;
}

/** Throws InputError for this study itself, or one whose residuals are other ones. */
async function openOther(study: OpenStudy, path: string, request: MonitorRequest): Promise<OpenStudy> {
  const { cacheDir, memory } = request;
  const { progress, clock } = study;
  const other = await openFor({ study: path, cacheDir, memory, progress, clock });
  try {
    if (other.folder === study.folder)
      throw new InputError(`--on ${path}: expected another study, found the one that is monitored`);
    const [own, found] = [await shapeOf(study), await shapeOf(other)];
    if (own !== found)
      throw new InputError(`--on ${path}: expected ${own}, as ${study.folder} has it, found ${found}`);
    return other;
  } catch (error) {
    await other.close();
    throw error;
  }
}

type TestSource = Pick<MonitorTest, 'kind' | 'of' | 'behaviour' | 'model' | 'adapter'>;

/** Fits, tries, and writes the results. Throws InputError for anything wrong in what was given. */
export async function runMonitor(request: MonitorRequest): Promise<MonitorResult> {
  const { cacheDir, memory, progress = silent, clock = systemClock } = request;
  const study = await openFor({ study: request.study, cacheDir, memory, progress, clock });
  try {
    const unlock = await lockStudy(study.folder, clock, progress.note);
    try {
      return await monitored(study, request);
    } finally {
      await unlock();
    }
  } finally {
    await study.close();
  }
}

async function monitored(study: OpenStudy, request: MonitorRequest): Promise<MonitorResult> {
  const { folder, config, clock, progress } = study;
  const { tokens = monitorDefaults.tokens, first = monitorDefaults.first } = request;
  const { random = monitorDefaults.random, seed = monitorDefaults.seed, on = [], out = folder } = request;
  await checkAsMade(folder, ownFiles);
  const path = join(folder, resultFiles.latents);
  if (!(await isThere(path)))
    throw new InputError(`${path}: no such file: \`culprit attribute ${folder}\` makes it`);
  await outFolder(out);
  const { layer, sae } = await study.dictionary();
  const rows = await readLatents(folder);
  const { baseline } = await readAttributionArrays(folder);
  const chosen = await chosenLatents(folder, rows, first);
  const discovery = await discoveryTexts(folder);
  const heldOut = await unsteeredTexts(folder);
  const others: Other[] = [];
  for (const one of on) others.push(await otherTexts(study, one, request));

  const reading = { tokens, journalIn: folder };
  const fitting = await measured(study, discovery, reading);
  const labels = fitting.texts.map(({ label }) => label);
  if (!labels.includes(true) || !labels.includes(false))
    throw new NothingToWorkOn(
      `${join(folder, resultFiles.grades)}: expected coherent completions of both labels to fit a monitor to, found ${labels.length} of one`,
    );
  const directions = await directionsOf(
    sae,
    chosen.rows.map(({ latent }) => latent),
  );
  const options: FittingOptions = {
    latents: chosen.rows.map(({ latent, sign }, k) => ({
      name: `latent ${latent}`,
      direction: directions.subarray(k * sae.width, (k + 1) * sae.width),
      sign,
    })),
    random: await randomDirections(study, rows, {
      count: random,
      others: chosen.rows.map(({ latent }) => latent),
      seed,
    }),
    baseline,
    seed,
  };
  progress.note('Detectors, fitted and tried');
  const fitted = fitMonitor(fitting.texts, options);
  const share = labels.filter(Boolean).length / labels.length;
  const own = { model: config.subject.model, adapter: config.subject.adapter ?? null };
  const here = { of: null, behaviour: config.behaviour.name, ...own };
  const tests = [await withinTask(study, { fitting, heldOut, fitted, options, here, share, reading })];
  for (const other of others)
    tests.push(await acrossTasks(study, other, { fitted, reading, share, seed, request }));

  const { codec } = await study.model(config.subject);
  const stale = Object.entries(await staleStages(study)).filter(([stage]) => usedStages.has(stage));
  const record: MonitorRecord = {
    behaviour: config.behaviour.name,
    site: `resid_post ${layer}`,
    layer,
    width: sae.width,
    tokens,
    ...own,
    date: codec.date ? dateText(codec.date) : null,
    seed,
    confirmed: chosen.confirmed === null ? null : [...chosen.confirmed],
    fitted: {
      prompts: new Set(fitting.texts.map(({ group }) => group)).size,
      completions: labels.length,
      positives: labels.filter(Boolean).length,
      unread: fitting.unread,
    },
    detectors: detectorRecords(fitted, chosen),
    tests,
    stale: Object.fromEntries(stale),
    inputs: await inputsOf(study),
    versions: { ...versions },
    created: clock().toISOString(),
  };
  await study.recorder.check?.();
  await writeMonitor(out, record, fitted.detectors, baseline);
  const files = [resultFiles.monitor, resultFiles.monitorVectors].map((name) => join(out, name));
  return { record, files };
}

/** The texts of one `--on`, found before anything is read by a model. */
interface Other {
  readonly path: string;
  readonly isStudy: boolean;
  readonly texts: readonly MonitoredText[];
}

async function otherTexts(study: OpenStudy, path: string, request: MonitorRequest): Promise<Other> {
  if (!(await isStudy(path))) return { path, isStudy: false, texts: await labelledTexts(path) };
  const other = await openOther(study, path, request);
  try {
    const texts = [...(await discoveryTexts(other.folder)), ...((await unsteeredTexts(other.folder)) ?? [])];
    return { path, isStudy: true, texts };
  } finally {
    await other.close();
  }
}

interface Within {
  readonly fitting: Measured;
  readonly heldOut: readonly MonitoredText[] | undefined;
  readonly fitted: FittedMonitor;
  readonly options: FittingOptions;
  readonly here: Omit<TestSource, 'kind'>;
  readonly share: number;
  readonly reading: { readonly tokens: TokenSet; readonly journalIn: string };
}

/** On completions that no latent was found on, or else across folds of those that they were found on. */
async function withinTask(study: OpenStudy, within: Within): Promise<MonitorTest> {
  const { fitting, heldOut, fitted, options, here, share, reading } = within;
  const { seed } = options;
  if (heldOut !== undefined && heldOut.length > 0) {
    const { texts, unread } = await measured(study, heldOut, reading);
    return testRecord(
      fitted,
      tryMonitor(fitted, texts),
      { kind: 'held-out', ...here, unread },
      { share, seed },
    );
  }
  const tried = crossTried(fitting.texts, options);
  if (tried === undefined)
    throw new NothingToWorkOn(
      `${join(study.folder, resultFiles.grades)}: expected completions of both labels on several prompts, found them on one`,
    );
  const { unread } = fitting;
  return testRecord(fitted, tried, { kind: 'cross-fitted', ...here, unread }, { share, seed });
}

interface Across {
  readonly fitted: FittedMonitor;
  readonly reading: { readonly tokens: TokenSet; readonly journalIn: string };
  readonly share: number;
  readonly seed: number;
  readonly request: MonitorRequest;
}

/** A monitor reads the model that it watches: another study's texts its own subject, a file's the subject here. */
async function acrossTasks(study: OpenStudy, other: Other, across: Across): Promise<MonitorTest> {
  const { fitted, reading, share, seed, request } = across;
  const opened = other.isStudy ? await openOther(study, other.path, request) : undefined;
  const reader = opened ?? study;
  try {
    const { texts, unread } = await measured(reader, other.texts, reading);
    const { subject, behaviour } = reader.config;
    const source = {
      kind: other.isStudy ? ('study' as const) : ('file' as const),
      of: resolve(other.path),
      behaviour: other.isStudy ? behaviour.name : null,
      model: subject.model,
      adapter: subject.adapter ?? null,
      unread,
    };
    return testRecord(fitted, tryMonitor(fitted, texts), source, { share, seed });
  } finally {
    await opened?.close();
  }
}

const detectorRecords = (
  { detectors }: FittedMonitor,
  { rows, confirmed }: ChosenLatents,
): MonitorDetector[] =>
  detectors.map(({ name, kind, C, threshold, slope, intercept, fittedAuc }, k) => {
    const row = kind === 'latent' ? rows[k]! : undefined;
    return {
      name,
      kind,
      latent: row?.latent ?? null,
      sign: row?.sign ?? null,
      rank: row?.rank ?? null,
      confirmed: row === undefined ? null : (confirmed?.includes(row.latent) ?? false),
      C,
      threshold,
      slope,
      intercept,
      fitted_auc: fittedAuc,
    };
  });

async function inputsOf(study: OpenStudy): Promise<MonitorRecord['inputs']> {
  const { folder, config } = study;
  const own = [resultFiles.completions, resultFiles.grades, ...ownFiles, resultFiles.steered];
  const found: [string, { path: string; sha256: string }][] = [];
  for (const name of own)
    if (await isThere(join(folder, name))) found.push([name, await hashedNow(join(folder, name))]);
  return {
    ...(await study.modelHashes('model', config.subject)),
    sae: await study.hashedSae(),
    ...Object.fromEntries(found),
  };
}
