/**
 * What a stage's engines were, over all the runs that it took: kept in the working folder until the stage is done,
 * and told by the manifest then.
 */
import { relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { replaceFile } from '../../files/atomic.ts';
import { readJsonIfThere } from '../../files/ifThere.ts';
import { checked } from '../../files/schema.ts';
import type { EngineRecord } from '../../results.ts';
import { journalFile, makeWorkFolder } from '../store/folder.ts';
import type { Stage } from '../store/stageState.ts';
import type { OpenEngine } from './engineKind.ts';

const kept = z.array(z.record(z.string(), z.union([z.string(), z.number()])));

type Named = Pick<Stage, 'name' | 'key' | 'journalKey'>;

const factsFile = (folder: string, stage: Named) =>
  journalFile(folder, stage).replace(/\.jsonl$/, '-engines.json');

/** The file's name in the study's folder, for `Stage.work`. */
export const factsWork = (folder: string, stage: Named): string => relative(folder, factsFile(folder, stage));

async function factsIn(path: string): Promise<EngineRecord[]> {
  return checked(kept, (await readJsonIfThere(path)) ?? [], path);
}

/** Adds what is known of these engines, unless it is there. */
export async function keepFacts(folder: string, stage: Named, engines: readonly OpenEngine[]): Promise<void> {
  const path = factsFile(folder, stage);
  const before = await factsIn(path);
  const all = [...before];
  for (const engine of engines) {
    const facts = engine.facts();
    if (facts && !all.some((one) => isDeepStrictEqual(one, facts))) all.push(facts);
  }
  if (all.length === before.length) return;
  await makeWorkFolder(folder);
  await replaceFile(path, async (file) => void (await file.writeFile(JSON.stringify(all))));
}

/** All that was kept, as the manifest has it. */
export const keptFacts = (folder: string, stage: Named): Promise<EngineRecord[]> =>
  factsIn(factsFile(folder, stage));
