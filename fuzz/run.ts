/** Runs a format's inputs in a thread that is ended where it does not end, and makes each finding small. */
import { rmSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Fault } from './attempt.ts';
import type { Input } from './mutate.ts';
import type { Told, Work } from './worker.ts';

export interface Limits {
  readonly inputs: number;
  readonly seconds: number;
}

export interface Finding extends Fault {
  readonly input: Input;
  /** how many inputs showed it */
  count: number;
}

export interface Outcome {
  readonly inputs: number;
  readonly seconds: number;
  readonly findings: readonly Finding[];
}

/**
 * Seconds for one input: templates and patterns are ended after 5. A machine that is busy makes a quick one
 * slow: what seems to hang is read again alone.
 */
const hangSeconds = 20;
const mostHeapMb = 1024;
const mostResident = 3 * 2 ** 30;

type Ended = { readonly index: number; readonly fault: Fault | undefined };

/** A thread over some inputs, until it is done, is stopped, or has to be ended. */
function runThread(
  program: URL,
  work: Omit<Work, 'shared'>,
  onFault: (input: Input, fault: Fault) => void,
  until: number,
): Promise<Ended> {
  const shared = new SharedArrayBuffer(8);
  const state = new Int32Array(shared);
  Atomics.store(state, 0, work.from);
  const thread = new Worker(program, {
    workerData: { ...work, shared },
    resourceLimits: { maxOldGenerationSizeMb: mostHeapMb },
  });
  return new Promise((resolve, reject) => {
    let [at, since] = [-1, performance.now()];
    const end = (ended: Ended) => {
      clearInterval(watch);
      void thread.terminate().then(() => resolve(ended));
    };
    const watch = setInterval(() => {
      const now = performance.now();
      const index = Atomics.load(state, 0);
      if (now > until) Atomics.store(state, 1, 1);
      if (index !== at) [at, since] = [index, now];
      if (process.memoryUsage.rss() > mostResident)
        end({ index, fault: { signature: 'memory', told: `more than ${mostResident} bytes of memory` } });
      else if (now - since > hangSeconds * 1000)
        end({ index, fault: { signature: 'hang', told: `not read within ${hangSeconds} s` } });
    }, 100);
    thread.on('message', (told: Told) => {
      if (told.kind === 'fault') onFault(told.input, told.fault);
      else end({ index: told.index, fault: told.fault });
    });
    thread.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') {
        clearInterval(watch);
        reject(error);
      } else
        end({
          index: Atomics.load(state, 0),
          fault: { signature: 'memory', told: `more than ${mostHeapMb} MB of heap` },
        });
    });
  });
}

export interface Fuzzing extends Limits {
  readonly format: string;
  readonly seed: number;
  readonly folder: string;
  /** the module that a thread runs */
  readonly program: URL;
  inputOf(seed: number, index: number): Input;
}

/** All inputs of a format within the limits; findings by signature, each made small. */
export async function fuzz({
  format,
  seed,
  folder,
  program,
  inputs,
  seconds,
  inputOf,
}: Fuzzing): Promise<Outcome> {
  const began = performance.now();
  const until = began + seconds * 1000;
  const found = new Map<string, Finding>();
  const add = (input: Input, fault: Fault) => {
    const known = found.get(fault.signature);
    if (known) known.count++;
    else found.set(fault.signature, { ...fault, input, count: 1 });
  };
  let next = 0;
  const common = { format, seed, folder };
  while (next < inputs && performance.now() < until) {
    const { index, fault } = await runThread(program, { ...common, from: next, to: inputs }, add, until);
    next = index;
    if (fault === undefined) break;
    const input = inputOf(seed, index);
    const again = await one(input);
    if (again !== undefined) add(input, again);
    next++;
  }
  const took = (performance.now() - began) / 1000;

  function one(only: Input): Promise<Fault | undefined> {
    const work = { ...common, from: 0, to: 1, only };
    return runThread(program, work, add, Number.POSITIVE_INFINITY).then(({ fault }) => fault);
  }
  const findings: Finding[] = [];
  for (const finding of found.values()) findings.push({ ...finding, input: await smaller(finding, one) });
  rmSync(folder, { recursive: true, force: true });
  return { inputs: next, seconds: took, findings };
}

/** The input without the changes that the fault does not need. */
async function smaller(
  { input, signature }: Finding,
  one: (input: Input) => Promise<Fault | undefined>,
): Promise<Input> {
  let changes = input.changes;
  for (let i = changes.length - 1; i >= 0 && changes.length > 1; i--) {
    const without = changes.filter((_, at) => at !== i);
    if ((await one({ ...input, changes: without }))?.signature === signature) changes = without;
  }
  return { ...input, changes };
}
