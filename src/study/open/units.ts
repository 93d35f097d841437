/**
 * A stage whose result is a file of records, a line a unit, made one by one: what is missing is done, what
 * a stopped run or an earlier one with other counts has done already is kept. Knows not what a unit is.
 */

import { join } from 'node:path';
import type { z } from 'zod';
import { isThere } from '../../files/ifThere.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import type { StageRecord } from '../../results.ts';
import { finishStage, stageIsDone } from '../store/finishStage.ts';
import { journalFile, makeWorkFolder } from '../store/folder.ts';
import { jsonHash } from '../store/hash.ts';
import { type Made, openJournal, writeInOrder } from '../store/journal.ts';
import { stageKey } from '../store/key.ts';
import { readStudyManifest } from '../store/manifest.ts';
import type { Stage } from '../store/stageState.ts';
import type { StageOutcome, StageUnits } from './stage.ts';
import type { Hashed, OpenStudy } from './study.ts';
import { hashesOf } from './study.ts';

export interface UnitPlan<S extends z.ZodType> {
  readonly name: string;
  readonly file: string;
  readonly schema: S;
  readonly idOf: (record: z.output<S>) => string;
  /** Every unit, in the order of the file. */
  readonly order: readonly string[];
  /** Whether a record with a unit's id is of this very unit. */
  readonly fits: (record: z.output<S>) => boolean;
  /** What a unit's record depends on, beside the unit. */
  readonly unitOptions: StageRecord['options'];
  /** Files of the working folder, by their names in the study's folder, of no use once the stage is done. */
  readonly work?: readonly string[];
  /** Where they came from, known once they are made; default this machine. */
  readonly engines?: () => Promise<StageRecord['engines']>;
  /** What the manifest tells in place of some of them, which hold a secret. */
  readonly shownOptions?: Readonly<Record<string, string>> | undefined;
  /** Files in the working folder that are set aside where the stage is to be done anew. */
  readonly kept?: readonly string[];
  /** Whether it depends on the versions of what computes here, too. */
  readonly computed: boolean;
  readonly inputs: Readonly<Record<string, Hashed>>;
  /** The units themselves, as JSON: what else the file depends on. */
  readonly units: StageRecord['options'][string];
  /**
   * What stands in the file of a unit's record: what follows from it by cheap options. Default the record.
   */
  readonly shown?: (record: z.output<S>) => z.output<S>;
}

/** The versions that numbers depend on: not that of Node, whose updates would do everything anew. */
export const computing = ({ culprit, 'onnxruntime-node': ort }: Readonly<Record<string, string>>) => ({
  culprit: culprit!,
  'onnxruntime-node': ort!,
});

/** What was done, and whether all of it. */
export interface UnitResult<R> {
  readonly records: readonly R[];
  /** What the manifest tells of them. */
  readonly counts: StageRecord['counts'];
  /** The folder held exactly this. */
  readonly upToDate: boolean;
}

/** The stage of a plan: its key is of all, its journal's of what a unit depends on. */
export function stageOf<S extends z.ZodType>(
  plan: UnitPlan<S>,
  versions: OpenStudy['recorder']['versions'],
): Stage {
  const parts = {
    inputs: hashesOf(plan.inputs),
    versions: plan.computed ? computing(versions) : {},
  };
  const unitKey = stageKey({ ...parts, options: plan.unitOptions });
  return {
    name: plan.name,
    key: jsonHash([unitKey, plan.units]),
    journalKey: unitKey,
    inputs: plan.inputs,
    options: { ...plan.unitOptions, ...plan.shownOptions, unit_key: unitKey },
    outputs: [plan.file],
    ...(plan.kept && { kept: plan.kept }),
    ...(plan.work && { work: plan.work }),
  };
}

/** What the work on units is given. */
export interface Units<R> {
  readonly missing: ReadonlySet<string>;
  /** Records of the units that are done. */
  readonly done: readonly R[];
  /** Says that the first unit begins now. */
  begin(): void;
  /** `made`: whether they were made now, or before and elsewhere. */
  save(records: readonly R[], made?: Made): Promise<void>;
}

