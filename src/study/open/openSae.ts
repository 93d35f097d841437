/** From a folder to an SAE, in whichever published format it lies. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { quoted, readInto, withFile } from '../../files/bytes.ts';
import { checkFinite } from '../../files/finite.ts';
import { localPath } from '../../files/hub/cache.ts';
import { ifThere } from '../../files/ifThere.ts';
import { readJson } from '../../files/jsonFile.ts';
import { openSafetensors, readTensor } from '../../files/safetensors.ts';
import type { SaeFolder, SaeFormat } from '../../saes/formats/format.ts';
import { saeFormats } from '../../saes/formats/formats.ts';
import { assertWidth, type Sae } from '../../saes/sae.ts';

/**
 * Names of the files of a folder; undefined where there is no such folder. A link counts as the file it leads
 * to.
 */
async function namesIn(folder: string): Promise<string[] | undefined> {
  const entries = await ifThere(folder, (own) => readdir(own, { withFileTypes: true }));
  const files = entries?.filter((entry) => !entry.isDirectory());
  return files?.map(({ name }) => name).sort();
}

async function bytesIn(path: string, from = 0, to?: number): Promise<Uint8Array> {
  return withFile(path, async (file) => {
    const bytes = new Uint8Array((to ?? file.size) - from);
    await readInto(file, bytes, from);
    return bytes;
  });
}

const folderOn = (where: string, names: readonly string[]): SaeFolder => ({
  where,
  names,
  json: (name) => readJson(join(where, name)),
  tensors: async (name) => {
    const tensors = await openSafetensors(join(where, name));
    await checkFinite(tensors, `SAE ${where}`);
    return { tensors, where, read: readTensor };
  },
  bytes: (name, from, to) => bytesIn(join(where, name), from, to),
});

/** Throws InputError where the SAE reads another place than the residual stream between blocks. */
function checkHook({ where, trainedOn: { hook, site } }: Sae): void {
  if (hook !== undefined && site === undefined)
    throw new InputError(
      `SAE ${where} was trained on ${quoted(hook)}: expected the residual stream (blocks.L.hook_resid_post or blocks.L.hook_resid_pre)`,
    );
}

/**
 * Opens an SAE folder. Throws InputError where it is in none of the formats, damaged, holds values that are not
 * finite, or reads another place than the residual stream.
 */
export async function openSae(given: string, formats: readonly SaeFormat[] = saeFormats): Promise<Sae> {
  const folder = await localPath(given);
  const names = await namesIn(folder);
  const format = names && formats.find((one) => one.owns(names));
  if (format) {
    const sae = await format.open(folderOn(folder, names));
    checkHook(sae);
    return sae;
  }
  const expected = formats.map(({ expects, name }) => `${expects} (${name})`).join(', or ');
  const found = names?.length ? quoted(names.join(', ')) : names ? 'no files' : 'no such folder';
  throw new InputError(`SAE ${folder}: expected a folder with ${expected}, found ${found}`);
}

/** The layer whose resid_post the SAE says that it was trained on. */
export function trainedLayer({ trainedOn: { site } }: Sae): number | undefined {
  return site && (site.kind === 'resid_pre' ? site.layer - 1 : site.layer);
}

/**
 * The layer to work at: the one asked for, else the SAE's own. Throws InputError where neither says, where
 * they differ, or where the SAE's width is not the model's.
 */
export function siteFor(sae: Sae, asked: number | undefined, width: number): number {
  assertWidth(sae, width);
  const own = trainedLayer(sae);
  const layer = asked ?? own;
  if (layer === undefined)
    throw new InputError(`SAE ${sae.where} does not say its site: name the layer with --site`);
  if (own !== undefined && own !== layer)
    throw new InputError(
      `--site ${layer}: the SAE ${sae.where} was trained on resid_post ${own} (${sae.trainedOn.hook})`,
    );
  return layer;
}
