/**
 * A study from its file to its results, stage by stage. What is done is not done again; a run that
 * was stopped goes on where it was. One run at a time in a study. Knows no stage by name.
 */
import { resolve } from 'node:path';
import { InputError } from '../../errors.ts';
import { studyWarnings } from '../../results.ts';
import { readJudgeError } from '../judging/judgeErrorRun.ts';
import type { Machine } from '../open/machine.ts';
import { type Progress, silent } from '../open/progress.ts';
import {
  checkNeeds,
  checkUnchanged,
  hasNeeds,
  plannedStage,
  type StageStop,
  type StudyStage,
} from '../open/stage.ts';
import { type OpenStudy, openStudy } from '../open/study.ts';
import { acceptStage, beginManifest, redoStage } from '../store/finishStage.ts';
import { lockStudy } from '../store/lock.ts';
import { readStudyManifest } from '../store/manifest.ts';
import { type Clock, systemClock } from '../store/runRecord.ts';
import { type Stage, stageState } from '../store/stageState.ts';
import { readStudy } from './ownStudy.ts';
import { type StageResults, stages } from './stages.ts';

export interface StudyRequest extends Machine {
  /** a study's folder, or its study.yaml */
  readonly study: string;
  /** names of the stages to run; default all */
  readonly stages?: readonly string[] | undefined;
  /** stages whose files are made anew; what is there is kept beside them */
  readonly redo?: readonly string[] | undefined;
  /** stages whose files are taken as they are */
  readonly accept?: readonly string[] | undefined;
  /** the causal test without its funnel, whatever study.yaml says */
  readonly full?: boolean | undefined;
  /** completions with labels for the check, whatever study.yaml says */
  readonly labels?: string | undefined;
  /** called once the study is open, before anything is changed or computed; what it throws ends the run */
  readonly before?: ((study: OpenStudy) => Promise<void>) | undefined;
  /** the stages that there are, in their order; default culprit's own */
  readonly list?: readonly StudyStage[] | undefined;
  /** where an API key is looked for; default the process's own */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** the date for chat templates that print it; default the study's first day */
  readonly date?: Date | undefined;
  readonly progress?: Progress | undefined;
  readonly clock?: Clock | undefined;
}

/** What the stages that were run came to, each under its name, and what became of the others. */
export interface StudyResult extends StageResults {
  readonly study: Pick<OpenStudy, 'folder' | 'config'>;
  /** why the study does not have a stage that was asked for, by its name */
  readonly skipped: Readonly<Record<string, string>>;
  /** what a careful reader should know of the stages that were run; those of the check are its own lines */
  readonly warnings: readonly string[];
  /** why the run ended early, and at which stage */
  readonly stopped?: StageStop & { readonly stage: string };
}

type Named = readonly string[] | undefined;

/** The stages of these names, in the order of the list. Throws InputError for a name that there is not. */
function named(list: readonly StudyStage[], names: Named): readonly StudyStage[] {
  const unknown = names?.find((name) => !list.some((stage) => stage.name === name));
  if (unknown !== undefined)
    throw new InputError(`stage ${unknown}: expected one of ${list.map(({ name }) => name).join(', ')}`);
  return names === undefined ? list : list.filter(({ name }) => names.includes(name));
}

/** The stages that a study has. */
export const stagesOf = (
  study: Pick<OpenStudy, 'config'>,
  list: readonly StudyStage[] = stages,
): readonly StudyStage[] => list.filter((stage) => stage.skip?.(study) === undefined);

export const isImported = async (stage: StudyStage, folder: string): Promise<boolean> =>
  (await stage.imported?.(folder)) ?? false;

async function prepare(
  study: OpenStudy,
  list: readonly StudyStage[],
  { redo = [], accept = [] }: StudyRequest,
): Promise<void> {
  const both = redo.find((name) => accept.includes(name));
  if (both !== undefined)
    throw new InputError(`--redo ${both} and --accept ${both}: expected only one of them`);
  // All are known before the first is moved aside: a later one needs an earlier one's files.
  const planned = new Map<string, Stage>();
  for (const stage of stagesOf(study, list).filter(
    ({ name }) => redo.includes(name) || accept.includes(name),
  ))
    planned.set(stage.name, await plannedStage(stage, study));
  for (const [name, stage] of planned)
    await (redo.includes(name) ? redoStage : acceptStage)(study.folder, stage, study.recorder);
}

/**
 * What the whole study needs, looked at before anything is computed. Throws InputError for the first thing
 * that is missing or does not fit.
 */
