/**
 * What judges share, and explainers: running through the completions, or questions, one or several at a
 * time, each verdict told once. Knows no kind of judge.
 */
import PQueue from 'p-queue';
import { InputError } from '../errors.ts';
import {
  type Cost,
  free,
  type Grading,
  type Judge,
  type JudgeItem,
  noVerdict,
  type Refusals,
  type Verdict,
} from './judge.ts';

/** No further completion is begun; those under way are finished. */
export class Stopped extends Error {}

/**
 * The judge refuses this completion, and would again: why, in a few words, what it said as far as it spoke,
 * and what that cost.
 */
export class NoVerdict extends Error {
  readonly raw: string;
  readonly cost: Cost;
  constructor(why: string, raw = '', cost: Cost = free) {
    super(why);
    this.raw = raw;
    this.cost = cost;
  }
}

/**
 * The judge could not be heard on this completion: that says nothing of it, and a later run may have a
 * verdict.
 */
export class Unheard extends Error {}

/**
 * No verdict on completions in a row that answer so many prompts, and the judge gives up: the fault is
 * hardly theirs.
 */
const originsInARow = 3;

/** What is answered one by one, and in which words. */
export interface Kind<I extends { readonly id: string }, V> {
  /** Failures of one origin say less of the answerer than those of several. */
  readonly originOf: (item: I) => string;
  /** The answer on an item that is refused. */
  readonly refused: (why: NoVerdict) => V;
  readonly words: { readonly answer: string; readonly items: string };
}

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

const completions: Kind<JudgeItem, Verdict> = {
  originOf: ({ prompt }) => JSON.stringify(prompt),
  refused,
  words: { answer: 'verdict', items: 'completions' },
};

/**
 * Of a completion that the judge refuses: neither the behaviour nor coherent, so that nothing is built on
 * it.
 */
function refused({ message, raw, cost }: NoVerdict): Verdict {
  return {
    score: 0,
    label: 'negative',
    coherence: 0,
    coherent: false,
    reason: noVerdict + message,
    raw,
    cost,
  };
}

/**
 * Grades one completion. What it throws ends the grading, except for NoVerdict and Unheard; Stopped ends it
 * without an error.
 */
export type VerdictOn = AnswerOn<JudgeItem, Verdict>;
type AnswerOn<I, V> = (item: I, signal: AbortSignal | undefined) => Promise<V>;

/** As `Judge.grade`, of anything. */
type Answering<I, V> = (
  items: readonly I[],
  onAnswer: (item: I, answer: V) => Promise<void>,
  signal?: AbortSignal,
  refusals?: Refusals,
) => Promise<Grading>;

/**
 * `grade` of a judge that looks at up to `concurrency` completions at the same time; at one until the first
 * verdict is there, so that what is wrong for all is found once. A refused completion is told its verdict
 * when its neighbours in `items` have theirs, or at the end; where refusals stand, at once. Rejects with
 * InputError where neighbours of three prompts have none, which are not told then, and at the end where the
 * judge could not be heard on any. Where it is Stopped first, it says so and nothing else.
 */
export const gradedTogether = (name: string, concurrency: number, verdictOn: VerdictOn): Judge['grade'] =>
  answering(name, concurrency, verdictOn, completions);

