/**
 * A study from its file to its results, stage by stage: sample, grade, pair, attribute. What is done is not done again; a run that was
 * stopped goes on where it was. One run at a time in a study.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { readJsonl } from '../files/jsonl.ts';
import { readStudy } from './config/readStudy.ts';
import { type Clock, systemClock } from './manifest.ts';
import { type Progress, silent } from './progress.ts';
import {
  type CompletionRecord,
  completionRecord,
  type GradeRecord,
  gradeRecord,
  imported,
} from './records.ts';
import { attributeStage, runStudyAttribution, type StudyAttribution } from './stages/attributeStage.ts';
import { gradePlan, gradesFile, readCompletions, runGrade } from './stages/gradeStage.ts';
import { type PairResult, pairStage, pairsFile, runPair } from './stages/pairStage.ts';
import { completionsFile, runSample, samplePlan } from './stages/sampleStage.ts';
import { type OpenStudy, openStudy } from './stages/study.ts';
import { stageOf, type UnitResult } from './stages/units.ts';
import { lockStudy } from './store/lock.ts';
import type { Stage } from './store/stageState.ts';
import { acceptStage, redoStage } from './store/stages.ts';

export const stageNames = ['sample', 'grade', 'pair', 'attribute'] as const;
export type StageName = (typeof stageNames)[number];

export interface StudyRequest {
  /** a study's folder, or its study.yaml */
  readonly study: string;
  /** the stages to run, in their order; default all */
  readonly stages?: readonly StageName[] | undefined;
  /** stages whose files are made anew; what is there is kept beside them */
  readonly redo?: readonly StageName[] | undefined;
  /** stages whose files are taken as they are */
  readonly accept?: readonly StageName[] | undefined;
  /** where an API key is looked for; default the process's own */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cacheDir?: string | undefined;
  readonly progress?: Progress | undefined;
  readonly clock?: Clock | undefined;
}

export interface StudyResult {
  readonly study: Pick<OpenStudy, 'folder' | 'config'>;
  readonly sample?: UnitResult<CompletionRecord>;
  readonly grade?: UnitResult<GradeRecord>;
  readonly pair?: PairResult;
  readonly attribute?: StudyAttribution;
  /** why the run ended early, and at which stage */
  readonly stopped?: { readonly stage: StageName; readonly reason: string };
}

/** What a stage needs to be there. */
const needs: Readonly<Record<StageName, readonly string[]>> = {
  sample: [],
  grade: [completionsFile],
  pair: [completionsFile, gradesFile],
  attribute: [pairsFile, completionsFile],
};

/** The stage as it would be done now; throws InputError where what it needs is not there. */
export async function stageNow(study: OpenStudy, name: StageName): Promise<Stage> {
  const missing = needs[name].find((file) => !existsSync(join(study.folder, file)));
  if (missing !== undefined)
    throw new InputError(
      `${join(study.folder, missing)}: no such file: stage ${name} needs it: \`culprit run\` makes it first`,
    );
  switch (name) {
    case 'sample':
      return stageOf(await samplePlan(study), study.recorder.versions);
    case 'grade':
      return stageOf(await gradePlan(study, await readCompletions(study.folder)), study.recorder.versions);
    case 'pair':
      return pairStage(study);
    case 'attribute':
      return attributeStage(study);
  }
}

/** Whether a stage's file came from elsewhere, by `culprit import`: it is taken as it is. */
export async function isImported(folder: string, name: StageName): Promise<boolean> {
  const first = async (file: string, schema: typeof completionRecord | typeof gradeRecord) => {
    const path = join(folder, file);
    if (!existsSync(path)) return undefined;
    for await (const { value } of readJsonl(path, schema)) return value;
    return undefined;
  };
  if (name === 'sample') {
    const found = (await first(completionsFile, completionRecord)) as CompletionRecord | undefined;
    return found?.model === imported;
  }
  if (name !== 'grade') return false;
  const found = (await first(gradesFile, gradeRecord)) as GradeRecord | undefined;
  return found?.judge === imported;
}

async function prepare(study: OpenStudy, { redo = [], accept = [] }: StudyRequest): Promise<void> {
  const both = redo.find((name) => accept.includes(name));
  if (both !== undefined) throw new InputError(`--redo ${both} and --accept ${both} exclude each other`);
  for (const name of stageNames) {
    if (redo.includes(name)) await redoStage(study.folder, await stageNow(study, name), study.recorder);
    if (accept.includes(name)) await acceptStage(study.folder, await stageNow(study, name), study.recorder);
  }
}

/** Opens a study for a request; the caller closes it. */
export async function openFor({
  study,
  progress = silent,
  clock = systemClock,
  environment = process.env,
  cacheDir,
}: StudyRequest): Promise<OpenStudy> {
  return openStudy(await readStudy(study), { progress, clock, environment, cacheDir });
}

/** Runs the stages. Throws InputError for anything wrong in what was given, or where another run is at work in the study. */
export async function runStudy(request: StudyRequest): Promise<StudyResult> {
  const study = await openFor(request);
  const unlock = await lockStudy(study.folder, study.clock);
  try {
    await prepare(study, request);
    return await stagesOf(study, request.stages ?? stageNames);
  } finally {
    await study.close();
    await unlock();
  }
}

async function stagesOf(study: OpenStudy, names: readonly StageName[]): Promise<StudyResult> {
  const { folder, config, progress } = study;
  let result: StudyResult = { study: { folder, config } };
  for (const name of stageNames.filter((one) => names.includes(one))) {
    if (await isImported(folder, name)) {
      progress.note(`${name}: the study's were imported; they are taken as they are`);
      continue;
    }
    await stageNow(study, name);
    switch (name) {
      case 'sample':
        result = { ...result, sample: await runSample(study) };
        break;
      case 'grade':
        result = { ...result, grade: await runGrade(study) };
        break;
      case 'pair':
        result = { ...result, pair: await runPair(study) };
        break;
      case 'attribute':
        if (result.pair?.pairs.length === 0)
          return { ...result, stopped: { stage: 'attribute', reason: 'there are no pairs to attribute' } };
        result = { ...result, attribute: await runStudyAttribution(study) };
    }
    const reason = name === 'grade' ? result.grade?.stopped : undefined;
    if (reason !== undefined) return { ...result, stopped: { stage: name, reason } };
  }
  return result;
}
