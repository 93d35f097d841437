/** How far a study is, stage by stage: for one who only looks on, and for the estimate of what is left. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonlAll } from '../files/jsonl.ts';
import { storedRows } from './rowStore.ts';
import { attributeFolder } from './stages/attributeStage.ts';
import { gradePlan, readCompletions } from './stages/gradeStage.ts';
import { pairRecord, pairsFile } from './stages/pairStage.ts';
import { completionsFile, samplePlan } from './stages/sampleStage.ts';
import type { OpenStudy } from './stages/study.ts';
import { stageOf } from './stages/units.ts';
import { type PlannedStage, readStatus, type StageStatus, type StudyStatus } from './store/status.ts';
import { isImported, openFor, type StageName, type StudyRequest, stageNames, stageNow } from './studyRun.ts';

type Planned = PlannedStage & { readonly name: StageName };

/** A stage's units, and the stage itself where the results that it starts from are there. */
async function planned(study: OpenStudy, name: StageName, ready: boolean): Promise<Planned> {
  const { folder, config, recorder } = study;
  const there = (file: string) => existsSync(join(folder, file));
  if (name === 'sample') {
    const plan = await samplePlan(study);
    return { name, units: plan.order.length, stage: stageOf(plan, recorder.versions) };
  }
  const completions = config.prompts.discovery * config.sampling.completions;
  if (name === 'grade') {
    if (!ready || !there(completionsFile)) return { name, units: completions };
    const plan = await gradePlan(study, await readCompletions(folder));
    return { name, units: plan.order.length, stage: stageOf(plan, recorder.versions) };
  }
  const pairs = there(pairsFile) ? (await readJsonlAll(join(folder, pairsFile), pairRecord)).length : 0;
  return { name, units: ready ? pairs : 0, ...(ready && { stage: await stageNow(study, name) }) };
}

/** How many pairs a stopped attribution has done. */
async function attributed(
  study: OpenStudy,
  status: StageStatus,
  key: string | undefined,
): Promise<StageStatus> {
  if (status.finished || key === undefined) return status;
  const done = Math.min(await storedRows(attributeFolder(study.folder), key), status.left);
  return { ...status, done, left: status.left - done };
}

/** Status of an open study. */
export async function statusOf(study: OpenStudy): Promise<StudyStatus> {
  const stages: StageStatus[] = [];
  let running: StudyStatus['running'];
  let ready = true;
  for (const name of stageNames) {
    if (await isImported(study.folder, name)) {
      const units = (await readCompletions(study.folder)).length;
      stages.push({ name, finished: true, done: units, left: 0 });
      continue;
    }
    const plan = await planned(study, name, ready);
    const found = await readStatus(study.folder, [plan]);
    running = found.running;
    const [status] = found.stages;
    stages.push(name === 'attribute' ? await attributed(study, status!, plan.stage?.key) : status!);
    ready &&= status!.finished;
  }
  return { running, stages };
}

/** Throws InputError for anything wrong in the study. */
export async function studyStatus(request: StudyRequest): Promise<StudyStatus> {
  const study = await openFor(request);
  try {
    return await statusOf(study);
  } finally {
    await study.close();
  }
}
