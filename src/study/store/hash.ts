/** Content hashes of what goes into a run. */
import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { explained } from '../../files/bytes.ts';
import { isFileThere } from '../../files/ifThere.ts';

/** Files above this many bytes are hashed by size and evenly spaced samples instead of whole. */
export const wholeUpTo = 2 ** 30;
const sampleBytes = 2 ** 20;
const samples = 64;

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path).catch((error: unknown) => {
    throw explained(error, path);
  });
  try {
    const { size } = await file.stat();
    if (size <= wholeUpTo) {
      for await (const piece of file.createReadStream({ autoClose: false })) hash.update(piece as Buffer);
      return hash.digest('hex');
    }
    hash.update(`${size}`);
    const buffer = Buffer.alloc(sampleBytes);
    for (let i = 0; i < samples; i++) {
      const at = Math.floor(((size - sampleBytes) * i) / (samples - 1));
      const { bytesRead } = await file.read(buffer, 0, sampleBytes, at);
      hash.update(buffer.subarray(0, bytesRead));
    }
    return `sampled-${hash.digest('hex')}`;
  } finally {
    await file.close();
  }
}

/** Weights in a folder within: those of a Llama Scope dictionary. */
const within = { beside: 'hyperparams.json', name: 'checkpoints/final.safetensors' };

/** Names of the files by which a folder counts. */
export async function filesThatCount(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).sort();
  if (names.includes(within.beside)) names.push(within.name);
  const areThere = await Promise.all(names.map((name) => isFileThere(join(folder, name))));
  return names.filter((_, at) => areThere[at]);
}

/**
 * SHA-256 of a file's bytes, or of a folder's files by name and content (not its subfolders but a dictionary's
 * `checkpoints/`, nor links that lead nowhere). Above 1 GiB a file counts by its size and 64 samples of 1 MiB, and the hash says
 * `sampled-`. Throws InputError where a file cannot be read.
 */
export async function contentHash(path: string): Promise<string> {
  const found = await stat(path).catch((error: unknown) => {
    throw explained(error, path);
  });
  if (!found.isDirectory()) return hashFile(path);
  const hash = createHash('sha256');
  for (const name of await filesThatCount(path))
    hash.update(`${name}\0${await hashFile(join(path, name))}\n`);
  return hash.digest('hex');
}

/** SHA-256 of a JSON value. */
export function jsonHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
