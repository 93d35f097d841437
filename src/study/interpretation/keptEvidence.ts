/**
 * Evidence that need not be made anew: what it shows is the same in a finished run with other explanations,
 * or in one that was stopped while explaining.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { isThere } from '../../files/ifThere.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import { readSealedJson, writeSealedJson } from '../../files/sealed.ts';
import { type LatentPage, latentPageSchema, pageFile, pairTokens, resultFiles } from '../../results.ts';
import { workFolder } from '../store/folder.ts';
import { contentHash } from '../store/hash.ts';
import { readStudyManifest } from '../store/manifest.ts';
import type { PageEvidence } from './evidence.ts';
import { readPage } from './pages.ts';

const kept = z.object({ key: z.string(), pages: z.array(latentPageSchema), lines: z.array(pairTokens) });
export const evidenceFile = (folder: string): string => join(workFolder(folder), 'interpret-evidence.json');

/** Returns it as it will be read, so that a run that goes on writes the same bytes. */
export async function keepEvidence(
  folder: string,
  key: string,
  { pages, lines }: PageEvidence,
): Promise<PageEvidence> {
  return kept.parse(await writeSealedJson(evidenceFile(folder), { key, pages, lines }));
}

/** Evidence of the stage's finished files, where all are as it made them from the same. */
async function finishedEvidence(
  folder: string,
  key: string,
  latents: readonly number[],
): Promise<PageEvidence | undefined> {
  const manifest = await readStudyManifest(folder);
  const made = manifest?.stages.interpret;
  if (made === undefined || manifest?.writing.includes('interpret')) return undefined;
  if ((made.options.evidence_key ?? made.key) !== key) return undefined;
  for (const file of [resultFiles.pairTokens, ...latents.map(pageFile)]) {
    const before = made.outputs[file];
    if (before === undefined || !(await isThere(join(folder, file)))) return undefined;
    if ((await contentHash(join(folder, file))) !== before) return undefined;
  }
  const pages: LatentPage[] = [];
  for (const latent of latents)
    pages.push({ ...(await readPage(folder, latent)), labels: [], explanation: null });
  return { pages, lines: await readJsonlAll(join(folder, resultFiles.pairTokens), pairTokens) };
}

/** Evidence of these latents by the hash of all that it depends on; undefined where it is to be made. */
export async function evidenceBefore(
  folder: string,
  key: string,
  latents: readonly number[],
): Promise<PageEvidence | undefined> {
  const stopped = kept.safeParse(await readSealedJson(evidenceFile(folder))).data;
  return stopped?.key === key ? stopped : finishedEvidence(folder, key, latents);
}
