/**
 * What a run has finished so far, one file each: the baseline of its corpus, and its contrasts, so that a
 * run stopped at any point goes on with the next. The folder belongs to one set of inputs and options,
 * named by a key. A file that is damaged, or not as it was written, counts as not there.
 */

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { explained } from '../../files/bytes.ts';
import { readBytesIfThere } from '../../files/ifThere.ts';
import { readSealed, writeSealed } from '../../files/sealed.ts';
import type { ContrastRows } from '../../methods/site/contrast.ts';
import { parseJsonIf } from '../../results.ts';
import { tensor, toFloat32 } from '../../tensor.ts';
import { type JournalOptions, openJournal } from './journal.ts';

const about = z.object({
  id: z.string(),
  tokens: z.array(z.object({ id: z.number(), position: z.number(), branch: z.number() })),
  losses: z.array(z.number()),
  packed: z.number(),
  sinks: z.number(),
});

export interface RowStore {
  save(contrast: number, rows: ContrastRows): Promise<void>;
  /** Says that the contrasts begin now, which are timed from one to the next. */
  begin(): void;
  /** undefined for a contrast that is not finished */
  read(contrast: number): Promise<ContrastRows | undefined>;
  /** The mean [d] that is stored, else a new one. */
  mean(make: () => Promise<Float32Array>): Promise<Float32Array>;
  /** Deletes the folder, once its results stand elsewhere. */
  remove(): Promise<void>;
}

/** The tensors of a file and its `about`. */
async function readFileOfOurs(path: string) {
  const found = await readSealed(path);
  if (found === undefined) return undefined;
  const values = new Map([...found.tensors].map(([name, one]) => [name, toFloat32(one)]));
  return { values, about: parseJsonIf(found.metadata.about) };
}

const keyFile = (folder: string) => join(folder, 'key');

/** The key of the run whose store the folder is; undefined where there is none. */
export async function storedKey(folder: string): Promise<string | undefined> {
  return (await readBytesIfThere(keyFile(folder)))?.toString();
}

const timesFile = (folder: string) => join(folder, 'pairs.jsonl');
const meanName = 'mean.safetensors';

export interface Stored {
  /** contrasts */
  readonly rows: number;
  readonly mean: boolean;
  /** the journal that times them */
  readonly times: string;
}

/** What the store of a key holds; undefined where it is another key's, or not there. */
export async function storedOf(folder: string, key: string): Promise<Stored | undefined> {
  if ((await storedKey(folder)) !== key) return undefined;
  const names = await readdir(folder);
  return {
    rows: names.filter((name) => /^\d+\.safetensors$/.test(name)).length,
    mean: names.includes(meanName),
    times: timesFile(folder),
  };
}

/** Makes the folder of a key. What another key's left is deleted. */
async function prepare(folder: string, key: string): Promise<void> {
  try {
    if ((await storedKey(folder)) !== key) await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await writeFile(keyFile(folder), key);
  } catch (error) {
    throw explained(error, folder);
  }
}

const unchecked = async () => {};

/**
 * Opens the store for a key. `check` is called before a contrast or the mean is kept; where it throws,
 * nothing is. Throws InputError where the folder cannot be written.
 */
export async function rowStore(
  folder: string,
  key: string,
  { check = unchecked, ...options }: JournalOptions,
): Promise<RowStore> {
  await prepare(folder, key);
  const times = await openJournal(timesFile(folder), z.int(), String, options);
  const pathOf = (n: number) => join(folder, `${`${n}`.padStart(6, '0')}.safetensors`);
  const meanFile = join(folder, meanName);
  return {
    async save(n, { gradient, centred, ...rest }) {
      await check();
      const shape = [rest.tokens.length, gradient.length / rest.tokens.length];
      const tensors = { gradient: tensor('f32', shape, gradient), centred: tensor('f32', shape, centred) };
      await writeSealed(pathOf(n), tensors, { about: JSON.stringify(rest) });
      await times.append([n]);
    },
    begin: times.begin,
    async read(n) {
      const found = await readFileOfOurs(pathOf(n));
      const { data } = about.safeParse(found?.about);
      const [gradient, centred] = [found?.values.get('gradient'), found?.values.get('centred')];
      return data && gradient && centred ? { ...data, gradient, centred } : undefined;
    },
    async mean(make) {
      const before = (await readFileOfOurs(meanFile))?.values.get('mean');
      if (before) return before;
      const mean = await make();
      await check();
      await writeSealed(meanFile, { mean: tensor('f32', [mean.length], mean) }, {});
      return mean;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
