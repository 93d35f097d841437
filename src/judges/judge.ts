/**
 * What every judge does: says of a completion whether it shows the behaviour, and whether it is coherent
 * text at all. The two are separate answers: broken text is neither a positive nor a negative. A completion
 * that a judge refuses (a content filter, replies without a grade at every try, a question too long for its
 * model) has a verdict of its own, so that no other waits for it: score 0, negative, coherence 0,
 * incoherent, and a reason that begins `no verdict: `. Knows no kind of judge.
 */

import type { ChatMessage } from '../results.ts';

export interface Message {
  readonly role: string;
  readonly content: string;
}

/** A completion to grade. */
export interface JudgeItem {
  /** unique in a study */
  readonly id: string;
  readonly prompt: string | readonly ChatMessage[];
  readonly completion: string;
  /** whether it came to its end by itself, rather than at the token limit */
  readonly ended: boolean;
}

/** What a verdict took; what is not known counts as 0. */
export interface Cost {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** in the currency of the prices that the judge was given */
  readonly price: number;
}

export interface Verdict {
  /** 0 to 1: how sure the judge is that the completion shows the behaviour */
  readonly score: number;
  /** positive where it shows the behaviour: score at or above the judge's threshold */
  readonly label: 'positive' | 'negative';
  /** 0 to 1: how sure the judge is that the completion is coherent text */
  readonly coherence: number;
  readonly coherent: boolean;
  /** why, in a sentence */
  readonly reason: string;
  /** what the judge said, as it said it; empty where it does not speak */
  readonly raw: string;
  readonly cost: Cost;
}

export interface Grading {
  /**
   * Why the judge stopped before the end (a budget is used up); undefined where every item has its verdict.
   */
  readonly stopped?: string;
}

/**
 * What refused completions say of the judge: `suspect`, that it may be at fault, so that too many in a row
 * end the grading; `stand`, nothing, each has its verdict whatever its neighbours have. The latter is for a
 * judge that has shown that it works, on texts that may all be refused.
 */
export type Refusals = 'suspect' | 'stand';

export interface Judge {
  /** the kind, and what it runs on, for people */
  readonly name: string;
  /**
   * All that a verdict depends on beside the item, as JSON: equal identities give verdicts that may stand
   * beside one another.
   */
  readonly identity: unknown;
  /**
   * Grades the items, telling each verdict once as soon as it is there, in any order; the next is not told
   * before the promise of the last has resolved. Rejects with InputError where the judge cannot work: a
   * wrong key, a server that stays away at every try, three completions in a row without a verdict,
   * whatever the reason. The verdicts already won have been told then, but none on those three. `refusals`
   * default to `suspect`.
   */
  grade(
    items: readonly JudgeItem[],
    onVerdict: (item: JudgeItem, verdict: Verdict) => Promise<void>,
    signal?: AbortSignal,
    refusals?: Refusals,
  ): Promise<Grading>;
  /** Frees what it holds. */
  close(): Promise<void>;
}

/** How the reason of a verdict on a refused completion begins. */
export const noVerdict = 'no verdict: ';

/** The cost of a judge that runs here. */
export const free: Cost = { calls: 0, inputTokens: 0, outputTokens: 0, price: 0 };

/** What two of them took. */
export const bothCosts = (a: Cost, b: Cost): Cost => ({
  calls: a.calls + b.calls,
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  price: a.price + b.price,
});
