/** What others say of a dictionary's latents: Neuronpedia's explanations, from files. Knows no model. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../../errors.ts';
import { explained } from '../../files/bytes.ts';
import { type NeuronpediaRecord, readNeuronpedia } from '../../files/neuronpedia.ts';
import type { LatentLabel } from '../../results.ts';

const readable = /\.(json|jsonl|jsonl\.gz)$/;
/** What stands beside the batches of an export and is of no latent. */
const notOfLatents = /^(model|source|sourceset|release)\.jsonl$/;

const namesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder))
    .filter((name) => readable.test(name) && !notOfLatents.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));

const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    (error: unknown) => {
      throw explained(error, path);
    },
  );

async function filesOf(path: string): Promise<string[]> {
  if (!(await isFolder(path))) {
    if (!readable.test(path))
      throw new InputError(`${path}: expected Neuronpedia's .json, .jsonl or .jsonl.gz, or a folder of them`);
    return [path];
  }
  const inner = (await readdir(path)).includes('explanations') ? join(path, 'explanations') : path;
  const names = await namesIn(inner);
  if (names.length === 0)
    throw new InputError(`${inner}: expected .json, .jsonl or .jsonl.gz files, found none`);
  return names.map((name) => join(inner, name));
}

/**
 * The files that labels are read from: those given, and of a folder its own, or those in its
 * `explanations`, as an export has them. Throws InputError where one is missing or holds none.
 */
export async function labelFiles(given: readonly string[]): Promise<string[]> {
  return (await Promise.all(given.map(filesOf))).flat();
}

/** The explanations of a record: itself, or those nested in a feature. */
function explanationsIn({ kind, value }: NeuronpediaRecord) {
  if (kind === 'explanation') return [value];
  return kind === 'feature' ? (value.explanations ?? []) : [];
}

function labelOf(found: ReturnType<typeof explanationsIn>[number], source: string): LatentLabel {
  const { description, typeName, explanationModelName, scores } = found;
  return {
    text: description,
    source,
    by: explanationModelName ?? null,
    method: typeName ?? null,
    score: scores[0]?.value ?? null,
  };
}

/**
 * The latent that an index names. Throws InputError where the dictionary has no such latent, as that of
 * another SAE would not.
 */
function latentOf(index: string, count: number, where: string): number {
  if (!/^\d{1,9}$/.test(index) || Number(index) >= count)
    throw new InputError(
      `${where}: index: expected a latent of the study's SAE, 0 to ${count - 1}, found ${JSON.stringify(index)}: is this of another SAE?`,
    );
  return Number(index);
}

/**
 * The labels of some latents in the order read, each once. `count`: the dictionary's latents. Throws
 * InputError where the files are of several sources, have no explanation at all, or name a latent that is
 * not there.
 */
export async function readLabels(
  files: readonly string[],
  latents: readonly number[],
  count: number,
): Promise<Map<number, LatentLabel[]>> {
  const found = new Map(latents.map((latent) => [latent, [] as LatentLabel[]]));
  let from: string | undefined;
  let explanations = 0;
  for (const file of files)
    for await (const { where, record } of readNeuronpedia(file)) {
      const { modelId, layer, index } = record.value;
      const source = `${modelId}/${layer}`;
      from ??= source;
      if (source !== from)
        throw new InputError(`${where}: expected labels of one SAE, ${from}, found also ${source}`);
      const latent = latentOf(index, count, where);
      for (const one of explanationsIn(record)) {
        explanations++;
        const label = labelOf(one, `neuronpedia ${source}/${index}`);
        const here = found.get(latent);
        if (here?.every((other) => !isDeepStrictEqual(other, label))) here.push(label);
      }
    }
  if (explanations === 0 && files.length > 0)
    throw new InputError(`${files.join(', ')}: expected explanations of latents, found none`);
  return found;
}
