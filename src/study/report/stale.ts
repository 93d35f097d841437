/**
 * Which results of a study do not belong to what stands beside them, and why, in words: those of another
 * ranking, judge, model or study.yaml, and files that were changed since.
 */

import { basename, join } from 'node:path';
import { InputError } from '../../errors.ts';
import { ifThere, readJsonIfThere } from '../../files/ifThere.ts';
import { checked } from '../../files/schema.ts';
import {
  manifestSchema,
  resultFiles,
  type StageRecord,
  type StudyManifest,
  studyManifestSchema,
} from '../../results.ts';
import { plannedStage } from '../open/stage.ts';
import type { OpenStudy } from '../open/study.ts';
import { stages } from '../run/stages.ts';
import { isImported, openFor, stagesOf } from '../run/studyRun.ts';
import { contentHash } from '../store/hash.ts';
import { differingInputs, differingOptions, differingVersions } from '../store/stageChanges.ts';
import { type Stage, stageState } from '../store/stageState.ts';

/** By stage: why it is of an earlier state of the study, in phrases joined by semicolons. */
export type Stale = Readonly<Record<string, string>>;

/** The inputs of a stage that are the study's own files, by their names in its record. */
const ownInputs: Readonly<Record<string, string>> = {
  completions: resultFiles.completions,
  grades: resultFiles.grades,
  pairs: resultFiles.pairs,
  latents: resultFiles.latents,
  attribution: resultFiles.attribution,
  arrays: resultFiles.attribution,
  steering: resultFiles.steering,
};

const isOwn = (name: string, path: string): boolean => ownInputs[name] === basename(path);

type Records = StudyManifest['stages'];
type Reasons = Map<string, string[]>;

function add(reasons: Reasons, stage: string, reason: string): void {
  const before = reasons.get(stage) ?? [];
  if (!before.includes(reason)) reasons.set(stage, [...before, reason]);
}

/** Hashes of the files of a folder, each taken once; undefined for one that is not there. */
function hashesIn(folder: string): (name: string) => Promise<string | undefined> {
  const taken = new Map<string, Promise<string | undefined>>();
  return (name) => {
    const hash = taken.get(name) ?? ifThere(join(folder, name), contentHash);
    taken.set(name, hash);
    return hash;
  };
}

/** What the records and the files beside them say. */
async function fromFiles(folder: string, { stages: made, writing }: StudyManifest): Promise<Reasons> {
  const reasons: Reasons = new Map();
  const hashOf = hashesIn(folder);
  for (const [stage, { inputs, outputs }] of Object.entries(made)) {
    if (writing.includes(stage)) continue;
    const others: string[] = [];
    for (const [name, { path, sha256 }] of Object.entries(inputs))
      if (isOwn(name, path) && (await hashOf(basename(path))) !== sha256) others.push(basename(path));
    if (others.length > 0) add(reasons, stage, `it was not made from the ${others.join(', ')} beside it`);
    for (const [file, sha256] of Object.entries(outputs)) {
      const now = await hashOf(file);
      if (now !== undefined && now !== sha256) add(reasons, stage, `${file} was changed after it was made`);
    }
  }
  return reasons;
}

/** What a person calls an input. */
const inputWords = (name: string): string =>
  name.replaceAll(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);

/** Inputs from outside that a later stage found to be others. */
function againstNewest(made: Records, reasons: Reasons): void {
  const newest = new Map<string, readonly [stage: string, record: StageRecord]>();
  for (const [stage, record] of Object.entries(made))
    for (const name of Object.keys(record.inputs))
      if ((newest.get(name)?.[1].finished ?? '') < record.finished) newest.set(name, [stage, record]);
  for (const [stage, { inputs }] of Object.entries(made))
    for (const [name, { path, sha256 }] of Object.entries(inputs)) {
      const [other, record] = newest.get(name)!;
      if (!isOwn(name, path) && record.inputs[name]!.sha256 !== sha256)
        add(reasons, stage, `it was made with another ${inputWords(name)} than stage ${other}`);
    }
}

