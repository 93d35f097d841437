/** Pages that need not be made anew: what they show is the same in a finished run with other explanations, or in one that was stopped while explaining. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../../files/atomic.ts';
import { readJson, readJsonIfThere } from '../../files/jsonFile.ts';
import { checked } from '../../files/schema.ts';
import { type LatentPage, latentPageSchema } from '../../results.ts';
import { contentHash } from '../hash.ts';
import { workFolder } from '../store/folder.ts';
import { readStudyManifest } from '../store/manifest.ts';

export const pageFile = (latent: number) => `latents/${latent}.json`;

export async function readPage(folder: string, latent: number): Promise<LatentPage> {
  const path = join(folder, pageFile(latent));
  return checked(latentPageSchema, await readJson(path), path);
}

const kept = z.object({ key: z.string(), pages: z.array(latentPageSchema) });
const keptFile = (folder: string) => join(workFolder(folder), 'interpret-pages.json');

/** Returns the pages as they will be read, so that a run that goes on writes the same bytes. */
export async function keepPages(
  folder: string,
  key: string,
  pages: readonly LatentPage[],
): Promise<LatentPage[]> {
  const text = JSON.stringify({ key, pages });
  await replaceFile(keptFile(folder), (file) => file.writeFile(text));
  return kept.parse(JSON.parse(text)).pages;
}

export const dropPages = (folder: string): Promise<void> => rm(keptFile(folder), { force: true });

/** Pages of the stage's finished files, where all are as it made them from the same evidence. */
async function finishedPages(
  folder: string,
  key: string,
  latents: readonly number[],
): Promise<LatentPage[] | undefined> {
  const manifest = await readStudyManifest(folder);
  const made = manifest?.stages.interpret;
  if (made === undefined || manifest?.writing.includes('interpret')) return undefined;
  if ((made.options.evidence_key ?? made.key) !== key) return undefined;
  const pages: LatentPage[] = [];
  for (const latent of latents) {
    const before = made.outputs[pageFile(latent)];
    if (before === undefined || !existsSync(join(folder, pageFile(latent)))) return undefined;
    if ((await contentHash(join(folder, pageFile(latent)))) !== before) return undefined;
    pages.push({ ...(await readPage(folder, latent)), explanation: null });
  }
  return pages;
}

/** Pages of these latents without explanations, by the hash of all that the rest of them depends on; undefined where they are to be made. */
export async function pagesBefore(
  folder: string,
  key: string,
  latents: readonly number[],
): Promise<LatentPage[] | undefined> {
  const stopped = kept.safeParse(await readJsonIfThere(keptFile(folder))).data;
  return stopped?.key === key ? stopped.pages : finishedPages(folder, key, latents);
}
