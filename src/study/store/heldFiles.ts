/**
 * Files and folders from outside that a run rests on: hashed once, and held against that for as long as the
 * run is at work, so that nothing is recorded under a hash that is not its own.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { localPath } from '../../files/hub/cache.ts';
import { ifThere } from '../../files/ifThere.ts';
import { contentHash, filesThatCount, wholeUpTo } from './hash.ts';

/** What the system tells of a file: equal for one that nobody has touched. */
interface Stand {
  readonly identity: string;
  readonly size: number;
  readonly changed: bigint;
}

type Stands = ReadonlyMap<string, Stand>;

interface Held {
  readonly stands: Stands;
  sha256?: Promise<string>;
}

async function standOf(path: string): Promise<Stand | undefined> {
  const found = await ifThere(path, (own) => stat(own, { bigint: true }));
  if (!found?.isFile()) return undefined;
  const { dev, ino, size, mtimeNs, ctimeNs } = found;
  return { identity: [dev, ino, size, mtimeNs].join(), size: Number(size), changed: ctimeNs };
}

/** Of a file, or of a folder's files: those that `contentHash` reads. */
async function standsOf(path: string): Promise<Stands> {
  const found = await ifThere(path, (own) => stat(own));
  const names = found?.isDirectory() ? (await filesThatCount(path)).map((name) => join(path, name)) : [path];
  const stands = new Map<string, Stand>();
  for (const name of names) {
    const stand = await standOf(name);
    if (stand !== undefined) stands.set(name, stand);
  }
  return stands;
}

/** Files that are there in one only, or were touched between. */
function touched(before: Stands, now: Stands): string[] {
  return [...new Set([...before.keys(), ...now.keys()])].filter((name) => {
    const [a, b] = [before.get(name), now.get(name)];
    return a?.identity !== b?.identity || a?.changed !== b?.changed;
  });
}

/** Whether a touched file may be another though its hash is the same, being hashed by samples. */
function mayDiffer(before: Stand | undefined, now: Stand | undefined): boolean {
  return before?.identity !== now?.identity && Math.max(before?.size ?? 0, now?.size ?? 0) > wholeUpTo;
}

const changedError = (path: string) =>
  new InputError(
    `${path}: was changed while the run was at work: nothing that was made with it since is kept; the same command starts with it as it is now`,
  );

export interface HeldFiles {
  /** SHA-256 of a file or folder, as `contentHash` has it, taken once. Throws InputError as that does. */
  hash(path: string): Promise<string>;
  /** From now on the file or folder is to stay as it is, whether or not it is hashed later. */
  hold(path: string): Promise<void>;
  /**
   * Throws InputError that names the first file that is not as it was. One that was only touched, or
   * replaced by the same bytes, is as it was.
   */
  check(): Promise<void>;
}

export function heldFiles(): HeldFiles {
  const all = new Map<string, Held>();

  async function hold(path: string): Promise<Held> {
    const stands = await standsOf(path);
    const held = all.get(path) ?? { stands };
    all.set(path, held);
    return held;
  }

  async function checkOne(path: string, held: Held): Promise<void> {
    const now = await standsOf(path);
    const names = touched(held.stands, now);
    if (names.length === 0) return;
    const [other = names[0]!] = names.filter((name) => mayDiffer(held.stands.get(name), now.get(name)));
    const same =
      held.sha256 !== undefined &&
      !names.some((name) => mayDiffer(held.stands.get(name), now.get(name))) &&
      now.size > 0 &&
      (await contentHash(path)) === (await held.sha256);
    if (!same) throw changedError(other);
    all.set(path, { ...held, stands: now });
  }

  return {
    async hash(given) {
      const path = await localPath(given);
      const held = await hold(path);
      if (held.sha256 === undefined) {
        if (touched(held.stands, await standsOf(path)).length > 0) throw changedError(path);
        held.sha256 = contentHash(path);
      }
      return held.sha256;
    },
    async hold(path) {
      await hold(await localPath(path));
    },
    async check() {
      for (const [path, held] of all) await checkOne(path, held);
    },
  };
}
