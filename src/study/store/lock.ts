/**
 * One run at a time in a study's folder. The lock is a file that names its owner, made whole at once by a
 * hard link, and never renewed: it holds for as long as its owner lives, however long that computes. A dead
 * owner's lock is removed under a lock of its own, named after the dead owner, which is taken in the same
 * way; so of many that find it at once, one removes it, and none removes its successor. Knows nothing of a
 * study but its folder.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { link, lstat, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { removeOrphans, replaceFile } from '../../files/atomic.ts';
import { explained } from '../../files/bytes.ts';
import { ifThere, isFolderThere, readBytesIfThere } from '../../files/ifThere.ts';
import { pagesFolder, parseJsonIf } from '../../results.ts';
import { makeWorkFolder, workFolder } from './folder.ts';
import { hasEnded, processIdentity, thisProcess } from './processes.ts';
import type { Clock } from './runRecord.ts';

const owner = z.object({
  ...processIdentity.shape,
  /** tells apart the locks that one process takes */
  nonce: z.string().min(1),
  since: z.iso.datetime(),
});
type Owner = z.output<typeof owner>;

const lockName = 'run.lock';
const lockFile = (folder: string) => join(workFolder(folder), lockName);

/**
 * Takes the lock and returns what gives it back; a process that ends by its own gives it back too. The lock
 * of a process of this machine that was killed is taken over at once, of which `note` is told, and what
 * killed processes left half-written in the folder is removed. Throws InputError where another run holds
 * the lock.
 */
export async function lockStudy(
  folder: string,
  clock: Clock,
  note: (line: string) => void = () => {},
): Promise<() => Promise<void>> {
  await makeWorkFolder(folder);
  const path = lockFile(folder);
  const me = { ...(await thisProcess()), nonce: randomUUID().slice(0, 8), since: clock().toISOString() };
  const ticket = `${path}.ticket-${me.nonce}`;
  await replaceFile(ticket, (file) => file.writeFile(JSON.stringify(me)));
  try {
    const before = await ownerOf(path);
    const holder = await take(path, ticket, me);
    if (holder === undefined && before !== undefined) note(endedInSilence(before));
    if (holder) throw new InputError(refusal(folder, holder, me));
  } finally {
    await rm(ticket, { force: true });
  }
  await removeLeftovers(folder);
  if (heldHere.size === 0) process.on('exit', giveAllBack);
  heldHere.set(me, path);
  return async () => {
    heldHere.delete(me);
    if (heldHere.size === 0) process.off('exit', giveAllBack);
    if ((await ownerOf(path))?.nonce === me.nonce) await rm(path);
  };
}

/** Of a run whose process ended without giving its lock back, which only a signal or the machine's end does. */
const endedInSilence = ({ pid, since }: Owner): string =>
  [
    `the run before this one (process ${pid}, since ${since}) was ended from outside, without a word:`,
    'killed, perhaps for want of memory (SIGKILL), at a limit on the size of files (SIGXFSZ), or while a',
    'file that it read became shorter or its disk failed (SIGBUS); what it had finished is kept',
  ].join(' ');

/** The locks of this process. */
const heldHere = new Map<Owner, string>();

/** Gives them back at once, in a process that is ending. */
function giveAllBack(): void {
  for (const [me, path] of heldHere)
    try {
      if (owner.parse(JSON.parse(readFileSync(path, 'utf8'))).nonce === me.nonce) rmSync(path);
    } catch {
      // It is gone or another's; or it stays, and the next run takes it over.
    }
}

/** Who is at work in a folder. */
export async function lockHolder(folder: string): Promise<{ pid: number; since: string } | undefined> {
  const holder = await ownerOf(lockFile(folder));
  return holder && !(await hasEnded(holder)) ? { pid: holder.pid, since: holder.since } : undefined;
}

/**
 * Takes the lock `path` by a link to the ticket; or returns the living owner of it, or of the right to
 * remove it.
 */
async function take(path: string, ticket: string, me: Owner): Promise<Owner | undefined> {
  for (;;) {
    if (await linked(ticket, path)) return undefined;
    const holder = await ownerOf(path);
    if (holder === undefined) {
      await checkIsNoLink(path);
      continue;
    }
    // A file server that lost its answer says that the link was there, when it has just made it.
    if (holder.nonce === me.nonce) return undefined;
    if (!(await hasEnded(holder))) return holder;
    const other = await removeLockOf(holder, path, ticket, me);
    if (other) return other;
  }
}

/** Throws InputError for a link that leads nowhere: it is no lock, and stands where one would. */
async function checkIsNoLink(path: string): Promise<void> {
  if ((await ifThere(path, (own) => lstat(own)))?.isSymbolicLink())
    throw new InputError(
      `${path}: expected the name of a process, found a link that leads nowhere: delete it if nothing is running`,
    );
}

/**
 * The right to remove the lock `path` of a dead owner. It may outlive its own owner, and so may the right to
 * remove that one, however often: its name says all of that in a hash, which never grows.
 */
export function rightToRemove(path: string, { nonce }: { readonly nonce: string }): string {
  const hash = createHash('sha256').update(JSON.stringify([basename(path), nonce]));
  return join(dirname(path), `${lockName}.over-${hash.digest('hex').slice(0, 16)}`);
}

/** Removes a dead owner's lock, unless it is gone; or returns the living process that is about to. */
async function removeLockOf(
  dead: Owner,
  path: string,
  ticket: string,
  me: Owner,
): Promise<Owner | undefined> {
  const right = rightToRemove(path, dead);
  const other = await take(right, ticket, me);
  if (other) return other;
  try {
    if ((await ownerOf(path))?.nonce === dead.nonce) await rm(path);
  } finally {
    await rm(right, { force: true });
  }
  return undefined;
}

/** What file systems without hard links say. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'ENOSYS']);

/** Whether the link was made; false where there is a file already. */
async function linked(ticket: string, path: string): Promise<boolean> {
  try {
    await link(ticket, path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'EEXIST') return false;
    if (noLinks.has(code))
      throw new InputError(
        `${path}: expected a file system with hard links, which keep two runs apart, found one without`,
      );
    throw explained(error, path);
  }
}

async function ownerOf(path: string): Promise<Owner | undefined> {
  const text = (await readBytesIfThere(path))?.toString();
  if (text === undefined) return undefined;
  const { data } = owner.safeParse(parseJsonIf(text));
  if (data === undefined)
    throw new InputError(
      `${path}: expected the name of a process, found something else: delete the file if nothing is running`,
    );
  return data;
}

function refusal(folder: string, holder: Owner, me: Owner): string {
  const elsewhere = holder.host !== me.host;
  const run = `another run (process ${holder.pid}${elsewhere ? ' of another machine' : ''}, since ${holder.since})`;
  // Where the system does not tell when a process started, the number may be another's by now.
  const unsure = elsewhere || holder.started === undefined;
  return `${run} is working in ${folder}${unsure ? `; if it is not, delete ${lockFile(folder)}` : ''}`;
}

/**
 * Removes what dead processes left: tickets, rights to remove a lock that is gone, and half-written files.
 * Only the lock's owner may.
 */
async function removeLeftovers(folder: string): Promise<void> {
  const path = lockFile(folder);
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const left = join(dirname(path), name);
    const by = await ownerOf(left);
    if (by && (await hasEnded(by))) await rm(left, { force: true });
  }
  for (const place of [folder, workFolder(folder), join(folder, pagesFolder)])
    if (await isFolderThere(place)) await removeOrphans(place);
}
