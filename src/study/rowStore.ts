/**
 * Finished contrasts of a run, one file each, so that a run stopped at any point goes on with the next contrast. The folder belongs to one
 * set of inputs and options, named by a key; with another key it starts empty.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readSafetensorsHeader, readTensor, writeSafetensors } from '../files/safetensors.ts';
import type { ContrastRows } from '../methods/contrast.ts';
import { tensor, toFloat32 } from '../tensor.ts';

const about = z.object({
  id: z.string(),
  tokens: z.array(z.object({ id: z.number(), position: z.number(), branch: z.number() })),
  losses: z.array(z.number()),
  packed: z.number(),
  sinks: z.number(),
});

export interface RowStore {
  /** Numbers of the contrasts that are finished. */
  readonly finished: ReadonlySet<number>;
  save(contrast: number, rows: ContrastRows): Promise<void>;
  read(contrast: number): Promise<ContrastRows>;
  /** Deletes the folder, once its results stand elsewhere. */
  remove(): Promise<void>;
}

const fileName = /^(\d{6})\.safetensors$/;

/** Opens the store for a key. Files of another key are deleted. */
export async function rowStore(folder: string, key: string): Promise<RowStore> {
  const keyFile = join(folder, 'key');
  const before = await readFile(keyFile, 'utf8').catch(() => undefined);
  if (before !== key) await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(keyFile, key);
  const names = await readdir(folder);
  const pathOf = (n: number) => join(folder, `${`${n}`.padStart(6, '0')}.safetensors`);
  return {
    finished: new Set(names.flatMap((name) => fileName.exec(name)?.[1] ?? []).map(Number)),
    async save(n, { gradient, centred, ...rest }) {
      const shape = [rest.tokens.length, gradient.length / rest.tokens.length];
      const tensors = { gradient: tensor('f32', shape, gradient), centred: tensor('f32', shape, centred) };
      await writeSafetensors(pathOf(n), tensors, { about: JSON.stringify(rest) });
    },
    async read(n) {
      const { tensors, metadata } = await readSafetensorsHeader(pathOf(n));
      const values = async (name: string) => toFloat32(await readTensor(tensors.get(name)!));
      return {
        ...about.parse(JSON.parse(metadata.about ?? '{}')),
        gradient: await values('gradient'),
        centred: await values('centred'),
      };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
