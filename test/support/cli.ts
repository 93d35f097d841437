/** The command line as a user has it: `scripts/culprit.mjs` in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const script = resolve(import.meta.dirname, '../../scripts/culprit.mjs');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Where a command finds its programs and its folders; as few threads as the suite allows each of its files. */
const inherited = ['PATH', 'HOME', 'CULPRIT_THREADS'] as const;

/** Starts a command with its output gathered. */
export function startNode(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(inherited.map((name) => [name, process.env[name]])), ...env },
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...said }));
  return { child, ended };
}

/** Starts `culprit ARGS`. */
export const start = (args: readonly string[], env?: NodeJS.ProcessEnv): Started =>
  startNode([script, ...args], env);

/** Runs `culprit ARGS` to its end. */
export const culprit = (args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended> =>
  start(args, env).ended;

/** Runs all of `works`, two at a time; results in their order. */
export async function twoAtATime<T>(works: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const left = works.entries();
  const lane = async () => {
    for (const [i, work] of left) results[i] = await work();
  };
  await Promise.all([lane(), lane()]);
  return results;
}
