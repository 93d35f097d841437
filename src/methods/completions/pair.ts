/** Positives against negatives of the same prompt, the most certain first. Knows neither texts nor models. */
import { grouped } from '../statistics/groups.ts';

/** A graded completion, as pairs are chosen by. */
export interface Candidate {
  readonly id: string;
  readonly prompt: string;
  readonly label: 'positive' | 'negative';
  /** 0 to 1: how sure the judge is that it shows the behaviour */
  readonly score: number;
  readonly coherent: boolean;
  /** whether it came to its end before the token limit */
  readonly finished: boolean;
}

export interface Chosen {
  readonly prompt: string;
  readonly positive: string;
  readonly negative: string;
  /** score of the positive minus that of the negative */
  readonly certainty: number;
}

export const withoutPairReasons = [
  'none finished',
  'none coherent',
  'no positive usable',
  'no negative usable',
  'all positive',
  'all negative',
] as const;
/**
 * Why a prompt gave no pair. No positive (negative) usable: there are some, but cut off or incoherent; all
 * positive (negative): there are no others.
 */
export type WithoutPair = (typeof withoutPairReasons)[number];

export interface PairChoice {
  /** the most certain first; of equal ones by prompt and id, so that the order is one */
  readonly pairs: readonly Chosen[];
  /** pairs, or with `all` prompts, that the limit left out */
  readonly beyondLimit: number;
  readonly without: ReadonlyMap<string, WithoutPair>;
}

export interface PairOptions {
  /**
   * pairs of a prompt: its most certain positive with its most certain negative, the second with the
   * second; or all with all
   */
  readonly perPrompt: number | 'all';
  /** pairs in all; with `all` prompts in all, as each is one contrast; default no limit */
  readonly limit?: number | undefined;
}

const order = (a: string, b: string) => (a < b ? -1 : Number(a > b));

function reasonOf(all: readonly Candidate[]): WithoutPair | undefined {
  const finished = all.filter((one) => one.finished);
  if (finished.length === 0) return 'none finished';
  const usable = finished.filter((one) => one.coherent);
  if (usable.length === 0) return 'none coherent';
  for (const [label, other] of [
    ['positive', 'negative'],
    ['negative', 'positive'],
  ] as const)
    if (usable.every((one) => one.label === label))
      return all.some((one) => one.label === other) ? `no ${other} usable` : `all ${label}`;
  return undefined;
}

/** Pairs of coherent, finished completions of one prompt, over all prompts. */
export function choosePairs(candidates: readonly Candidate[], { perPrompt, limit }: PairOptions): PairChoice {
  const without = new Map<string, WithoutPair>();
  const pairs: Chosen[] = [];
  for (const [prompt, all] of grouped(candidates, (one) => one.prompt)) {
    const reason = reasonOf(all);
    if (reason) {
      without.set(prompt, reason);
      continue;
    }
    const of = (label: Candidate['label'], sign: number) =>
      all
        .filter((one) => one.finished && one.coherent && one.label === label)
        .sort((a, b) => sign * (a.score - b.score) || order(a.id, b.id));
    const [positives, negatives] = [of('positive', -1), of('negative', 1)];
    const add = (p: Candidate, n: Candidate) =>
      pairs.push({ prompt, positive: p.id, negative: n.id, certainty: p.score - n.score });
    if (perPrompt === 'all') for (const p of positives) for (const n of negatives) add(p, n);
    else
      for (let i = 0; i < Math.min(perPrompt, positives.length, negatives.length); i++)
        add(positives[i]!, negatives[i]!);
  }
  pairs.sort(
    (a, b) =>
      b.certainty - a.certainty ||
      order(a.prompt, b.prompt) ||
      order(a.positive, b.positive) ||
      order(a.negative, b.negative),
  );
  const groups =
    perPrompt === 'all' ? [...grouped(pairs, ({ prompt }) => prompt).values()] : pairs.map((pair) => [pair]);
  const kept = groups.slice(0, limit);
  return { pairs: kept.flat(), beyondLimit: groups.length - kept.length, without };
}
