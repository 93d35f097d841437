/**
 * Which process it was: told apart from others of the same number, before or after, and from those of other
 * machines and containers. Knows nothing of what a process does.
 */
import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';
import { isRunning } from '../../files/atomic.ts';

/** Names a process. What only Linux tells is absent elsewhere. */
export const processIdentity = z.object({
  /** hash of machine and container: only within one do process numbers mean the same */
  host: z.string().min(1),
  /** which start of the machine */
  boot: z.string().optional(),
  pid: z.int().min(1),
  /** when the process started, in ticks since the machine did */
  started: z.string().optional(),
});
export type ProcessIdentity = z.output<typeof processIdentity>;

const ifTold = (text: Promise<string>): Promise<string | undefined> =>
  text.then(
    (found) => found.trim(),
    () => undefined,
  );

interface Seen {
  readonly started: string;
  /** ended, though its parent has not asked how */
  readonly zombie: boolean;
}

/** What /proc tells of a process: proc(5), fields 3 and 22 of stat. */
async function seen(pid: number): Promise<Seen | undefined> {
  const stat = await ifTold(readFile(`/proc/${pid}/stat`, 'utf8'));
  // The name, field 2, may itself hold spaces and brackets.
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const started = fields[18];
  return state === undefined || started === undefined
    ? undefined
    : { started, zombie: state === 'Z' || state === 'X' };
}

async function hostHash(): Promise<string> {
  const machine = await ifTold(readFile('/etc/machine-id', 'utf8'));
  const namespace = await ifTold(readlink('/proc/self/ns/pid'));
  return createHash('sha256')
    .update(JSON.stringify([hostname(), machine, namespace]))
    .digest('hex')
    .slice(0, 16);
}

export async function thisProcess(): Promise<ProcessIdentity> {
  const boot = await ifTold(readFile('/proc/sys/kernel/random/boot_id', 'utf8'));
  const started = (await seen(process.pid))?.started;
  return {
    host: await hostHash(),
    ...(boot === undefined ? {} : { boot }),
    pid: process.pid,
    ...(started === undefined ? {} : { started }),
  };
}

/** Whether a process has certainly ended; false where that cannot be known, as for another machine's. */
export async function hasEnded({ host, boot, pid, started }: ProcessIdentity): Promise<boolean> {
  const here = await thisProcess();
  if (host !== here.host) return false;
  if (boot !== undefined && here.boot !== undefined && boot !== here.boot) return true;
  if (!isRunning(pid)) return true;
  const now = await seen(pid);
  return now !== undefined && (now.zombie || (started !== undefined && started !== now.started));
}
