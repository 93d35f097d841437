/**
 * A cache of GGUF files as float32 safetensors: each is dequantised once, whoever asks, and found again by
 * what it holds. A cache file appears whole or not at all; its header says the SHA-256 of its data. Knows
 * no model: its caller plans which tensors it holds.
 */
import { createHash, type Hash } from 'node:crypto';
import { mkdir, rm, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, isAbsolute, join } from 'node:path';
import { InputError } from '../errors.ts';
import { explained, readInto, type SourceFile, withFile } from './bytes.ts';
import type { GgufFile } from './gguf.ts';
import { isThere } from './ifThere.ts';
import { makeOnce } from './madeOnce.ts';
import { dequantisedPieces, type LaidTensor, layOut, type PlannedTensor } from './plannedTensors.ts';
import { readSafetensorsHeader, writeSafetensorsStream } from './safetensors.ts';
import { bytesOf, formatHeader } from './safetensorsHeader.ts';

export type { PlannedTensor } from './plannedTensors.ts';

/** To be raised when the same file and plan would give other bytes. */
const formatVersion = 1;
const checksumKey = 'sha256';
const sampleBytes = 2 ** 20;
const samples = 8;

export interface Dequantising {
  readonly gguf: GgufFile;
  /** The tensors to make, in this order. */
  readonly plan: readonly PlannedTensor[];
  /** Folder of the cache; made where it is missing. See `defaultCacheDir`. */
  readonly cacheDir: string;
  /** Called as the file is written: bytes of tensors done, and in all. Not called where the cache has it. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called once if another process is at work on the same file. */
  readonly onWait?: () => void;
}

/** Folder of the cache: $CULPRIT_CACHE, else $XDG_CACHE_HOME/culprit, else ~/.cache/culprit. */
export function defaultCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.CULPRIT_CACHE) return env.CULPRIT_CACHE;
  const caches = env.XDG_CACHE_HOME;
  return join(caches && isAbsolute(caches) ? caches : join(homedir(), '.cache'), 'culprit');
}

/**
 * The path of a safetensors file in `cacheDir` that holds the tensors of `plan` as float32; made where it
 * is missing or damaged: its data are held against their SHA-256 once a process, and again when the file
 * was touched since. Processes that ask for it at the same time wait for the first. Throws InputError where
 * the plan does not fit the file, the GGUF file cannot be read, or the cache not be written.
 */
export async function dequantiseOnce(options: Dequantising): Promise<string> {
  const { gguf, cacheDir } = options;
  const entry = await entryFor(options);
  try {
    await mkdir(cacheDir, { recursive: true });
  } catch (error) {
    throw explained(error, cacheDir);
  }
  await makeOnce(entry.path, {
    isReady: () => isSound(entry),
    make: () => withFile(gguf.path, (file) => make(entry, file, options)),
    onWait: options.onWait,
  });
  return entry.path;
}

/** A file of the cache as it ought to be. */
interface Entry {
  readonly path: string;
  readonly tensors: readonly LaidTensor[];
  readonly metadata: Record<string, string>;
}

async function entryFor({ gguf, plan, cacheDir }: Dequantising): Promise<Entry> {
  const tensors = layOut(gguf, plan);
  const key = await fingerprint(gguf, plan);
  const source = basename(gguf.path);
  const name = `${source.replace(/\.gguf$/i, '').slice(0, 80)}-${key.slice(0, 16)}.safetensors`;
  return { path: join(cacheDir, name), tensors, metadata: { source, key } };
}

/** SHA-256 over the plan, and over the GGUF file's size, time, header and a few pieces of its data. */
async function fingerprint(gguf: GgufFile, plan: readonly PlannedTensor[]): Promise<string> {
  const planned = plan.map(({ target, source, unpermuteHeads, ...changes }) => {
    const others = Object.entries(changes).filter(([, change]) => change);
    return [target, source, unpermuteHeads ?? 0, ...others.sort().flat()];
  });
  return withFile(gguf.path, async (file) => {
    const { mtimeNs } = await file.handle.stat({ bigint: true });
    const hash = createHash('sha256');
    hash.update(JSON.stringify([formatVersion, file.size, String(mtimeNs), planned]));
    const dataStart = Math.min(gguf.dataStart, file.size);
    await hashRange(hash, file, 0, dataStart);
    const last = Math.max(dataStart, file.size - sampleBytes);
    for (let i = 0; i < samples; i++) {
      const begin = dataStart + Math.floor(((last - dataStart) * i) / (samples - 1));
      await hashRange(hash, file, begin, Math.min(begin + sampleBytes, file.size));
    }
    return hash.digest('hex');
  });
}

async function hashRange(hash: Hash, file: SourceFile, begin: number, end: number): Promise<void> {
  const piece = new Uint8Array(Math.min(16 * sampleBytes, end - begin));
  for (let at = begin; at < end; at += piece.length) {
    const filled = piece.subarray(0, Math.min(piece.length, end - at));
    await readInto(file, filled, at);
    hash.update(filled);
  }
}

/** Files whose data this process has held against their checksum, as they stood then. */
const verified = new Map<string, string>();

const standOf = async ({ handle }: SourceFile): Promise<string> => {
  const { dev, ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join();
};

/** Whether the file is there with the very header that we would write, and the very data. */
async function isSound({ path, tensors, metadata }: Entry): Promise<boolean> {
  if (!(await isThere(path))) return false;
  try {
    const stored = await readSafetensorsHeader(path);
    const checksum = stored.metadata[checksumKey] ?? '';
    const expected = formatHeader(tensors, { ...metadata, [checksumKey]: checksum });
    return await withFile(path, async (file) => {
      const found = Buffer.alloc(Math.min(expected.length, file.size));
      await readInto(file, found, 0);
      if (!found.equals(expected)) return false;
      const stand = await standOf(file);
      if (verified.get(path) === stand) return true;
      if ((await checksumOf(file, expected.length)) !== checksum) return false;
      verified.set(path, stand);
      return true;
    });
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

async function checksumOf(file: SourceFile, dataStart: number): Promise<string> {
  const hash = createHash('sha256');
  await hashRange(hash, file, dataStart, file.size);
  return hash.digest('hex');
}

async function make(entry: Entry, file: SourceFile, { cacheDir, onProgress }: Dequantising): Promise<void> {
  await rm(entry.path, { force: true });
  const total = entry.tensors.reduce((sum, { dtype, shape }) => sum + bytesOf(dtype, shape), 0);
  await checkSpace(cacheDir, total, file.path);
  let done = 0;
  const streamed = entry.tensors.map((tensor) => ({
    ...tensor,
    produce: async function* () {
      for await (const piece of dequantisedPieces(file, tensor)) {
        yield piece;
        done += piece.byteLength;
        onProgress?.(done, total);
      }
    },
  }));
  await writeSafetensorsStream(entry.path, streamed, entry.metadata, checksumKey);
}

async function checkSpace(cacheDir: string, needed: number, source: string): Promise<void> {
  const { blocks, bavail, bsize } = await statfs(cacheDir);
  const free = bavail * bsize;
  // A file system of 0 blocks does not count them.
  if (blocks > 0 && free < needed)
    throw new InputError(
      `${cacheDir}: not enough disk space for the float32 copy of ${source}: expected ${needed} bytes, found ${free}`,
    );
}
