/** How far a study is, stage by stage: for one who only looks on, and for the estimate of what is left. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { resultFiles } from '../../results.ts';
import { attributeFolder } from '../attribution/4-attribute.ts';
import { samplePlan } from '../completions/1-sample.ts';
import { interpretOptions } from '../interpretation/6-interpret.ts';
import { mostQuestions } from '../interpretation/explainPages.ts';
import { gradePlan } from '../judging/2-grade.ts';
import { readCompletions, readPairs } from '../open/records.ts';
import type { OpenStudy } from '../open/study.ts';
import { finishedUnits, stageOf, type UnitPlan } from '../open/units.ts';
import { causalTestSize, completionsIn } from '../steering/size.ts';
import { storedRows } from '../store/rowStore.ts';
import { type PlannedStage, readStatus, type StageStatus, type StudyStatus } from '../store/status.ts';
import { isImported, openFor, type StageName, type StudyRequest, stageNow, stagesOf } from './studyRun.ts';

interface Planned extends PlannedStage {
  readonly name: StageName;
  /** Units that a run would take over from the file that is there. */
  readonly kept: number;
}

async function plannedUnits<S extends z.ZodType>(study: OpenStudy, plan: UnitPlan<S>): Promise<Planned> {
  const stage = stageOf(plan, study.recorder.versions);
  const kept = (await finishedUnits(study, plan, stage)).filter(plan.fits);
  const order = new Set(plan.order);
  return {
    name: plan.name as StageName,
    units: plan.order.length,
    stage,
    kept: kept.filter((record) => order.has(plan.idOf(record))).length,
  };
}

/** A stage's units, and the stage itself where the results that it starts from are there. */
async function planned(study: OpenStudy, name: StageName, ready: boolean): Promise<Planned> {
  const { folder, config } = study;
  const there = (file: string) => existsSync(join(folder, file));
  if (name === 'sample') return plannedUnits(study, await samplePlan(study));
  if (name === 'grade') {
    const completions = (config.prompts?.discovery ?? 0) * config.sampling.completions;
    if (!ready || !there(resultFiles.completions)) return { name, units: completions, kept: 0 };
    return plannedUnits(study, await gradePlan(study, await readCompletions(folder)));
  }
  const stage = ready ? { stage: await stageNow(study, name) } : {};
  if (name === 'steer') {
    const units = causalTestSize(config.steering, config.prompts).completions;
    return { name, units, unitsIn: completionsIn, kept: 0, ...stage };
  }
  if (name === 'interpret') return { name, units: mostReplies(study), kept: 0, ...stage };
  if (!ready || !there(resultFiles.pairs)) return { name, units: 0, kept: 0, ...stage };
  const pairs = await readPairs(folder);
  const contrasts = new Set(pairs.map(({ prompt_id }) => prompt_id)).size;
  const all = name === 'attribute' && config.pairs.per_prompt === 'all';
  return { name, units: all ? contrasts : pairs.length, kept: 0, ...stage };
}

/** Replies of the explainer, about: confirmed latents come to those that study.yaml asks for. */
const mostReplies = (study: OpenStudy) => {
  const { latents, explainer } = interpretOptions(study);
  return explainer ? latents * mostQuestions : 0;
};

/** Counts what is kept of an earlier run. */
function withKept(status: StageStatus, kept: number): StageStatus {
  const more = status.finished ? 0 : Math.max(0, kept - status.done);
  return { ...status, done: status.done + more, left: status.left - more };
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
  for (const name of stagesOf(study)) {
    if (await isImported(study.folder, name)) {
      const units = (await readCompletions(study.folder)).length;
      stages.push({ name, finished: true, done: units, left: 0 });
      continue;
    }
    const plan = await planned(study, name, ready);
    const found = await readStatus(study.folder, [plan]);
    running = found.running;
    const status = withKept(found.stages[0]!, plan.kept);
    stages.push(name === 'attribute' ? await attributed(study, status, plan.stage?.key) : status);
    ready &&= status.finished;
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
