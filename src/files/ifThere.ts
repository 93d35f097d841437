/**
 * Files and folders that may be absent. Absent is what has no entry, or whose folder has none; every other
 * reason why one cannot be looked at or read is reported as `explained` does. Knows no content.
 */
import type { Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { checkPath, explained } from './bytes.ts';
import { readJson, readText } from './jsonFile.ts';

const absent = new Set(['ENOENT', 'ENOTDIR']);

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;

/** Also where a reader has explained the system's error already. */
function isAbsence(error: unknown): boolean {
  const code = codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined);
  return code !== undefined && absent.has(code);
}

/**
 * What `read` finds at a path; undefined where nothing is there. Throws InputError where it cannot be read.
 */
export async function ifThere<T>(path: string, read: (path: string) => Promise<T>): Promise<T | undefined> {
  checkPath(path);
  try {
    return await read(path);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw explained(error, path);
  }
}

/** Links are followed: one that leads nowhere is absent. */
export const statIfThere = (path: string): Promise<Stats | undefined> => ifThere(path, (own) => stat(own));

export const isThere = async (path: string): Promise<boolean> => (await statIfThere(path)) !== undefined;

/** False too where a folder or device is there. */
export const isFileThere = async (path: string): Promise<boolean> =>
  (await statIfThere(path))?.isFile() ?? false;

/** False too where a file is there. */
export const isFolderThere = async (path: string): Promise<boolean> =>
  (await statIfThere(path))?.isDirectory() ?? false;

export const readBytesIfThere = (path: string): Promise<Buffer | undefined> =>
  ifThere(path, (own) => readFile(own));

/** Throws InputError as `readText` does. */
export const readTextIfThere = (path: string): Promise<string | undefined> => ifThere(path, readText);

/** Throws InputError as `readJson` does. */
export const readJsonIfThere = (path: string): Promise<unknown> => ifThere(path, readJson);
