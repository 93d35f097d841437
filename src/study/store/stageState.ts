/**
 * Whether a stage of a study is done: manifest.json holds its key, and its files are as it made them. A
 * file that the stage did not make, or that was changed since, may not be overwritten unasked. Changes
 * nothing, and knows not what a stage does.
 */

import { join } from 'node:path';
import { ifThere } from '../../files/ifThere.ts';
import type { StageRecord } from '../../results.ts';
import { contentHash } from './hash.ts';
import { readStudyManifest } from './manifest.ts';

/** A stage as a run would do it now. */
export interface Stage extends Pick<StageRecord, 'inputs' | 'options'> {
  readonly name: string;
  readonly key: string;
  /** Hash of what a unit's record depends on, where that is less than what the stage does. Default `key`. */
  readonly journalKey?: string | undefined;
  /** Names of the files it makes, in the study's folder. */
  readonly outputs: readonly string[];
  /** Paths of files that the stage would take from, and that do not hold where it is to be done anew. */
  readonly kept?: readonly string[];
  /** Files and folders, in the study's folder, of no use once it is done. */
  readonly work?: readonly string[] | undefined;
}

export interface StageState {
  readonly done: boolean;
  /** What stands in the way of doing the stage, in one line. */
  readonly problem?: string;
}

export async function stageState(folder: string, stage: Stage): Promise<StageState> {
  const manifest = await readStudyManifest(folder);
  // What a run was stopped at writing is the study's own.
  if (manifest?.writing.includes(stage.name)) return { done: false };
  const made = manifest?.stages[stage.name];
  let done = made?.key === stage.key;
  for (const name of stage.outputs) {
    const hash = await ifThere(join(folder, name), contentHash);
    const reason = hash && protectedBecause(name, hash, stage, made);
    if (reason)
      return { done: false, problem: `${join(folder, name)}: ${reason}: ${waysOn(stage.name, name)}` };
    done &&= hash !== undefined;
  }
  return { done };
}

/** Why a file that is there may not be overwritten. */
function protectedBecause(
  name: string,
  hash: string,
  stage: Stage,
  made: StageRecord | undefined,
): string | undefined {
  const before = made?.outputs[name];
  if (made === undefined || before === undefined) return `exists, but stage ${stage.name} has not made it`;
  if (before !== hash) return `was changed after stage ${stage.name}`;
  if (made.key !== stage.key && made.edited.includes(name))
    return `was accepted as it was, but stage ${stage.name} now has other inputs or options`;
  return undefined;
}

/**
 * Why one of these files of the study may not be used: it is not as its stage made it, nor was it accepted
 * since. In one line; undefined where all may.
 */
export async function changedSince(folder: string, files: readonly string[]): Promise<string | undefined> {
  const manifest = await readStudyManifest(folder);
  for (const [stage, { outputs }] of Object.entries(manifest?.stages ?? {}))
    for (const file of files) {
      if (outputs[file] === undefined || manifest?.writing.includes(stage)) continue;
      const hash = await ifThere(join(folder, file), contentHash);
      if (hash !== undefined && hash !== outputs[file])
        return `${join(folder, file)}: was changed after stage ${stage}: ${waysOn(stage, file)}`;
    }
  return undefined;
}

const waysOn = (stage: string, file: string) =>
  `add --accept ${stage} to use it as it is, or --redo ${stage} to make it again (the old one is kept as ${file}.bak)`;
