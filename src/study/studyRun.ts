/**
 * A study from its file to its results, stage by stage: sample, grade, pair, attribute, steer. What is done is not done again; a run that was
 * stopped goes on where it was. One run at a time in a study.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { readJsonl } from '../files/jsonl.ts';
import { checkSite } from '../models/passes.ts';
import { readBaseline } from './attributeRun.ts';
import { attributionFiles } from './attributionFiles.ts';
import { corpusTokens } from './baselineRun.ts';
import { readStudy } from './config/readStudy.ts';
import { judgeOf } from './judging/openJudge.ts';
import { type Clock, systemClock } from './manifest.ts';
import { openSae, siteFor } from './openSae.ts';
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
import { runStudyProof, type StudyProof, steerStage, withoutProof } from './stages/steerStage.ts';
import { type OpenStudy, openStudy } from './stages/study.ts';
import { stageOf, type UnitResult } from './stages/units.ts';
import { lockStudy } from './store/lock.ts';
import { type Stage, stageState } from './store/stageState.ts';
import { acceptStage, beginManifest, redoStage } from './store/stages.ts';

export const stageNames = ['sample', 'grade', 'pair', 'attribute', 'steer'] as const;
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
  readonly steer?: StudyProof;
  /** why the study has no proof, where it was asked for and has none */
  readonly withoutProof?: string;
  /** why the run ended early, and at which stage */
  readonly stopped?: { readonly stage: StageName; readonly reason: string };
}

/** What a stage needs to be there. */
const needs: Readonly<Record<StageName, readonly string[]>> = {
  sample: [],
  grade: [completionsFile],
  pair: [completionsFile, gradesFile],
  attribute: [pairsFile, completionsFile],
  steer: [attributionFiles.latents, pairsFile, completionsFile, gradesFile],
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
    case 'steer':
      return steerStage(study);
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
  // All are known before the first is moved aside: a later one needs an earlier one's files.
  const named = stagesOf(study).filter((name) => redo.includes(name) || accept.includes(name));
  const stages = new Map<StageName, Stage>();
  for (const name of named) stages.set(name, await stageNow(study, name));
  for (const [name, stage] of stages)
    await (redo.includes(name) ? redoStage : acceptStage)(study.folder, stage, study.recorder);
}

/** Throws InputError where the reference cannot stand beside the subject. */
async function checkReference(study: OpenStudy, width: number): Promise<void> {
  const { model } = await study.model(study.config.reference);
  if (model.decoder.width !== width)
    throw new InputError(
      `reference ${study.config.reference.model}: expected the subject's residual width ${width}, found ${model.decoder.width}`,
    );
}

/** What the whole study needs, looked at before anything is computed. Throws InputError for the first thing that is missing or does not fit. */
export async function checkStudy(study: OpenStudy): Promise<void> {
  const { config } = study;
  const { model, codec } = await study.model(config.subject);
  if (config.prompts !== undefined) await study.prompts();
  if (withoutProof(study) === undefined) await checkReference(study, model.decoder.width);
  const sae = await openSae(config.sae.path);
  if (config.sae.site !== undefined) checkSite(model, config.sae.site);
  const layer = siteFor(sae, config.sae.site, model.decoder.width);
  checkSite(model, layer);
  const { baseline } = config;
  if (baseline !== undefined && 'file' in baseline)
    await readBaseline(baseline.file, model.decoder.width, layer);
  if (baseline !== undefined && 'corpus' in baseline)
    await corpusTokens(baseline.corpus, { model, codec, source: '' }, { maxTokens: 1 });
  const judge = judgeOf(study);
  await judge.fingerprint();
  if (!(await isImported(study.folder, 'grade'))) await judge.check();
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
    await beginManifest(study.folder, study.recorder);
    await prepare(study, request);
    const names = request.stages ?? stageNames;
    if (names.length === stageNames.length && !(await isDone(study))) await checkStudy(study);
    return await runStages(study, names);
  } finally {
    await study.close();
    await unlock();
  }
}

function withoutPairs(folder: string): string {
  const old = existsSync(join(folder, attributionFiles.latents));
  return `there are no pairs to attribute: change what is told above${old ? `; ${attributionFiles.latents} is of earlier pairs` : ''}`;
}

/** Whether there is nothing left to do. */
async function isDone(study: OpenStudy): Promise<boolean> {
  for (const name of stagesOf(study)) {
    if (await isImported(study.folder, name)) continue;
    if (needs[name].some((file) => !existsSync(join(study.folder, file)))) return false;
    if (!(await stageState(study.folder, await stageNow(study, name))).done) return false;
  }
  return true;
}

/** The stages that a study has. */
export const stagesOf = (study: Pick<OpenStudy, 'config'>): readonly StageName[] =>
  withoutProof(study) === undefined ? stageNames : stageNames.filter((name) => name !== 'steer');

async function runStages(study: OpenStudy, names: readonly StageName[]): Promise<StudyResult> {
  const { folder, config, progress } = study;
  let result: StudyResult = { study: { folder, config } };
  const reason = withoutProof(study);
  if (names.includes('steer') && reason !== undefined) result = { ...result, withoutProof: reason };
  for (const name of stagesOf(study).filter((one) => names.includes(one))) {
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
          return { ...result, stopped: { stage: 'attribute', reason: withoutPairs(folder) } };
        result = { ...result, attribute: await runStudyAttribution(study) };
        break;
      case 'steer': {
        const steer = await runStudyProof(study);
        if ('stopped' in steer) return { ...result, stopped: { stage: name, reason: steer.stopped } };
        result = { ...result, steer };
      }
    }
    const reason = name === 'grade' ? result.grade?.stopped : undefined;
    if (reason !== undefined) return { ...result, stopped: { stage: name, reason } };
  }
  return result;
}
