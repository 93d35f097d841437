/**
 * What every explainer does: says in a sentence what a latent seems to respond to, and, given such a
 * sentence, of passages whether they fit it. Knows no kind of explainer, nor which passages it is given.
 */
import type { Kind, NoVerdict } from './grading.ts';
import type { Cost, Grading } from './judge.ts';

/** A text as its tokens, some of them marked. */
export interface ExplainerPassage {
  readonly tokens: readonly string[];
  readonly marks: readonly boolean[];
}

/** What an explanation is made from. */
export interface ExplainerEvidence {
  /** `strengths`: activation at each token, 0 to 1 */
  readonly active: readonly (ExplainerPassage & { readonly strengths: readonly number[] })[];
  readonly inactive: readonly ExplainerPassage[];
  /** tokens that the latent makes likelier */
  readonly likelier: readonly string[];
}

export interface ExplainItem {
  /** for people */
  readonly id: string;
  readonly latent: number;
  readonly evidence: ExplainerEvidence;
}

/** detection: is the latent active in the passage? fuzzing: at the marked tokens? */
export type ScoringTask = 'detection' | 'fuzzing';

export interface ScoreItem {
  readonly id: string;
  readonly latent: number;
  readonly task: ScoringTask;
  readonly explanation: string;
  readonly passages: readonly ExplainerPassage[];
}

/** What was answered; `value` is null, and `why` says why, where nothing was that can be read. */
export interface AnsweredItem<T> {
  readonly value: T | null;
  readonly why: string | null;
  /** what was said, as it was said; empty where it was not */
  readonly raw: string;
  readonly cost: Cost;
}

/**
 * Told of each answer once, as soon as it is there, in any order; the next is not told before the promise
 * of the last has resolved. Resolves and rejects as a judge's `grade`.
 */
export type Asking<I, T> = (
  items: readonly I[],
  onAnswer: (item: I, answer: AnsweredItem<T>) => Promise<void>,
  signal?: AbortSignal,
) => Promise<Grading>;

/** Told what was paid on a question that may get no answer. */
export type ExplainerLost = (
  item: ExplainItem | ScoreItem,
  cost: Pick<Cost, 'calls' | 'price'>,
) => Promise<void>;

export interface Explainer {
  /** the kind, and what it runs on, for people */
  readonly name: string;
  /** One sentence a latent. Three latents in a row without any end it: the fault is hardly theirs. */
  readonly explain: Asking<ExplainItem, string>;
  /** Yes or no for each passage; null for one that could not be asked about. */
  readonly score: Asking<ScoreItem, readonly (boolean | null)[]>;
  /** Frees what it holds. */
  close(): Promise<void>;
}

/** How explainers answer what is refused. */
export const answers = <I extends { readonly id: string; readonly latent: number }, T>(
  answer: string,
  items: string,
): Kind<I, AnsweredItem<T>> => ({
  originOf: ({ latent }) => `${latent}`,
  refused: ({ message, raw, cost }: NoVerdict) => ({ value: null, why: message, raw, cost }),
  words: { answer, items },
});
