/** How far a study is, for one who only looks on while a run may be at work. Knows not what a stage does. */
import { journalFile } from './folder.ts';
import { journalProgress, type UnitsIn } from './journal.ts';
import { lockHolder } from './lock.ts';
import { type Stage, stageState } from './stageState.ts';

/** Units that are done side by side. */
export interface Abreast {
  readonly units: number;
  /** whether the first one is done alone */
  readonly firstAlone: boolean;
}

export interface PlannedStage {
  readonly name: string;
  /** How many units the stage has, as far as is known. */
  readonly units: number;
  /** How many of them a record of its journal is; default one. */
  readonly unitsIn?: UnitsIn | undefined;
  /** How many are done side by side; default one. */
  readonly abreast?: Abreast | undefined;
  /** The journal that times them, where it is not the stage's own. */
  readonly timedIn?: string | undefined;
  /** Absent where the stage's key is not known yet, for want of an earlier stage's results. */
  readonly stage?: Stage | undefined;
}

export interface StageStatus {
  readonly name: string;
  /** Whether its files are written. */
  readonly finished: boolean;
  /** Units. */
  readonly done: number;
  readonly left: number;
  /** Mean of the units done so far; absent before the first. */
  readonly secondsPerUnit?: number;
  /** For the units that are left; absent where no unit was timed. */
  readonly secondsLeft?: number;
  /** What stands in the way of the stage, in one line. */
  readonly problem?: string;
  /** Its units are an estimate or a bound, as long as it is not finished. */
  readonly bound?: 'about' | 'at most' | undefined;
  /** Whether the number of its units is right before it is finished. */
  readonly known?: boolean;
  /** What a run will do with it, in words. */
  readonly will: string;
  /** What differs from what its files were made of, in words; empty where they are as they would be made. */
  readonly changes: readonly string[];
}

export interface StudyStatus {
  /** The run at work. */
  readonly running: { readonly pid: number; readonly since: string } | undefined;
  readonly stages: readonly StageStatus[];
}

/** What is on the disk. */
export interface ReadStatus extends Pick<StudyStatus, 'running'> {
  readonly stages: readonly StageOnDisk[];
}

/** A status before it is told what a run will do. */
export type StageOnDisk = Omit<StageStatus, 'will' | 'changes'>;

/** Throws InputError where the manifest or a journal is damaged. */
export async function readStatus(folder: string, plan: readonly PlannedStage[]): Promise<ReadStatus> {
  const stages: StageOnDisk[] = [];
  for (const planned of plan) stages.push(await statusOf(folder, planned));
  return { running: await lockHolder(folder), stages };
}

/**
 * Seconds of a unit among others, from so many that are done: of k side by side the others are under way when
 * the first is done; where the first is alone, it takes as long as the k that follow it.
 */
export function secondsEach(seconds: number, timed: number, { units, firstAlone }: Abreast): number {
  return seconds / (firstAlone ? units + timed - 1 : Math.max(units, timed));
}

async function statusOf(
  folder: string,
  { name, units, unitsIn, abreast, timedIn, stage }: PlannedStage,
): Promise<StageOnDisk> {
  const waiting = { name, finished: false, done: 0, left: units };
  if (stage === undefined) return waiting;
  const { done: finished, problem } = await stageState(folder, stage);
  if (finished) return { name, finished, done: units, left: 0, secondsLeft: 0 };
  const progress = await journalProgress(timedIn ?? journalFile(folder, stage), unitsIn);
  const done = Math.min(progress.done, units);
  const left = units - done;
  const side = { units: 1, firstAlone: false, ...abreast };
  const each = secondsEach(progress.seconds, progress.timed, {
    ...side,
    units: Math.max(1, Math.min(side.units, units)),
  });
  return {
    ...waiting,
    done,
    left,
    ...(progress.timed > 0 ? { secondsPerUnit: each, secondsLeft: each * left } : {}),
    ...(problem === undefined ? {} : { problem }),
  };
}
