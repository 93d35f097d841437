/** What judges share: running through the completions, one by one or several at a time, each verdict told once. Knows no kind of judge. */
import PQueue from 'p-queue';
import { InputError } from '../errors.ts';
import type { Grading, Judge, JudgeItem, Verdict } from './judge.ts';

/** No further completion is begun; those under way are finished. */
export class Stopped extends Error {}
/** This completion has no verdict; others may have one. */
export class NoVerdict extends Error {}

/** So many completions in a row without a verdict, and the judge gives up. */
const failuresInARow = 3;

/** A completion is coherent from this coherence on. */
const coherentFrom = 0.5;

/** The labels that go with a score and a coherence. */
export function labelled(
  score: number,
  coherence: number,
  threshold: number,
): Pick<Verdict, 'score' | 'label' | 'coherence' | 'coherent'> {
  return {
    score,
    label: score >= threshold ? 'positive' : 'negative',
    coherence,
    coherent: coherence >= coherentFrom,
  };
}

/** Grades one completion. What it throws ends the grading, except for NoVerdict; Stopped ends it without an error. */
export type VerdictOn = (item: JudgeItem, signal: AbortSignal | undefined) => Promise<Verdict>;

/** `grade` of a judge that looks at one completion after another. */
export function inTurn(verdictOn: VerdictOn): Judge['grade'] {
  return async (items, onVerdict, signal) => {
    for (const item of items) {
      signal?.throwIfAborted();
      await onVerdict(item, await verdictOn(item, signal));
    }
    return {};
  };
}

/**
 * `grade` of a judge that looks at up to `concurrency` completions at the same time; at one until the first verdict is there, so that what is wrong for all is found
 * once. Rejects with InputError where three completions in a row have no verdict, and at the end where any has none.
 */
export function sideBySide(name: string, concurrency: number, verdictOn: VerdictOn): Judge['grade'] {
  return async (items, onVerdict, signal) => {
    const queue = new PQueue({ concurrency: 1 });
    const tell = oneByOne(onVerdict);
    const failures: Failure[] = [];
    let inARow = 0;
    let end: { readonly grading: Grading } | { readonly error: unknown } | undefined;

    const failed = (error: unknown, { id }: JudgeItem) => {
      if (error instanceof Stopped) end ??= { grading: { stopped: error.message } };
      else if (!(error instanceof NoVerdict)) end ??= { error };
      else {
        failures.push({ id, why: error.message });
        inARow++;
        if (inARow >= failuresInARow) end ??= { error: summary(name, failures, items.length) };
      }
    };
    const one = async (item: JudgeItem) => {
      if (end) return;
      try {
        signal?.throwIfAborted();
        const verdict = await verdictOn(item, signal);
        inARow = 0;
        queue.concurrency = concurrency;
        await tell(item, verdict);
      } catch (error) {
        failed(error, item);
      }
    };

    await Promise.all(items.map((item) => queue.add(() => one(item))));
    if (end && 'error' in end) throw end.error;
    if (failures.length > 0) throw summary(name, failures, items.length);
    return end?.grading ?? {};
  };
}

/** The same listener, called again only when its last call has resolved, and no more once one has failed. */
function oneByOne(onVerdict: Parameters<Judge['grade']>[1]): typeof onVerdict {
  const queue = new PQueue({ concurrency: 1 });
  let broken = false;
  return (item, verdict) =>
    queue.add(async () => {
      if (broken) return;
      broken = true;
      await onVerdict(item, verdict);
      broken = false;
    });
}

interface Failure {
  readonly id: string;
  readonly why: string;
}

function summary(name: string, failures: readonly Failure[], of: number): InputError {
  const { id, why } = failures[0]!;
  return new InputError(
    `${name}: no verdict on ${failures.length} of ${of} completions; the first, ${id}: ${why}`,
  );
}
