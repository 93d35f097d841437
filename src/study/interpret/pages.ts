/** A study's pages of latents, latents/NNN.json, as files. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { readJson } from '../../files/jsonFile.ts';
import { checked } from '../../files/schema.ts';
import { type LatentPage, latentPageSchema } from '../../results.ts';

/** In the study's folder. */
export const pageFile = (latent: number) => `latents/${latent}.json`;

/** Throws InputError where the file is missing or damaged. */
export async function readPage(folder: string, latent: number): Promise<LatentPage> {
  const path = join(folder, pageFile(latent));
  if (!existsSync(path))
    throw new InputError(`${path}: no such file: make it with \`culprit interpret ${folder}\``);
  return checked(latentPageSchema, await readJson(path), path);
}

/** The latents that have a page, rising. Throws InputError where none has. */
export async function pagedLatents(folder: string): Promise<number[]> {
  const inner = join(folder, 'latents');
  const names = existsSync(inner) ? await readdir(inner) : [];
  const latents = names.flatMap((name) => /^(\d+)\.json$/.exec(name)?.slice(1).map(Number) ?? []);
  if (latents.length === 0)
    throw new InputError(
      `${inner}: expected pages of latents, found none: make them with \`culprit interpret ${folder}\``,
    );
  return latents.sort((a, b) => a - b);
}
