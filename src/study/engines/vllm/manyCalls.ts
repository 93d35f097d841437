/**
 * Completions from a server, many requests at once: each is kept back until the server has shown, after it came,
 * that it is still the same, and told once. Knows neither the requests nor how the server shows it.
 */
import { setMaxListeners } from 'node:events';
import type {
  Completion,
  SampledToken,
  SampleJob,
  SampleOptions,
} from '../../../methods/completions/sample.ts';

export interface CompletionUnit {
  readonly job: SampleJob;
  readonly number: number;
  readonly index: number;
}

/** A completion, with what an onlooker is told of its tokens. */
export interface ToldCompletion extends Completion {
  readonly tokens: readonly SampledToken[];
}

export interface ManyCalls {
  readonly concurrency: number;
  /** completions that are kept back at most, beside those under way */
  readonly kept: number;
  fetch(unit: CompletionUnit, signal: AbortSignal): Promise<ToldCompletion>;
  /** Rejects where the server is not what it was: nothing that is kept back counts then. */
  confirm(signal: AbortSignal): Promise<void>;
}

type OnDone = (job: number, completion: number, sampled: Completion) => void | Promise<void>;

function* unitsOf(jobs: Iterable<SampleJob>): Generator<CompletionUnit> {
  let number = 0;
  for (const job of jobs) {
    for (const index of job.seeds.keys()) yield { job, number, index };
    number++;
  }
}

/** Every completion of every job. What fails first stops the rest, and is what it rejects with. */
export async function sampleTogether(
  jobs: Iterable<SampleJob>,
  { onToken, signal }: Pick<SampleOptions, 'onToken' | 'signal'>,
  onDone: OnDone,
  { concurrency, kept, fetch, confirm }: ManyCalls,
): Promise<void> {
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([stop.signal, signal]) : stop.signal;
  // one listener for each completion that waits: no leak, which Node would warn of
  setMaxListeners(0, either);
  const units = unitsOf(jobs);
  let held: { readonly unit: CompletionUnit; readonly told: ToldCompletion }[] = [];
  let telling: Promise<void> = Promise.resolve();

  async function tell(some: typeof held): Promise<void> {
    await confirm(either);
    // these are confirmed: what fails elsewhere does not take them away
    for (const { unit, told } of some) {
      signal?.throwIfAborted();
      const { tokens, ...completion } = told;
      for (const token of tokens) onToken?.(unit.number, unit.index, token);
      await onDone(unit.number, unit.index, completion);
    }
  }

  function release(): Promise<void> {
    const some = held;
    held = [];
    telling = telling.then(() => tell(some));
    return telling;
  }

  async function lane(): Promise<void> {
    for (;;) {
      either.throwIfAborted();
      const { value: unit, done } = units.next();
      if (done) return;
      const told = await fetch(unit, either);
      held.push({ unit, told });
      if (held.length >= kept) await release();
    }
  }

  const failures: unknown[] = [];
  const watched = (work: Promise<void>) =>
    work.catch((error: unknown) => {
      failures.push(error);
      stop.abort(error);
    });
  await Promise.all(Array.from({ length: concurrency }, () => watched(lane())));
  if (failures.length === 0 && held.length > 0) await watched(release());
  if (failures.length > 0) throw failures[0];
}
