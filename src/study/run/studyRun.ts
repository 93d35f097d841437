/**
 * A study from its file to its results, stage by stage: sample, grade, pair, attribute, steer, interpret. What is done is not done again; a run that was
 * stopped goes on where it was. One run at a time in a study.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';
import { readJsonl } from '../../files/jsonl.ts';
import type { Model } from '../../models/decoder.ts';
import { checkSite } from '../../models/passes.ts';
import {
  type CompletionRecord,
  completionRecord,
  type GradeRecord,
  gradeRecord,
  imported,
  resultFiles,
} from '../../results.ts';
import type { Sae } from '../../saes/sae.ts';
import { attributeStage, runStudyAttribution, type StudyAttribution } from '../attribution/4-attribute.ts';
import { readBaseline } from '../attribution/attributeRun.ts';
import { corpusTokens } from '../attribution/baselineRun.ts';
import { runSample, samplePlan } from '../completions/1-sample.ts';
import { type PairResult, pairStage, runPair } from '../completions/3-pair.ts';
import {
  interpretOptions,
  interpretStage,
  runInterpret,
  type StudyInterpretation,
} from '../interpretation/6-interpret.ts';
import { explainerOf } from '../interpretation/openExplainer.ts';
import { gradePlan, runGrade } from '../judging/2-grade.ts';
import { judgeOf } from '../judging/openJudge.ts';
import type { OpenModel } from '../open/openModel.ts';
import { openSae, siteFor } from '../open/openSae.ts';
import { type Progress, silent } from '../open/progress.ts';
import type { StudyPrompt } from '../open/promptsFile.ts';
import { readCompletions } from '../open/records.ts';
import { hashesOf, type OpenStudy, openStudy } from '../open/study.ts';
import { stageOf, type UnitResult } from '../open/units.ts';
import {
  encodedPrompts,
  runStudyCausalTest,
  type StudyCausalTest,
  steerStage,
  withoutCausalTest,
} from '../steering/5-steer.ts';
import { promptHash } from '../store/contentHash.ts';
import { acceptStage, beginManifest, redoStage } from '../store/finishStage.ts';
import { lockStudy } from '../store/lock.ts';
import { type Clock, systemClock } from '../store/runRecord.ts';
import { type Stage, stageState } from '../store/stageState.ts';
import { readStudyFile } from './studyFile.ts';

export const stageNames = ['sample', 'grade', 'pair', 'attribute', 'steer', 'interpret'] as const;
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
  /** the causal test without its funnel, whatever study.yaml says */
  readonly full?: boolean | undefined;
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
  readonly steer?: StudyCausalTest;
  readonly interpret?: StudyInterpretation;
  /** why the study has no causal test, where it was asked for and has none */
  readonly withoutCausalTest?: string;
  /** why the run ended early, and at which stage */
  readonly stopped?: { readonly stage: StageName; readonly reason: string };
}

/** What a stage needs to be there. */
const needs: Readonly<Record<StageName, readonly string[]>> = {
  sample: [],
  grade: [resultFiles.completions],
  pair: [resultFiles.completions, resultFiles.grades],
  attribute: [resultFiles.pairs, resultFiles.completions],
  steer: [resultFiles.latents, resultFiles.pairs, resultFiles.completions, resultFiles.grades],
  interpret: [resultFiles.latents, resultFiles.pairs, resultFiles.completions],
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
    case 'interpret':
      return interpretStage(study);
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
    const found = (await first(resultFiles.completions, completionRecord)) as CompletionRecord | undefined;
    return found?.model === imported;
  }
  if (name !== 'grade') return false;
  const found = (await first(resultFiles.grades, gradeRecord)) as GradeRecord | undefined;
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

/** The dictionary, and the layer to work at. Throws InputError where they do not fit the subject. */
async function fittingSae({ config }: OpenStudy, subject: Model): Promise<{ sae: Sae; layer: number }> {
  const sae = await openSae(config.sae.path);
  if (config.sae.site !== undefined) checkSite(subject, config.sae.site);
  const layer = siteFor(sae, config.sae.site, subject.decoder.width);
  checkSite(subject, layer);
  return { sae, layer };
}