/**
 * Runs the stage. `work` does the missing units and saves each as it is done; it may say why it stopped
 * before the end. `counts` also gets what was counted when units were last made under the same options,
 * empty where none were.
 */
export async function runUnits<S extends z.ZodType>(
  study: OpenStudy,
  plan: UnitPlan<S>,
  work: (units: Units<z.output<S>>) => Promise<string | undefined>,
  counts: (records: readonly z.output<S>[], before: StageRecord['counts']) => StageRecord['counts'],
): Promise<StageOutcome<UnitResult<z.output<S>>>> {
  const { folder, clock, recorder, progress } = study;
  const path = join(folder, plan.file);
  const stage = stageOf(plan, recorder.versions);
  const before = (await readStudyManifest(folder))?.stages[plan.name];
  if (await stageIsDone(folder, stage))
    return {
      result: { records: await readJsonlAll(path, plan.schema), counts: before!.counts, upToDate: true },
    };
  await makeWorkFolder(folder);
  const journal = await openJournal(journalFile(folder, stage), plan.schema, plan.idOf, {
    clock,
    note: progress.note,
    check: plan.computed ? recorder.check : undefined,
  });
  const finished = await finishedUnits(study, plan, stage);
  const taken = finished.filter((record) => !journal.records.has(plan.idOf(record)));
  await journal.append(taken, 'before');
  const done = (id: string) => journal.records.has(id) && plan.fits(journal.records.get(id)!);
  const missing = new Set(plan.order.filter((id) => !done(id)));
  if (missing.size < plan.order.length && missing.size > 0)
    progress.note(
      `${plan.name}: ${plan.order.length - missing.size} of ${plan.order.length} are already done`,
    );
  const recordsOf = () => plan.order.filter(done).map((id) => journal.records.get(id)!);
  const stopped =
    missing.size > 0
      ? await work({
          missing,
          done: recordsOf(),
          begin: () => journal.begin(),
          save: (added, made) => journal.append(added, made),
        })
      : undefined;
  const { shown = (record) => record } = plan;
  const records = recordsOf().map(shown);
  const told = counts(records, before?.options.unit_key === stage.options.unit_key ? before!.counts : {});
  const result = { records, counts: told, upToDate: false };
  if (stopped !== undefined) return { result, stopped: { reason: stopped, spent: true } };
  const final = {
    path: journal.path,
    records: new Map(records.map((record) => [plan.idOf(record), record])),
  };
  const engines = await plan.engines?.();
  const outcome = {
    ...{ counts: told, seconds: { [plan.name]: journal.seconds } },
    ...(engines && { engines }),
  };
  await finishStage(folder, stage, outcome, recorder, () => writeInOrder(final, plan.order, path));
  return { result };
}

/** How many units a plan has, and how many a run would take over from the file that is there. */
export async function unitsOf<S extends z.ZodType>(study: OpenStudy, plan: UnitPlan<S>): Promise<StageUnits> {
  const finished = await finishedUnits(study, plan, stageOf(plan, study.recorder.versions));
  const order = new Set(plan.order);
  const kept = finished.filter((record) => plan.fits(record) && order.has(plan.idOf(record)));
  return { units: plan.order.length, kept: kept.length, known: true };
}

/**
 * Units of the finished file that were made under the same options: a study that asks for more keeps what
 * it has.
 */
async function finishedUnits<S extends z.ZodType>(
  { folder }: OpenStudy,
  { name, file, schema }: UnitPlan<S>,
  stage: Stage,
): Promise<z.output<S>[]> {
  const before = (await readStudyManifest(folder))?.stages[name];
  const path = join(folder, file);
  if (before?.options.unit_key !== stage.options.unit_key || !(await isThere(path))) return [];
  return readJsonlAll(path, schema);
}