export async function checkStudy(study: OpenStudy, list: readonly StudyStage[] = stages): Promise<void> {
  for (const stage of stagesOf(study, list)) await stage.check?.(study);
}

/** Opens a study for a request; the caller closes it. */
export async function openFor({
  study,
  progress = silent,
  clock = systemClock,
  environment = process.env,
  cacheDir,
  memory,
  date,
  full = false,
  labels,
  list = stages,
}: StudyRequest): Promise<OpenStudy> {
  const read = await readStudy(study, list);
  const steering = { ...read.config.steering, ...(full && { full }) };
  const check = { ...read.config.check, ...(labels !== undefined && { labels: resolve(labels) }) };
  return openStudy(
    { ...read, config: { ...read.config, steering, check } },
    { progress, clock, environment, cacheDir, memory, date },
  );
}

/** Whether there is nothing left to do. */
async function isDone(study: OpenStudy, list: readonly StudyStage[]): Promise<boolean> {
  for (const stage of stagesOf(study, list)) {
    if (await isImported(stage, study.folder)) continue;
    if (!(await hasNeeds(stage, study))) return false;
    if (!(await stageState(study.folder, await stage.plan(study))).done) return false;
  }
  return true;
}

async function runStages(
  study: OpenStudy,
  list: readonly StudyStage[],
  asked: readonly StudyStage[],
  { says }: { readonly says: boolean },
): Promise<Omit<StudyResult, 'warnings'>> {
  const { folder, config, progress } = study;
  const results: Record<string, unknown> = {};
  const reasons = asked.map((stage) => [stage.name, stage.skip?.(study)] as const);
  const skipped = Object.fromEntries(reasons.filter(([, reason]) => reason !== undefined));
  const told = () => ({ ...results, study: { folder, config }, skipped }) as Omit<StudyResult, 'warnings'>;
  const said = new Set<string>();
  for (const [i, stage] of stagesOf(study, list)
    .filter((one) => asked.includes(one))
    .entries()) {
    const { name } = stage;
    if (says && i > 0) await sayWarnings(told(), said, progress);
    if (await isImported(stage, folder)) {
      progress.note(`${name}: skipped: the study uses what was imported`);
      continue;
    }
    await checkNeeds(stage, study);
    await checkUnchanged(stage, study);
    const { result, stopped } = await stage.run(study, results);
    if (result !== undefined) results[name] = result;
    if (stopped !== undefined) return { ...told(), stopped: { stage: name, ...stopped } };
  }
  return told();
}

/** Says what is to be careful of before more is computed on it; all of it follows once more at the end. */
async function sayWarnings(
  result: Omit<StudyResult, 'warnings'>,
  said: Set<string>,
  progress: Progress,
): Promise<void> {
  const found = [...studyWarnings({ check: result.check?.lines }), ...(await warningsAfter(result))];
  for (const warning of found.filter((one) => !said.has(one))) {
    progress.note(`Be careful: ${warning.replaceAll('\u202f', ' ')}`);
    said.add(warning);
  }
}

/** Warnings of what a run has done or found done. */
async function warningsAfter(result: Omit<StudyResult, 'warnings'>): Promise<string[]> {
  const { folder } = result.study;
  const manifest = await readStudyManifest(folder);
  const stages = Object.entries(manifest?.stages ?? {}).filter(([name]) => name in result);
  return studyWarnings({
    manifest: manifest && { ...manifest, stages: Object.fromEntries(stages), writing: [] },
    ...(result.steer && { steering: result.steer, judgeError: await readJudgeError(folder) }),
  });
}

/**
 * Runs the stages. Throws InputError for anything wrong in what was given, or where another run is at work
 * in the study.
 */
export async function runStudy(request: StudyRequest): Promise<StudyResult> {
  const { list = stages } = request;
  const asked = named(list, request.stages);
  for (const names of [request.redo, request.accept]) named(list, names);
  const study = await openFor(request);
  const unlock = await lockStudy(study.folder, study.clock, study.progress.note);
  try {
    await request.before?.(study);
    await beginManifest(study.folder, study.recorder, study.progress.note);
    await prepare(study, list, request);
    const computes = asked.length > 1 && !(await isDone(study, asked));
    if (computes) await checkStudy(study, asked);
    const result = await runStages(study, list, asked, { says: computes });
    return { ...result, warnings: await warningsAfter(result) };
  } finally {
    await study.close();
    await unlock();
  }
}
