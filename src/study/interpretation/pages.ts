/** A study's pages of latents, latents/NNN.json, as files. */

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { isThere } from '../../files/ifThere.ts';
import { readJson } from '../../files/jsonFile.ts';
import { checked } from '../../files/schema.ts';
import {
  type LatentPage,
  latentOfPage,
  latentPageSchema,
  pageFile,
  pagesFolder,
  resultFiles,
} from '../../results.ts';
import type { PageEvidence } from './evidence.ts';

/** pair-tokens.jsonl, and a file for each page. */
export async function writeEvidence(folder: string, { pages, lines }: PageEvidence): Promise<void> {
  await replaceFile(join(folder, resultFiles.pairTokens), (file) =>
    file.writeFile(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
  );
  await mkdir(join(folder, pagesFolder), { recursive: true });
  for (const page of pages)
    await replaceFile(join(folder, pageFile(page.latent)), (file) =>
      file.writeFile(`${JSON.stringify(page)}\n`),
    );
}

/** Throws InputError where the file is missing or damaged. */
export async function readPage(folder: string, latent: number): Promise<LatentPage> {
  const path = join(folder, pageFile(latent));
  if (!(await isThere(path)))
    throw new InputError(`${path}: no such file: make it with \`culprit interpret ${folder}\``);
  return checked(latentPageSchema, await readJson(path), path);
}

/** The latents that have a page, rising. Throws InputError where none has. */
export async function pagedLatents(folder: string): Promise<number[]> {
  const inner = join(folder, pagesFolder);
  const names = (await isThere(inner)) ? await readdir(inner) : [];
  const latents = names.flatMap((name) => latentOfPage(`${pagesFolder}/${name}`) ?? []);
  if (latents.length === 0)
    throw new InputError(
      `${inner}: expected pages of latents, found none: make them with \`culprit interpret ${folder}\``,
    );
  return latents.sort((a, b) => a - b);
}