/** Throws InputError where subject and reference are one model: nothing could be told from steering both. */
async function checkOther(study: OpenStudy): Promise<void> {
  const { subject, reference } = study.config;
  const [own, other] = [
    hashesOf(await study.modelHashes('model', subject)),
    hashesOf(await study.modelHashes('model', reference)),
  ];
  if (!isDeepStrictEqual(own, other)) return;
  const found = subject.adapter === undefined ? 'which names no adapter' : 'found the same model and adapter';
  throw new InputError(
    `${study.file}: reference: expected a model other than the subject, ${found}: name a reference, or set prompts.evaluation to 0 to leave the causal test out`,
  );
}

/** Throws InputError where the reference cannot stand beside the subject in the causal test. */
async function checkReference(study: OpenStudy, layer: number): Promise<void> {
  await checkOther(study);
  const { config } = study;
  const [subject, reference] = [await study.model(config.subject), await study.model(config.reference)];
  const { decoder } = reference.model;
  const where = `reference ${config.reference.model}`;
  if (decoder.width !== subject.model.decoder.width)
    throw new InputError(
      `${where}: expected the subject's residual width ${subject.model.decoder.width}, found ${decoder.width}`,
    );
  if (decoder.vocabulary !== subject.model.decoder.vocabulary)
    throw new InputError(
      `${where}: expected the subject's vocabulary of ${subject.model.decoder.vocabulary} tokens, found ${decoder.vocabulary}`,
    );
  checkSite(reference.model, layer);
  const { discovery, evaluation, calibration } = await study.prompts();
  for (const prompt of [...evaluation, ...calibration, ...discovery])
    checkTokens(study, subject, reference, prompt);
}

const placeOf = ({ config }: OpenStudy, { id, row }: StudyPrompt) =>
  `${config.prompts!.file}: row ${row}: prompt ${quoted(id)}`;

function checkTokens(
  study: OpenStudy,
  subject: OpenModel,
  { codec, model }: OpenModel,
  prompt: StudyPrompt,
): void {
  const [own, other] = [subject.codec.encodePrompt(prompt.prompt), codec.encodePrompt(prompt.prompt)];
  const length = Math.max(own.length, other.length);
  const at = Array.from({ length }, (_, i) => i).find((i) => own[i] !== other[i]);
  const where = placeOf(study, prompt);
  if (at !== undefined)
    throw new InputError(
      `${where}: expected the same tokens for subject and reference ${study.config.reference.model}, found that they differ at token ${at + 1}`,
    );
  if (other.length > model.decoder.context)
    throw new InputError(
      `${where}: expected at most the ${model.decoder.context} tokens that reference ${study.config.reference.model} takes, found ${other.length}`,
    );
}

function checkRandom({ file, config }: OpenStudy, sae: Sae): void {
  const { candidates, random } = config.steering;
  if (candidates + random > sae.latents)
    throw new InputError(
      `${file}: steering.random: expected at most ${sae.latents} with steering.candidates, as many as ${sae.where} has latents, found ${random} + ${candidates}: lower one of them`,
    );
}

/** Throws InputError where the latents would be confirmed on a prompt that they are found on. */
async function checkUnseen(study: OpenStudy): Promise<void> {
  const { evaluation, calibration } = await study.prompts();
  const seen = new Set((await readCompletions(study.folder)).map(({ prompt }) => promptHash(prompt)));
  const found = [...evaluation, ...calibration].find(({ prompt }) => seen.has(promptHash(prompt)));
  if (found !== undefined)
    throw new InputError(
      `${placeOf(study, found)}: expected a prompt to test latents on that they are not found on, found it in ${join(study.folder, resultFiles.completions)}: name others in study.yaml, by prompts.file or prompts.rows, or make the completions anew`,
    );
}

/** What the causal test needs beside the other stages' results. Throws InputError for what does not fit. */
async function checkCausalTest(study: OpenStudy, { sae, layer }: { sae: Sae; layer: number }): Promise<void> {
  const { config } = study;
  await checkReference(study, layer);
  checkRandom(study, sae);
  const { evaluation, calibration } = await study.prompts();
  for (const choice of [config.subject, config.reference])
    encodedPrompts(study, await study.model(choice), [...calibration, ...evaluation]);
}

