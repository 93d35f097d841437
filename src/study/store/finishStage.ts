/**
 * The safe way to finish a stage of a study, to take its files as they are, or to do it anew: killed at any
 * point, the next run finds all that it needs. For a run that holds the study's lock. Knows not what a
 * stage does.
 */

import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { explained } from '../../files/bytes.ts';
import { isThere } from '../../files/ifThere.ts';
import type { StageRecord, StudyManifest } from '../../results.ts';
import { journalFile, syncFolder } from './folder.ts';
import { contentHash } from './hash.ts';
import { readStudyManifest, writeStudyManifest } from './manifest.ts';
import type { Clock } from './runRecord.ts';
import { type Stage, stageState } from './stageState.ts';

/**
 * Whether a stage need not be run; a journal and working files that a killed run left of it go then. Throws
 * InputError where a file stands in the way that may not be overwritten.
 */
export async function stageIsDone(folder: string, stage: Stage): Promise<boolean> {
  const done = await isDone(folder, stage);
  if (done) await removeWork(folder, stage);
  return done;
}

async function removeWork(folder: string, stage: Stage): Promise<void> {
  await rm(journalFile(folder, stage), { force: true });
  for (const name of stage.work ?? []) await rm(join(folder, name), { recursive: true, force: true });
}

async function isDone(folder: string, stage: Stage): Promise<boolean> {
  const { done, problem } = await stageState(folder, stage);
  if (problem !== undefined) throw new InputError(problem);
  return done;
}

/** Who records. */
export interface Recorder {
  readonly clock: Clock;
  readonly versions: Readonly<Record<string, string>>;
  /** what templates print as the date, where that is not the first run's day */
  readonly date?: Date;
  /** of one matrix product; recorded where it is known */
  readonly threads?: number | undefined;
  /**
   * Called before results are written: throws InputError where what they rest on is not what their stage's
   * hashes say.
   */
  readonly check?: (() => Promise<void>) | undefined;
}

/**
 * Makes the manifest of a study that has none: its day is that of the first run. `note` is told where the run
 * before used another number of threads.
 */
export async function beginManifest(
  folder: string,
  recorder: Recorder,
  note: (line: string) => void = () => {},
): Promise<void> {
  const found = await readStudyManifest(folder);
  const { threads } = recorder;
  if (found?.threads !== undefined && threads !== undefined && found.threads !== threads)
    note(
      `the run before used ${found.threads} threads, this one ${threads}: what it makes agrees with the rest within the reach of float32, but not byte for byte (CULPRIT_THREADS=${found.threads} keeps to the same)`,
    );
  if (found === undefined || found.threads !== threads)
    await writeStudyManifest(folder, await manifestFor(folder, recorder));
}

/** What a run knows of a stage once it is done. */
export type Outcome = Pick<StageRecord, 'counts' | 'seconds' | 'engines'>;

/**
 * Runs `write`, which writes the stage's files, records the stage as done, and removes its journal and working files. Throws
 * InputError as `stageIsDone` does, and where files that the stage rests on were changed while it was at
 * work; the journal is kept then.
 */
export async function finishStage(
  folder: string,
  stage: Stage,
  outcome: Outcome,
  recorder: Recorder,
  write: () => Promise<void>,
): Promise<void> {
  await isDone(folder, stage);
  await recorder.check?.();
  const before = await manifestFor(folder, recorder);
  await writeStudyManifest(folder, {
    ...before,
    writing: [...without(before.writing, stage.name), stage.name],
  });
  await write();
  await syncFolder(folder);
  await record(folder, stage, { ...outcome, edited: [] }, recorder);
  await removeWork(folder, stage);
}

/**
 * Takes a stage's files as they are for its results, unless they are just that. Throws InputError where one
 * is missing.
 */
export async function acceptStage(folder: string, stage: Stage, recorder: Recorder): Promise<void> {
  if ((await stageState(folder, stage)).done) return;
  const made = (await readStudyManifest(folder))?.stages[stage.name];
  const hashes = await hashesOf(folder, stage);
  const edited = stage.outputs.filter(
    (name) => made?.outputs[name] !== hashes[name] || made?.edited.includes(name),
  );
  await record(folder, stage, { counts: {}, seconds: {}, edited }, recorder);
}

/** Makes a stage one that is not done: its files and its journal get names that end with .bak. */
export async function redoStage(folder: string, stage: Stage, recorder: Recorder): Promise<void> {
  for (const name of stage.outputs) await setAside(join(folder, name));
  for (const path of [journalFile(folder, stage), ...(stage.kept ?? [])]) await setAside(path);
  const found = await manifestFor(folder, recorder);
  const { [stage.name]: _, ...stages } = found.stages;
  await writeStudyManifest(folder, { ...found, stages, writing: without(found.writing, stage.name) });
}

const without = (names: readonly string[], name: string) => names.filter((other) => other !== name);

async function manifestFor(
  folder: string,
  { clock, versions, date, threads }: Recorder,
): Promise<StudyManifest> {
  const created = clock().toISOString();
  const day = date && { date: date.toISOString() };
  const found = (await readStudyManifest(folder)) ?? {
    ...{ command: 'study' as const, created, ...day },
    ...{ stages: {}, writing: [] },
  };
  return { ...found, versions: { ...versions }, ...(threads !== undefined && { threads }) };
}

async function record(
  folder: string,
  stage: Stage,
  outcome: Outcome & Pick<StageRecord, 'edited'>,
  recorder: Recorder,
): Promise<void> {
  const { name, key, inputs, options } = stage;
  const outputs = await hashesOf(folder, stage);
  const found = await manifestFor(folder, recorder);
  const finished = recorder.clock().toISOString();
  const { threads } = recorder;
  const by = { versions: found.versions, ...(threads !== undefined && { threads }) };
  const made = { key, finished, ...by, inputs, options, ...outcome, outputs };
  const stages = { ...found.stages, [name]: made };
  await writeStudyManifest(folder, { ...found, stages, writing: without(found.writing, name) });
}

async function hashesOf(folder: string, { outputs }: Stage): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const name of outputs) hashes[name] = await contentHash(join(folder, name));
  return hashes;
}

/** Renames a file that is there to FILE.bak, or FILE.bak2 and so on where that is taken. */
async function setAside(path: string): Promise<void> {
  if (!(await isThere(path))) return;
  let to = `${path}.bak`;
  for (let n = 2; await isThere(to); n++) to = `${path}.bak${n}`;
  await rename(path, to).catch((error: unknown) => {
    throw explained(error, path);
  });
}
