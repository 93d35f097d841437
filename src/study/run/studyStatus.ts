/** How far a study is, stage by stage: for one who only looks on, and for the estimate of what is left. */
import { plannedStage, type StageUnits, type StudyStage } from '../open/stage.ts';
import type { OpenStudy } from '../open/study.ts';
import { readStatus, type StageStatus, type StudyStatus } from '../store/status.ts';
import { isImported, openFor, type StudyRequest, stagesOf } from './studyRun.ts';

/** Counts what is kept of an earlier run. */
function withKept(status: StageStatus, { kept = 0 }: StageUnits): StageStatus {
  const more = status.finished ? 0 : Math.max(0, kept - status.done);
  return { ...status, done: status.done + more, left: status.left - more };
}

/** Status of an open study. */
export async function statusOf(
  study: OpenStudy,
  list?: readonly StudyStage[] | undefined,
): Promise<StudyStatus> {
  const { folder } = study;
  const stages: StageStatus[] = [];
  let running: StudyStatus['running'];
  let ready = true;
  for (const stage of stagesOf(study, list)) {
    const { name } = stage;
    if (await isImported(stage, folder)) {
      const units = (await study.completions()).length;
      stages.push({ name, finished: true, done: units, left: 0 });
      continue;
    }
    const planned = ready ? await plannedStage(stage, study) : undefined;
    const units = await stage.units(study, planned);
    const found = await readStatus(folder, [{ name, ...units, stage: planned }]);
    running = found.running;
    const status = withKept(found.stages[0]!, units);
    stages.push({ ...status, bound: units.bound, known: units.known ?? false });
    ready &&= status.finished || (stage.aside ?? false);
  }
  return { running, stages };
}

/** Throws InputError for anything wrong in the study. */
export async function studyStatus(request: StudyRequest): Promise<StudyStatus> {
  const study = await openFor(request);
  try {
    return await statusOf(study, request.list);
  } finally {
    await study.close();
  }
}
