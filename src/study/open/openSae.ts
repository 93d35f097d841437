/** From a folder or file to an SAE, in whichever published format it lies. */

import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { InputError } from '../../errors.ts';
import { quoted, readInto, withFile } from '../../files/bytes.ts';
import { localPath } from '../../files/hub/cache.ts';
import { ifThere, isFileThere } from '../../files/ifThere.ts';
import { readJson } from '../../files/jsonFile.ts';
import { checkFiniteIn, readTensorFile } from '../../files/readTensorFile.ts';
import type { TensorFile } from '../../files/tensorFile.ts';
import type { SaeFolder, SaeFormat, SaeSaid } from '../../saes/formats/format.ts';
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

/** A folder, and the files of tensors that were looked into, each once. */
interface OpenedFolder extends SaeFolder {
  readonly opened: ReadonlyMap<string, Promise<TensorFile>>;
}

function folderOn(where: string, folder: string, names: readonly string[]): OpenedFolder {
  const opened = new Map<string, Promise<TensorFile>>();
  return {
    where,
    path: resolve(where),
    names,
    opened,
    json: (name) => readJson(join(folder, name)),
    async tensors(name) {
      const path = join(folder, name);
      const file = opened.get(path) ?? readTensorFile(path);
      opened.set(path, file);
      return { ...(await file), where };
    },
    bytes: (name, from, to) => bytesIn(join(folder, name), from, to),
  };
}

/** Files that may describe one that lies beside them. */
const descriptions = ['cfg.json', 'config.json', 'hyperparams.json'];

/** Of a dictionary that is a single file those that describe it; none of a folder. */
export async function descriptionsBeside(given: string): Promise<string[]> {
  const path = await localPath(given);
  if (!(await isFileThere(path))) return [];
  const beside = (await namesIn(dirname(path))) ?? [];
  return beside.filter((name) => descriptions.includes(name)).map((name) => join(dirname(path), name));
}

/** A folder with its files, or a single file with those that describe it. */
async function folderAt(path: string): Promise<OpenedFolder | undefined> {
  if (await isFileThere(path)) {
    const names = [path, ...(await descriptionsBeside(path))].map((name) => basename(name));
    return folderOn(path, dirname(path), names);
  }
  const names = await namesIn(path);
  return names && folderOn(path, path, names);
}

/** Throws InputError where the SAE reads another place than the residual stream between blocks. */
function checkHook({ where, trainedOn: { hook, site } }: Sae): void {
  if (hook !== undefined && site === undefined)
    throw new InputError(
      `SAE ${where} was trained on ${quoted(hook)}: expected the residual stream (blocks.L.hook_resid_post or blocks.L.hook_resid_pre)`,
    );
}

/** Throws InputError where the user says what the files say already, and otherwise. */
function checkSaid({ where, kind }: Sae, format: SaeFormat, said: SaeSaid): void {
  if (said.kind !== undefined && said.kind !== kind.name)
    throw new InputError(`SAE ${where}: expected kind ${kind.name}, as its files say, found ${said.kind}`);
  if (format.asks) return;
  const other = (['k', 'threshold', 'subtractBias'] as const).find((name) => said[name] !== undefined);
  if (other !== undefined)
    throw new InputError(
      `SAE ${where}: expected no ${saidNames[other]} of a dictionary of ${format.name}, whose files say it, found ${said[other]}`,
    );
}

const saidNames = { k: 'k', threshold: 'threshold', subtractBias: 'subtract_bias' };

async function formatOf(folder: SaeFolder, formats: readonly SaeFormat[]): Promise<SaeFormat | undefined> {
  for (const format of formats) if (await format.owns(folder.names, folder)) return format;
  return undefined;
}

/**
 * Opens an SAE: a folder, or a file of one. `said` is what its files leave open. Throws InputError where it is in
 * none of the formats, damaged, holds values that are not finite, reads another place than the residual stream,
 * or where what is said is not what its files say.
 */
export async function openSae(
  given: string,
  formats: readonly SaeFormat[] = saeFormats,
  said: SaeSaid = {},
): Promise<Sae> {
  const path = await localPath(given);
  const folder = await folderAt(path);
  if (folder === undefined) throw new InputError(`SAE ${path}: no such file or folder`);
  const format = await formatOf(folder, formats);
  if (format) {
    const sae = await format.open(folder, said);
    checkHook(sae);
    checkSaid(sae, format, said);
    for (const [file, found] of folder.opened) await checkFiniteIn(await found, file, `SAE ${path}`);
    return sae;
  }
  const expected = formats.map(({ expects, name }) => `${expects} (${name})`).join(', or ');
  const found = folder.names.length > 0 ? quoted(folder.names.join(', ')) : 'no files';
  throw new InputError(`SAE ${path}: expected a folder with ${expected}, found ${found}`);
}

/** A dictionary as study.yaml names it. */
export interface SaeChoice {
  readonly path: string;
  readonly kind?: string | undefined;
  readonly k?: number | undefined;
  readonly threshold?: number | undefined;
  readonly subtract_bias?: boolean | undefined;
}

const saidOf = ({ kind, k, threshold, subtract_bias: subtractBias }: SaeChoice): SaeSaid => ({
  kind,
  k,
  threshold,
  subtractBias,
});

/** Throws InputError as openSae does. */
export const openChosenSae = (choice: SaeChoice): Promise<Sae> =>
  openSae(choice.path, saeFormats, saidOf(choice));

/** What is said of a dictionary, for keys and manifests; nothing where nothing is. */
export function saidOptions(choice: Omit<SaeChoice, 'path'>): Record<string, string | number | boolean> {
  const { kind, k, threshold, subtract_bias } = choice;
  const said = { sae_kind: kind, sae_k: k, sae_threshold: threshold, sae_subtract_bias: subtract_bias };
  return Object.fromEntries(
    Object.entries(said).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
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
