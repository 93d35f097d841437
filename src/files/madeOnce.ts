/**
 * A file that one process makes while the others wait for it. Knows no content: its caller says when the
 * file is ready and how to make it. Correctness rests on `make` replacing the file atomically; the lock
 * only saves double work, so a lock lost to a process that took us for dead is no error.
 */
import { rmdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { removeOrphans, temporariesIn } from './atomic.ts';
import { explained } from './bytes.ts';

/**
 * Age at which a lock counts as left behind. Its owner renews it every 5 s, but may block for long in a
 * computation.
 */
const staleMs = 120_000;
const renewMs = 5_000;
const pollMs = 200;

export interface Making {
  /** Whether the file is there and sound. */
  readonly isReady: () => Promise<boolean>;
  /** Makes the file by `replaceFile`. */
  readonly make: () => Promise<void>;
  /** Called once if another process holds the lock. */
  readonly onWait?: (() => void) | undefined;
}

/**
 * Returns once `path` is ready, made by this process or by another; its folder must exist. Takes over from
 * a process of this machine that was killed at it, and removes the temporaries that dead processes left in
 * the folder.
 */
export async function makeOnce(path: string, { isReady, make, onWait }: Making): Promise<void> {
  if (await isReady()) return;
  const release = await acquire(path, onWait);
  try {
    await removeOrphans(dirname(path));
    if (!(await isReady())) await make();
  } finally {
    await release();
  }
}

type Release = () => Promise<void>;

async function acquire(path: string, onWait?: () => void): Promise<Release> {
  for (let attempt = 0; ; attempt++) {
    const release = await tryLock(path);
    if (release) return release;
    if (attempt === 0) onWait?.();
    if (!(await freeOrphanedLock(path))) await sleep(pollMs);
  }
}

async function tryLock(path: string): Promise<Release | undefined> {
  let lost = false;
  const onCompromised = () => {
    lost = true;
  };
  try {
    const release = await lockfile.lock(path, {
      realpath: false,
      stale: staleMs,
      update: renewMs,
      onCompromised,
    });
    return async () => {
      if (!lost) await release();
    };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ELOCKED') return undefined;
    throw explained(error, path);
  }
}

/** Removes the lock of a killed process, known by its temporary; whether there was one. */
async function freeOrphanedLock(path: string): Promise<boolean> {
  const temporaries = (await temporariesIn(dirname(path))).filter(({ target }) => target === basename(path));
  if (temporaries.length === 0 || !temporaries.every(({ orphaned }) => orphaned)) return false;
  await removeOrphans(dirname(path));
  await rmdir(`${path}.lock`).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  return true;
}
