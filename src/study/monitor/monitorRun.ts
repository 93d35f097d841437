/**
 * A study's latents, a probe and a mean difference as detectors of its behaviour: fitted to the completions that latents
 * were found from, tried on others, within the task and across tasks. docs/method.md section 10.
 */
import { join, resolve } from 'node:path';
import { NothingToWorkOn } from '../../errors.ts';
import {
  crossTried,
  type FittedMonitor,
  type FittingOptions,
  fitMonitor,
  tryMonitor,
} from '../../methods/monitoring/fitted.ts';
import type { TokenSet } from '../../methods/site/contrast.ts';
import { type MonitorDetector, type MonitorRecord, type MonitorTest, resultFiles } from '../../results.ts';
import { given } from '../judging/given.ts';
import type { Machine } from '../open/machine.ts';
import type { Progress } from '../open/progress.ts';
import type { OpenStudy } from '../open/study.ts';
import { hashesThere, staleBeneath } from '../report/restsOn.ts';
import { withLockedStudy } from '../run/lockedStudy.ts';
import { outFolder } from '../store/outFolder.ts';
import { type Clock, dateText, versions } from '../store/runRecord.ts';
import { type ChosenLatents, chosenDirections } from './chosenDirections.ts';
import { type MeasuredTexts, type MonitorReading, measuredTexts } from './measuredTexts.ts';
import { checkAsMade, discoveryTexts, type MonitoredText, unsteeredTexts } from './monitoredTexts.ts';
import { writeMonitor } from './monitorFiles.ts';
import { closeTasks, type OtherTask, otherTasks } from './otherTasks.ts';
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

/** Fits, tries, and writes the results. Throws InputError for anything wrong in what was given. */
export async function runMonitor(request: MonitorRequest): Promise<MonitorResult> {
  const { study, cacheDir, memory, progress, clock } = request;
  return withLockedStudy({ study, cacheDir, memory, progress, clock }, (opened) =>
    monitored(opened, request),
  );
}

async function monitored(study: OpenStudy, request: MonitorRequest): Promise<MonitorResult> {
  const { folder, progress } = study;
  const { on = [], out = folder, cacheDir, memory } = request;
  const { tokens, first, random, seed } = { ...monitorDefaults, ...given(request) };
  await checkAsMade(folder, ownFiles);
  await outFolder(out);
  const { chosen, options } = await chosenDirections(study, { first, random, seed });
  const discovery = await discoveryTexts(folder);
  const heldOut = await unsteeredTexts(folder);
  const others = await otherTasks(study, on, { cacheDir, memory });
  try {
    const reading = { tokens, journalIn: folder };
    const fitting = await measuredTexts(study, discovery, reading);
    const share = shareOfPositives(fitting, folder);
    progress.note('Detectors, fitted and tried');
    const fitted = fitMonitor(fitting.texts, options);
    const trying = { fitted, reading, share, seed };
    const tests = [await withinTask(study, { ...trying, fitting, heldOut, options })];
    for (const other of others) tests.push(await acrossTasks(study, other, trying));
    const record = await recordOf(study, { tokens, seed, chosen, fitting, fitted, tests });
    await study.recorder.check?.();
    await writeMonitor(out, record, fitted.detectors, options.baseline);
    const files = [resultFiles.monitor, resultFiles.monitorVectors].map((name) => join(out, name));
    return { record, files };
  } finally {
    await closeTasks(others);
  }
}

/** Throws NothingToWorkOn where there are not texts of both labels. */
function shareOfPositives({ texts }: MeasuredTexts, folder: string): number {
  const positives = texts.filter(({ label }) => label).length;
  if (positives === 0 || positives === texts.length)
    throw new NothingToWorkOn(
      `${join(folder, resultFiles.grades)}: expected coherent completions of both labels to fit a monitor to, found ${positives} positive of ${texts.length}`,
    );
  return positives / texts.length;
}

async function recordOf(
  study: OpenStudy,
  {
    tokens,
    seed,
    chosen,
    fitting: { texts, unread },
    fitted,
    tests,
  }: Pick<MonitorRecord, 'tokens' | 'seed' | 'tests'> & {
    readonly chosen: ChosenLatents;
    readonly fitting: MeasuredTexts;
    readonly fitted: FittedMonitor;
  },
): Promise<MonitorRecord> {
  const { layer, sae } = await study.dictionary();
  const { codec } = await study.model(study.config.subject);
  const { confirmed } = chosen;
  return {
    behaviour: study.config.behaviour.name,
    site: `resid_post ${layer}`,
    layer,
    width: sae.width,
    tokens,
    ...subjectOf(study),
    date: codec.date ? dateText(codec.date) : null,
    seed,
    confirmed: confirmed === null ? null : [...confirmed],
    fitted: {
      prompts: new Set(texts.map(({ group }) => group)).size,
      completions: texts.length,
      positives: texts.filter(({ label }) => label).length,
      unread,
    },
    detectors: detectorRecords(fitted, chosen),
    tests,
    stale: await staleBeneath(study),
    inputs: await inputsOf(study),
    versions: { ...versions },
    created: study.clock().toISOString(),
  };
}

const subjectOf = ({ config: { subject } }: OpenStudy) => ({
  model: subject.model,
  adapter: subject.adapter ?? null,
});

/** What is tried, and how what it is tried on is read. */
interface Trying {
  readonly fitted: FittedMonitor;
  readonly reading: MonitorReading;
  /** of positives among the fitting texts */
  readonly share: number;
  readonly seed: number;
}

interface Within extends Trying {
  readonly fitting: MeasuredTexts;
  readonly heldOut: readonly MonitoredText[] | undefined;
  readonly options: FittingOptions;
}

/** On completions that no latent was found on, or else across folds of those that they were found on. */
async function withinTask(
  study: OpenStudy,
  { fitting, heldOut, fitted, options, reading, ...about }: Within,
): Promise<MonitorTest> {
  const here = { of: null, behaviour: study.config.behaviour.name, ...subjectOf(study) };
  if (heldOut !== undefined && heldOut.length > 0) {
    const { texts, unread } = await measuredTexts(study, heldOut, reading);
    return testRecord(fitted, tryMonitor(fitted, texts), { kind: 'held-out', ...here, unread }, about);
  }
  const tried = crossTried(fitting.texts, options);
  if (tried === undefined)
    throw new NothingToWorkOn(
      `${join(study.folder, resultFiles.grades)}: expected completions of both labels on several prompts, found them on one`,
    );
  return testRecord(fitted, tried, { kind: 'cross-fitted', ...here, unread: fitting.unread }, about);
}

/** A monitor reads the model that it watches: another study's texts its own subject, a file's the subject here. */
async function acrossTasks(
  study: OpenStudy,
  { path, opened, texts: found }: OtherTask,
  { fitted, reading, ...about }: Trying,
): Promise<MonitorTest> {
  const reader = opened ?? study;
  const { texts, unread } = await measuredTexts(reader, found, reading);
  const source = {
    kind: opened ? ('study' as const) : ('file' as const),
    of: resolve(path),
    behaviour: opened ? opened.config.behaviour.name : null,
    ...subjectOf(reader),
    unread,
  };
  return testRecord(fitted, tryMonitor(fitted, texts), source, about);
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
  return {
    ...(await study.modelHashes('model', config.subject)),
    sae: await study.hashedSae(),
    ...(await hashesThere(folder, own)),
  };
}
