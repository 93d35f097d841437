/** What is measured beside the stages rests on: their files with hashes, and those stages that are of an earlier state. */
import { join } from 'node:path';
import { isThere } from '../../files/ifThere.ts';
import { hashedNow, type OpenStudy } from '../open/study.ts';
import { staleStages } from './stale.ts';

type Hashes = Record<string, { path: string; sha256: string }>;

/** By name, of those that are there. */
export async function hashesThere(folder: string, names: readonly string[]): Promise<Hashes> {
  const found: Hashes = {};
  for (const name of names)
    if (await isThere(join(folder, name))) found[name] = await hashedNow(join(folder, name));
  return found;
}

/** Those that latents and their causal test come from. */
const latentStages = new Set(['sample', 'grade', 'pair', 'attribute', 'steer']);

/** By stage, why what a study's latents come from is of an earlier state of it. */
export const staleBeneath = async (study: OpenStudy): Promise<Record<string, string>> =>
  Object.fromEntries(Object.entries(await staleStages(study)).filter(([stage]) => latentStages.has(stage)));
