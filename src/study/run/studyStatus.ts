/** How far a study is, stage by stage: for one who only looks on, and for the estimate of what is left. */
import type { StageRecord } from '../../results.ts';
import { plannedStage, type StageUnits, type StudyStage } from '../open/stage.ts';
import type { OpenStudy } from '../open/study.ts';
import { readStudyManifest } from '../store/manifest.ts';
import { stageChanges } from '../store/stageChanges.ts';
import { readStatus, type StageOnDisk, type StageStatus, type StudyStatus } from '../store/status.ts';
import { isImported, openFor, type StudyRequest, stagesOf } from './studyRun.ts';

/** Counts what is kept of an earlier run. */
function withKept(status: StageOnDisk, { kept = 0 }: StageUnits): StageOnDisk {
  const more = status.finished ? 0 : Math.max(0, kept - status.done);
  const left = status.left - more;
  const { secondsPerUnit: each } = status;
  return {
    ...status,
    done: status.done + more,
    left,
    ...(each !== undefined && { secondsLeft: each * left }),
  };
}

interface Known {
  /** the stage as it was last done */
  readonly before: StageRecord | undefined;
  readonly changes: readonly string[];
  /** the first stage that is to run, where this one waits for it */
  readonly after: string | undefined;
}

/** What a run will do with a stage, in words that dry run and status share. */
function willText({ finished, problem, done, left }: StageOnDisk, { before, changes, after }: Known): string {
  if (finished) return 'nothing: it is done';
  if (problem !== undefined) return 'stop there: its files need a word from you';
  if (after !== undefined)
    return before === undefined ? 'run it' : `run it again if ${after} comes out otherwise than before`;
  const kept = done > 0 ? `, ${done} of ${done + left} are kept` : '';
  if (before === undefined) return done > 0 ? `go on with it${kept}` : 'run it';
  const why = changes.length > 0 ? changes.join('; ') : 'its files are not there';
  return `run it again${kept === '' ? ', nothing is kept' : kept}: ${why}`;
}

/** Status of an open study. */
export async function statusOf(
  study: OpenStudy,
  list?: readonly StudyStage[] | undefined,
): Promise<StudyStatus> {
  const { folder } = study;
  const stages: StageStatus[] = [];
  let running: StudyStatus['running'];
  const made = (await readStudyManifest(folder))?.stages ?? {};
  let ready = true;
  let first: string | undefined;
  for (const stage of stagesOf(study, list)) {
    const { name } = stage;
    if (await isImported(stage, folder)) {
      const units = (await study.completions()).length;
      const will = 'nothing: the study uses what was imported';
      stages.push({ name, finished: true, done: units, left: 0, will, changes: [] });
      continue;
    }
    const planned = ready ? await plannedStage(stage, study) : undefined;
    const units = await stage.units(study, planned);
    const found = await readStatus(folder, [{ name, ...units, stage: planned }]);
    running = found.running;
    const status = withKept(found.stages[0]!, units);
    const before = made[name];
    const changes = before && planned ? stageChanges(before, planned, study.recorder.versions) : [];
    const will = willText(status, { before, changes, after: planned ? undefined : first });
    stages.push({ ...status, bound: units.bound, known: units.known ?? false, will, changes });
    if (status.finished || stage.aside) continue;
    ready = false;
    first ??= name;
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
