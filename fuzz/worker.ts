/**
 * The thread that reads: inputs from a number on, one after another, or a single one. What it is at stands in
 * shared memory, so that the main thread sees an input that does not end.
 */
import { parentPort } from 'node:worker_threads';
import { attempt, type Fault } from './attempt.ts';
import type { Format, Seed } from './format.ts';
import { formatNamed } from './formats.ts';
import { filesOf, type Input, inputOf } from './mutate.ts';

export interface Work {
  readonly format: string;
  readonly seed: number;
  readonly folder: string;
  /** inputs `from` ≤ i < `to`, or this one */
  readonly from: number;
  readonly to: number;
  readonly only?: Input | undefined;
  /** [0]: the input that is being read; [1]: whether to stop */
  readonly shared: SharedArrayBuffer;
}

export type Told =
  | { readonly kind: 'fault'; readonly index: number; readonly input: Input; readonly fault: Fault }
  | { readonly kind: 'done'; readonly index: number; readonly fault?: Fault | undefined };

async function range(format: Format, seeds: readonly Seed[], work: Work, state: Int32Array): Promise<number> {
  for (let index = work.from; index < work.to; index++) {
    if (Atomics.load(state, 1) === 1) return index;
    Atomics.store(state, 0, index);
    const input = inputOf(work.seed, index);
    const fault = await attempt(format, filesOf(seeds, input), work.folder);
    if (fault) tell({ kind: 'fault', index, input, fault });
    // Buffers of inputs before it are freed between two tasks only.
    if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return work.to;
}

const tell = (told: Told): void => parentPort!.postMessage(told);

/** Reads what it is given; for a thread of its own. */
export async function worker(work: Work): Promise<void> {
  const format = formatNamed(work.format);
  const seeds = await format.seeds();
  const state = new Int32Array(work.shared);
  if (work.only === undefined) tell({ kind: 'done', index: await range(format, seeds, work, state) });
  else {
    const fault = await attempt(format, filesOf(seeds, work.only), work.folder);
    tell({ kind: 'done', index: 0, fault });
  }
}