/** Throws InputError where the study's latents are not those of the study as it is now. */
export async function checkAttributed(study: OpenStudy): Promise<void> {
  const { folder } = study;
  const { done, problem } = await stageState(folder, await stageNow(study, 'attribute'));
  if (problem !== undefined) throw new InputError(problem);
  if (!done)
    throw new InputError(
      `${join(folder, resultFiles.latents)}: expected latents by the study as it is now, found ${existsSync(join(folder, resultFiles.latents)) ? 'those of other inputs or options' : 'none'}: run \`culprit attribute ${folder}\` first`,
    );
}

/** Throws InputError where a causal test would start from anything but the study's present latents. */
async function checkBeforeCausalTest(study: OpenStudy): Promise<void> {
  const { folder, config } = study;
  if ((await stageState(folder, await stageNow(study, 'steer'))).done) return;
  await checkAttributed(study);
  const { model } = await study.model(config.subject);
  await checkCausalTest(study, await fittingSae(study, model));
  await checkUnseen(study);
}

/** What the whole study needs, looked at before anything is computed. Throws InputError for the first thing that is missing or does not fit. */
export async function checkStudy(study: OpenStudy): Promise<void> {
  const { config } = study;
  const { model, codec } = await study.model(config.subject);
  const sampled = !(await isImported(study.folder, 'sample'));
  if (sampled && config.prompts !== undefined) await study.prompts();
  const fitting = await fittingSae(study, model);
  const { layer } = fitting;
  if (withoutCausalTest(study) === undefined) {
    await checkCausalTest(study, fitting);
    if (!sampled) await checkUnseen(study);
  }
  const { baseline } = config;
  if (baseline !== undefined && 'file' in baseline)
    await readBaseline(baseline.file, model.decoder.width, layer);
  if (baseline !== undefined && 'corpus' in baseline)
    await corpusTokens(baseline.corpus, { model, codec, source: '' }, { maxTokens: 1 });
  const judge = judgeOf(study);
  await judge.fingerprint();
  if (!(await isImported(study.folder, 'grade'))) await judge.check();
  if (config.interpret !== undefined) await checkInterpret(study);
}

/** Throws InputError for a corpus that is not there, and an explainer that lacks something. */
async function checkInterpret(study: OpenStudy): Promise<void> {
  const { corpora, explainer } = interpretOptions(study);
  for (const path of corpora) await study.hashed(path);
  if (explainer) await explainerOf(study, explainer).check();
}

/** Opens a study for a request; the caller closes it. */
export async function openFor({
  study,
  progress = silent,
  clock = systemClock,
  environment = process.env,
  cacheDir,
  full = false,
}: StudyRequest): Promise<OpenStudy> {
  const read = await readStudyFile(study);
  const steering = { ...read.config.steering, ...(full && { full }) };
  return openStudy(
    { ...read, config: { ...read.config, steering } },
    { progress, clock, environment, cacheDir },
  );
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
  const old = existsSync(join(folder, resultFiles.latents));
  return `there are no pairs to attribute: change what is told above${old ? `; ${resultFiles.latents} is of earlier pairs` : ''}`;
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
  stageNames.filter(
    (name) =>
      (name !== 'steer' || withoutCausalTest(study) === undefined) &&
      (name !== 'interpret' || study.config.interpret !== undefined),
  );

async function runStages(study: OpenStudy, names: readonly StageName[]): Promise<StudyResult> {
  const { folder, config, progress } = study;
  let result: StudyResult = { study: { folder, config } };
  const reason = withoutCausalTest(study);
  if (names.includes('steer') && reason !== undefined) result = { ...result, withoutCausalTest: reason };
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
        await checkBeforeCausalTest(study);
        const steer = await runStudyCausalTest(study);
        if ('stopped' in steer) return { ...result, stopped: { stage: name, reason: steer.stopped } };
        result = { ...result, steer };
        break;
      }
      case 'interpret':
        await checkAttributed(study);
        result = { ...result, interpret: await runInterpret(study, interpretOptions(study)) };
    }
    const reason = name === 'grade' || name === 'interpret' ? result[name]?.stopped : undefined;
    if (reason !== undefined) return { ...result, stopped: { stage: name, reason } };
  }
  return result;
}
