/**
 * Tells those who look at a study how far it is and which files it has, whenever that changes; a run in
 * another process may be at work in it. Asks the disk now and then, while somebody looks.
 */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { ifThere, isThere, statIfThere } from '../../files/ifThere.ts';
import { resultFiles, type ServedEvent, type StageProgress, type StudyProgress } from '../../results.ts';
import type { OpenStudy } from '../open/study.ts';
import { staleStages } from '../report/stale.ts';
import { shownFiles } from '../report/studyFolder.ts';
import { openFor } from '../run/studyRun.ts';
import { statusOf } from '../run/studyStatus.ts';
import { workFolder } from '../store/folder.ts';
import { lockHolder } from '../store/lock.ts';
import { readStudyManifest } from '../store/manifest.ts';
import type { Clock } from '../store/runRecord.ts';
import type { StageStatus, StudyStatus } from '../store/status.ts';

export interface StudyWatch {
  /** The listener is told what is known at once, then of every change; returns what ends that. */
  subscribe(listener: (event: ServedEvent) => void): () => void;
}

export interface WatchOptions {
  readonly clock: Clock;
  readonly cacheDir?: string | undefined;
  /** milliseconds between looks; default 1000 */
  readonly every?: number | undefined;
}

/**
 * The status is not asked for more often than this many times as long as it takes; the first time, when
 * models are hashed, does not count.
 */
const rest = 10;

const unknown: StudyProgress = { stages: [], running: false };

function stageView(status: StageStatus, isNext: boolean, hasRecord: boolean): StageProgress {
  const { name, finished, done, left, secondsLeft, problem, bound } = status;
  const waiting = problem !== undefined || hasRecord ? 'stale' : 'waiting';
  return {
    name,
    state: finished ? 'finished' : isNext ? 'running' : waiting,
    done,
    units: done + left,
    // a stage whose units are an estimate may end long before all of them
    seconds_left: bound === undefined ? (secondsLeft ?? null) : null,
  };
}

async function statusView(study: OpenStudy, { running, stages }: StudyStatus): Promise<StudyProgress> {
  const { folder } = study;
  const stale = await staleStages(study);
  const records = (await readStudyManifest(folder))?.stages ?? {};
  const next = running && stages.find(({ finished }) => !finished)?.name;
  return {
    stages: stages.map((one) => ({
      ...stageView(one, one.name === next, records[one.name] !== undefined),
      ...(stale[one.name] !== undefined && { stale: stale[one.name] }),
    })),
    running: running !== undefined,
  };
}

const problemView = (error: unknown): StudyProgress => ({
  ...unknown,
  problem: error instanceof Error ? error.message : String(error),
});

/** Names, sizes and times of what the status is read from. */
async function traces(folder: string): Promise<string> {
  const work = workFolder(folder);
  const names = ((await ifThere(work, () => readdir(work, { recursive: true }))) ?? []).sort();
  const seen = await Promise.all(names.map((name) => statIfThere(join(work, name))));
  const holder = await lockHolder(folder).catch(() => undefined);
  return JSON.stringify([holder, names, seen.map((found) => found && [found.size, found.mtimeMs])]);
}

/** Whether what the study was hashed from is as it was then. */
async function isAsHashed({ recorder }: OpenStudy): Promise<boolean> {
  try {
    await recorder.check?.();
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/**
 * The status of a study, which is opened once for each content of its study.yaml and what it names: hashes
 * of models are not taken at every look.
 */
function statusReader(folder: string, { clock, cacheDir }: WatchOptions) {
  let opened: { readonly key: string; readonly study: OpenStudy } | undefined;
  return async (): Promise<{ readonly view: StudyProgress; readonly first: boolean }> => {
    let first = false;
    try {
      const found = await statIfThere(join(folder, resultFiles.study));
      if (found === undefined) return { view: unknown, first };
      const hasManifest = await isThere(join(folder, resultFiles.manifest));
      const key = JSON.stringify([found.size, found.mtimeMs, hasManifest]);
      if (opened?.key !== key || !(await isAsHashed(opened.study))) {
        first = true;
        await opened?.study.close();
        opened = undefined;
        opened = { key, study: await openFor({ study: folder, clock, cacheDir }) };
      }
      return { view: await statusView(opened.study, await statusOf(opened.study)), first };
    } catch (error) {
      return { view: problemView(error), first };
    }
  };
}

export function studyWatch(folder: string, options: WatchOptions): StudyWatch {
  const { clock, every = 1000 } = options;
  const listeners = new Set<(event: ServedEvent) => void>();
  const readStatus = statusReader(folder, options);
  const latest = new Map<ServedEvent['event'], ServedEvent>();
  let seen = '';
  let resting = 0;
  let timer: NodeJS.Timeout | undefined;

  function tell(event: ServedEvent): void {
    if (JSON.stringify(latest.get(event.event)) === JSON.stringify(event)) return;
    latest.set(event.event, event);
    for (const listener of listeners) listener(event);
  }

  async function look(): Promise<void> {
    const files = await shownFiles(folder);
    tell({ event: 'files', data: { files } });
    const now = clock().getTime();
    const traced = JSON.stringify([files, await traces(folder)]);
    if (traced === seen || now < resting) return;
    seen = traced;
    const { view, first } = await readStatus();
    tell({ event: 'status', data: view });
    const took = clock().getTime() - now;
    resting = first ? 0 : clock().getTime() + rest * took;
  }

  async function go(): Promise<void> {
    await look().catch((error: unknown) => {
      seen = '';
      tell({ event: 'status', data: problemView(error) });
    });
    timer = listeners.size > 0 ? setTimeout(go, every) : undefined;
  }

  return {
    subscribe(listener) {
      listeners.add(listener);
      for (const event of latest.values()) listener(event);
      if (listeners.size === 1 && timer === undefined) timer = setTimeout(go, 0);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
