/**
 * Runs that end as by SIGKILL at a chosen change of the disk, in this process, which costs no start of a
 * process: from that change on, a run changes nothing more. What a killed process leaves besides, its number in
 * the lock and in the names of temporaries, is made that of a process that has ended.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

class Killed extends Error {}

/** A change of the disk: what is called, and on which path. */
export interface DiskCall {
  readonly call: string;
  readonly path: string;
}

interface Disk {
  dead: boolean;
  readonly isLast: (call: DiskCall) => boolean;
  last?: DiskCall;
}

const disks = new AsyncLocalStorage<Disk>();
const paths = new WeakMap<object, string>();

type Call = (this: object, ...args: unknown[]) => Promise<unknown>;

/** Before a change, or half way through one that writes a text or bytes, the disk dies where it is the last. */
function guarded(
  target: object,
  call: string,
  pathOf: (self: object, args: unknown[]) => string,
): () => void {
  const own = Reflect.get(target, call) as Call;
  Reflect.set(target, call, async function (this: object, ...args: unknown[]) {
    const disk = disks.getStore();
    const isRead = call === 'open' && (args[1] ?? 'r') === 'r';
    if (disk === undefined || isRead) return kept(await own.apply(this, args), call, args);
    if (disk.dead) throw new Killed();
    const about = { call, path: pathOf(this, args) };
    if (!disk.isLast(about)) return kept(await own.apply(this, args), call, args);
    disk.dead = true;
    disk.last = about;
    const [text] = args;
    if (/^(write|append)File$/.test(call) && typeof text === 'string')
      await own.call(this, text.slice(0, text.length / 2));
    throw new Killed();
  });
  return () => Reflect.set(target, call, own);
}

function kept(result: unknown, call: string, args: readonly unknown[]): unknown {
  if (call === 'open') paths.set(result as object, String(args[0]));
  return result;
}

const ofModule = ['open', 'mkdir', 'rename', 'rm', 'link', 'copyFile', 'writeFile'] as const;
const ofHandle = ['writeFile', 'appendFile', 'write', 'sync', 'truncate'] as const;

/** Puts the guards in place; returns what takes them away. */
export async function guardDisk(): Promise<() => void> {
  const handle: FileHandle = await promises.open(process.execPath);
  const prototype = Object.getPrototypeOf(handle) as object;
  await handle.close();
  const undo = [
    ...ofModule.map((call) => guarded(promises, call, (_, args) => String(args[call === 'rename' ? 1 : 0]))),
    ...ofHandle.map((call) => guarded(prototype, call, (self) => paths.get(self) ?? '')),
  ];
  syncBuiltinESMExports();
  return () => {
    for (const one of undo) one();
    syncBuiltinESMExports();
  };
}

/** Runs `work`; the change of the disk that ended it, undefined where it came to its end. */
export async function until(
  isLast: Disk['isLast'],
  work: () => Promise<unknown>,
): Promise<DiskCall | undefined> {
  const disk: Disk = { dead: false, isLast };
  try {
    await disks.run(disk, work);
  } catch (error) {
    if (!disk.dead) throw error;
  }
  return disk.last;
}

/** Above any that a system gives. */
const ended = 99_999_999;

/** What this process left in a study's folder, as if another had that runs no more. */
export async function leaveToAnother(folder: string): Promise<void> {
  for (const entry of await promises.readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name.startsWith('run.lock')) {
      const text = await promises.readFile(path, 'utf8');
      // Two names of one file, as the lock and its ticket are, stay so.
      await promises.writeFile(path, text.replace(`"pid":${process.pid},`, `"pid":${ended},`));
    }
    const renamed = path.replace(`-${process.pid}-`, `-${ended}-`);
    if (renamed !== path && entry.name.endsWith('.tmp')) await promises.rename(path, renamed);
  }
}