/** `sideBySide` of any kind. */
export function answering<I extends { readonly id: string }, V>(
  name: string,
  concurrency: number,
  verdictOn: AnswerOn<I, V>,
  kind: Kind<I, V>,
): Answering<I, V> {
  const isOwnFault = (row: readonly Failure<I, V>[]) =>
    new Set(row.map(({ item }) => kind.originOf(item))).size >= originsInARow;
  const summary = (which: string, failures: readonly Failure<I, V>[]) => {
    const { item, why } = failures[0]!;
    return new InputError(`${name}: no ${kind.words.answer} on ${which}; the first, ${item.id}: ${why}`);
  };
  return async (items, onVerdict, signal, refusals = 'suspect') => {
    const queue = new PQueue({ concurrency: 1 });
    const tell = oneByOne(onVerdict);
    const rows = failureRows<I, V>(items.length, isOwnFault);
    let end: { readonly grading: Grading } | { readonly error: unknown } | undefined;

    const broken = (error: unknown) => {
      if (!end || 'grading' in end) end = { error };
    };
    const told = async (failures: readonly Failure<I, V>[]) => {
      for (const { item, verdict } of failures) if (verdict) await tell(item, verdict.of);
    };
    const failed = async (error: unknown, item: I, i: number) => {
      if (error instanceof Stopped) end ??= { grading: { stopped: error.message } };
      else if (error instanceof InputError) end ??= { error };
      else if (error instanceof NoVerdict || error instanceof Unheard) {
        const verdict = error instanceof NoVerdict ? { of: kind.refused(error) } : undefined;
        const row = rows.failed(i, { item, why: error.message, verdict });
        if (isOwnFault(row)) end ??= { error: summary(`${row.length} ${kind.words.items} in a row`, row) };
        await told(rows.closedBy(i));
      } else throw error;
    };
    const one = async (item: I, i: number) => {
      if (end) return;
      signal?.throwIfAborted();
      const found = await verdictOn(item, signal).then(
        (verdict) => ({ verdict }),
        (error: unknown) =>
          refusals === 'stand' && error instanceof NoVerdict ? { verdict: kind.refused(error) } : { error },
      );
      if ('error' in found) return failed(found.error, item, i);
      queue.concurrency = concurrency;
      await tell(item, found.verdict);
      rows.graded(i);
      await told(rows.closedBy(i));
    };

    await Promise.all(items.map((item, i) => queue.add(() => one(item, i).catch(broken))));
    if (end && 'error' in end) throw end.error;
    await told(rows.left());
    if (end) return end.grading;
    const unheard = rows.unheard();
    if (unheard.length > 0)
      throw summary(`${unheard.length} of ${items.length} ${kind.words.items}`, unheard);
    return {};
  };
}

/** The same listener, called again only when its last call has resolved, and no more once one has failed. */
function oneByOne<I, V>(onVerdict: (item: I, verdict: V) => Promise<void>): typeof onVerdict {
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

interface Failure<I, V> {
  readonly item: I;
  readonly why: string;
  /** where the judge was heard, and refused */
  readonly verdict: { readonly of: V } | undefined;
}

/**
 * Completions without a verdict, in rows of neighbours: by their place in the list, since it is chance
 * which of those under way comes back first. A failure is handed out once, when its row is closed and too
 * short to be the judge's fault.
 */
function failureRows<I, V>(count: number, isOwnFault: (row: readonly Failure<I, V>[]) => boolean) {
  type Failed = Failure<I, V>;
  const settled = new Array<Failed | 'graded' | undefined>(count).fill(undefined);
  const kept = new Set<Failed>();

  const failureAt = (i: number) => {
    const found = settled[i];
    return typeof found === 'object' ? found : undefined;
  };
  const rowAt = (i: number) => {
    let from = i;
    while (failureAt(from - 1)) from--;
    const row: Failed[] = [];
    for (let failure = failureAt(from); failure; failure = failureAt(from + row.length)) row.push(failure);
    return { row, isOpen: [from - 1, from + row.length].some((j) => j in settled && !settled[j]) };
  };
  const handedOut = (row: readonly Failed[]) =>
    isOwnFault(row) ? [] : row.filter((failure) => kept.delete(failure));

  return {
    /** The row that this failure stands in. */
    failed(i: number, failure: Failed): readonly Failed[] {
      settled[i] = failure;
      kept.add(failure);
      return rowAt(i).row;
    },
    graded(i: number): void {
      settled[i] = 'graded';
    },
    /** Failures beside `i`, or at it, whose row no completion can join any more. */
    closedBy(i: number): Failed[] {
      return [i - 1, i, i + 1].filter(failureAt).flatMap((j) => {
        const { row, isOpen } = rowAt(j);
        return isOpen ? [] : handedOut(row);
      });
    },
    /** The failures that were not handed out, where no more are to come. */
    left: (): Failed[] => settled.flatMap((_, i) => (failureAt(i) ? handedOut(rowAt(i).row) : [])),
    unheard: (): Failed[] =>
      settled.flatMap((_, i) => {
        const failure = failureAt(i);
        return failure && !failure.verdict ? [failure] : [];
      }),
  };
}
