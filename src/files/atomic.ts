/**
 * Files that appear whole or not at all: written under a temporary name in the same folder, synced, then
 * renamed. A temporary's name tells which process writes it, so that what a killed process left can be
 * recognised. Knows no format.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { explained } from './bytes.ts';

const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const temporary = /^\.(.+)\.([0-9a-f]{8})-([0-9]+)-[0-9a-f]{8}\.tmp$/;

/** A name beside `path`, by which `temporariesIn` knows what it was to become and which process wrote it. */
export function temporaryFor(path: string): string {
  const unique = randomUUID().slice(0, 8);
  return join(dirname(path), `.${basename(path)}.${host}-${process.pid}-${unique}.tmp`);
}

/**
 * Replaces `path` by what `write` writes; on any error the old file stays and the temporary goes.
 * Throws InputError where the folder cannot be written or the disk is full.
 */
export async function replaceFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const name = temporaryFor(path);
  try {
    const file = await open(name, 'wx');
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(name, path);
  } catch (error) {
    await rm(name, { force: true });
    throw explained(error, path);
  }
}

/** A temporary of `replaceFile` found in a folder. */
export interface Temporary {
  readonly path: string;
  /** Base name of the file it was to become. */
  readonly target: string;
  /** Whether its writer ran on this machine and runs no more. */
  readonly orphaned: boolean;
}

/** The temporaries in `folder`, those of running processes too. */
export async function temporariesIn(folder: string): Promise<Temporary[]> {
  const found: Temporary[] = [];
  for (const name of await readdir(folder)) {
    const [, target, writerHost, pid] = temporary.exec(name) ?? [];
    if (target !== undefined)
      found.push({
        path: join(folder, name),
        target,
        orphaned: writerHost === host && !isRunning(Number(pid)),
      });
  }
  return found;
}

/** Removes the temporaries in `folder` whose writers were killed; of one file only, where `target` names it. */
export async function removeOrphans(folder: string, target?: string): Promise<void> {
  for (const found of await temporariesIn(folder))
    if (found.orphaned && (target ?? found.target) === found.target) await rm(found.path, { force: true });
}

/** Whether a process of this number runs on this machine. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // ESRCH alone says that there is none; EPERM says that it is another user's.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
