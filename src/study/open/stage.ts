/**
 * What a stage of a study is: one object, from which a run, its resuming, status, dry run, the
 * sections of study.yaml and the commands follow. The stages stand in one list; each is in its room.
 */

import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { isThere } from '../../files/ifThere.ts';
import type { Section } from '../config/section.ts';
import type { UnitsIn } from '../store/journal.ts';
import { changedSince, type Stage } from '../store/stageState.ts';
import type { Abreast, StageStatus } from '../store/status.ts';
import type { OpenStudy } from './study.ts';

/** How many units a stage has, and how its count is to be read. */
export interface StageUnits {
  /** as far as is known */
  readonly units: number;
  /** how many of them one record of the journal is; default one */
  readonly unitsIn?: UnitsIn | undefined;
  /** how many are done side by side; default one */
  readonly abreast?: Abreast | undefined;
  /** the journal that times them, where it is not the stage's own */
  readonly timedIn?: string | undefined;
  /** how many are kept elsewhere than in the journal: in an earlier run's file, or in a store */
  readonly kept?: number;
  /** the number is an estimate or a bound, and the true one is known at the end */
  readonly bound?: 'about' | 'at most';
  /** whether the number is right before the stage is done; default false */
  readonly known?: boolean;
}

/** What an estimate starts from. */
export interface EstimateBasis {
  /** mean tokens of a prompt */
  readonly prompt: number;
  /** seconds of one token's forward pass through the subject */
  readonly token: number;
  /** of the stage itself */
  readonly status: StageStatus;
}

export interface StageEstimate {
  /** about, of the units that are left; what was timed already counts for more */
  readonly seconds: number;
  /** about, of what is left beside the units; default none */
  readonly besides?: number | undefined;
  /** of calls that are paid, by the prices that study.yaml gives; absent where nothing is */
  readonly price?: number | undefined;
  /** what the stage will do, in a phrase */
  readonly note: string;
  /** what the estimate takes for granted, in a sentence */
  readonly assumption?: string | undefined;
}

/** Why a stage ended before its end. */
export interface StageStop {
  readonly reason: string;
  /** a budget is spent: what is done is kept, and the same command goes on */
  readonly spent: boolean;
}

/** What a stage came to; without a result where it stopped before it had one. */
export interface StageOutcome<R> {
  readonly result?: R | undefined;
  readonly stopped?: StageStop | undefined;
}

export interface StudyStage<R = unknown, N extends string = string> {
  readonly name: N;
  /** what it makes, in a phrase */
  readonly about: string;
  /** files of earlier stages that it needs */
  readonly needs: readonly string[];
  /** its files, as help names them */
  readonly outputs: readonly string[];
  /** whether no other stage depends on what it comes to; default false */
  readonly aside?: boolean;
  /** what study.yaml says of it */
  readonly section?: Section | readonly Section[];
  /** Why the study does not have it; undefined where it does. Default: every study has it. */
  skip?(study: Pick<OpenStudy, 'config'>): string | undefined;
  /** Whether its file came from elsewhere, by `culprit import`, and is taken as it is. */
  imported?(folder: string): Promise<boolean>;
  /** The stage as it would be done now: its key, inputs and outputs. What it needs is there. */
  plan(study: OpenStudy): Promise<Stage>;
  /**
   * Looked at before anything of the study is computed. Throws InputError for what is missing or does not
   * fit.
   */
  check?(study: OpenStudy): Promise<void>;
  /** Does it, goes on with it, or finds it done; `before` has the results of this run's earlier stages. */
  run(study: OpenStudy, before: Readonly<Record<string, unknown>>): Promise<StageOutcome<R>>;
  /** `planned`: as `plan` returned it; undefined where an earlier stage is not done. */
  units(study: OpenStudy, planned: Stage | undefined): Promise<StageUnits>;
  estimate(study: OpenStudy, basis: EstimateBasis): Promise<StageEstimate>;
}

/** The object, with the type of its result and its name kept. */
export const studyStage = <R, N extends string>(stage: StudyStage<R, N>): StudyStage<R, N> => stage;

async function missingOf({ needs }: StudyStage, { folder }: OpenStudy): Promise<string | undefined> {
  for (const file of needs) if (!(await isThere(join(folder, file)))) return file;
  return undefined;
}

/** Whether the files that it needs are there. */
export const hasNeeds = async (stage: StudyStage, study: OpenStudy): Promise<boolean> =>
  (await missingOf(stage, study)) === undefined;

/** Throws InputError where what it needs is not there. */
export async function checkNeeds(stage: StudyStage, study: OpenStudy): Promise<void> {
  const missing = await missingOf(stage, study);
  if (missing !== undefined)
    throw new InputError(
      `${join(study.folder, missing)}: no such file: stage ${stage.name} needs it: \`culprit run\` makes it`,
    );
}

/** Throws InputError where a file that it needs was changed after it was made, and not accepted since. */
export async function checkUnchanged({ needs }: StudyStage, { folder }: OpenStudy): Promise<void> {
  const problem = await changedSince(folder, needs);
  if (problem !== undefined) throw new InputError(problem);
}

/** The stage as it would be done now; throws InputError where what it needs is not there. */
export async function plannedStage(stage: StudyStage, study: OpenStudy): Promise<Stage> {
  await checkNeeds(stage, study);
  return stage.plan(study);
}