/** What rests on a stage of an earlier state is of one too. */
function withFollowers(made: Records, reasons: Reasons): void {
  const makers = new Map(stages.flatMap(({ name, outputs }) => outputs.map((file) => [file, name] as const)));
  for (const { name, needs } of stages) {
    const record = made[name];
    if (record === undefined) continue;
    const read = Object.entries(record.inputs).flatMap(([input, { path }]) =>
      isOwn(input, path) ? [basename(path)] : [],
    );
    for (const file of [...needs, ...read]) {
      const maker = makers.get(file);
      if (maker !== undefined && maker !== name && reasons.has(maker))
        add(reasons, name, `it rests on stage ${maker}, which is of an earlier state too`);
    }
  }
}

/** How a stage as it would be run now differs from its record. */
function changesOf(planned: Stage, made: StageRecord, versions: Readonly<Record<string, string>>): string[] {
  const options = differingOptions(made.options, planned.options);
  const inputs = differingInputs(made.inputs, planned.inputs).filter((name) => !(name in ownInputs));
  const by = differingVersions(made.versions, versions);
  const told = [
    ...(options.length > 0 ? [`study.yaml now says another ${options.join(', ')}`] : []),
    ...inputs.map((name) => `the ${inputWords(name)} is another now`),
    ...by.map((name) => `it was made with ${name} ${made.versions[name] ?? 'of another version'}`),
  ];
  return told.length > 0 ? told : ['study.yaml, or what it names, is not what it was made from'];
}

/** What the study, as it would be run now, says of its results. */
async function againstStudy(study: OpenStudy, made: Records, reasons: Reasons): Promise<void> {
  for (const stage of stagesOf(study)) {
    const record = made[stage.name];
    if (record === undefined || (await isImported(stage, study.folder))) continue;
    const planned = await plannedStage(stage, study);
    const { done, problem } = await stageState(study.folder, planned);
    if (done || (problem !== undefined && reasons.has(stage.name)) || planned.key === record.key) continue;
    for (const change of changesOf(planned, record, study.recorder.versions))
      if (!reasons.has(stage.name) || !change.startsWith('study.yaml, or')) add(reasons, stage.name, change);
  }
}

const inWords = (reasons: Reasons): Stale =>
  Object.fromEntries([...reasons].map(([stage, all]) => [stage, all.join('; ')]));

export interface Staleness {
  readonly stale: Stale;
  /** Why the results were not held against study.yaml, in one line. */
  readonly unchecked?: string;
}

/** Of an open study. Throws InputError where its manifest or what study.yaml names is damaged. */
export async function staleStages(study: OpenStudy): Promise<Stale> {
  const found = await manifestIn(study.folder);
  if (found === undefined) return {};
  const reasons = await fromFiles(study.folder, found);
  againstNewest(found.stages, reasons);
  await againstStudy(study, found.stages, reasons);
  withFollowers(found.stages, reasons);
  return inWords(reasons);
}

/** Of a run of one command stands its own record in place of stages. */
async function manifestIn(folder: string): Promise<StudyManifest | undefined> {
  const path = join(folder, resultFiles.manifest);
  const json = await readJsonIfThere(path);
  if (json === undefined) return undefined;
  if (typeof json !== 'object' || Reflect.get(json ?? {}, 'command') === 'study')
    return checked(studyManifestSchema, json, path);
  const { command, created, outputs = {}, versions, ...run } = checked(manifestSchema, json, path);
  const stage = { ...run, finished: created, versions, outputs, edited: [] };
  return { command: 'study', created, versions, stages: { [command]: stage }, writing: [] };
}

/**
 * Of a study's folder, or one of `culprit attribute --out`. Where the study cannot be opened, as where its
 * model is not on this machine, by its records and files alone.
 */
export async function stalenessOf(folder: string, cacheDir?: string): Promise<Staleness> {
  const reasons: Reasons = new Map();
  let made: Records = {};
  try {
    const found = await manifestIn(folder);
    if (found === undefined) return { stale: {} };
    made = found.stages;
    for (const [stage, all] of await fromFiles(folder, found)) reasons.set(stage, all);
    againstNewest(made, reasons);
    if (await ifThere(join(folder, resultFiles.study), async (path) => contentHash(path))) {
      const study = await openFor({ study: folder, cacheDir });
      try {
        await againstStudy(study, made, reasons);
      } finally {
        await study.close();
      }
    }
    withFollowers(made, reasons);
    return { stale: inWords(reasons) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    withFollowers(made, reasons);
    return { stale: inWords(reasons), unchecked: error.message };
  }
}
