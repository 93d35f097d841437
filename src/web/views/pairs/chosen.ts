/** What was compared and what is known of each, in the order asked for. Knows nothing of how it is shown. */
import { byContrast, type PairRecord, type PairTokens, promptText } from '../../../results.ts';
import type { Query } from '../../routes.ts';

interface Said {
  readonly id: string;
  readonly text: string;
}

/** A pair by itself, or all pairs of a prompt together. */
export interface ComparedTexts {
  readonly id: string;
  readonly prompt: string;
  readonly pairs: readonly PairRecord[];
  readonly positives: readonly Said[];
  readonly negatives: readonly Said[];
  /** of the most certain of its pairs */
  readonly certainty: number;
  readonly tokens: PairTokens | undefined;
}

export interface ListedTexts extends ComparedTexts {
  /** Δ of the chosen latent on this contrast alone; undefined where it is not among its strongest */
  readonly delta: number | undefined;
}

export const orders = ['certainty', '|Δ|'] as const;
export type Order = (typeof orders)[number];

export interface Asked {
  readonly find: string;
  readonly order: Order;
  readonly latent: number | undefined;
}

/** What the address asks for: which latent, which words, which order. */
export function askedBy(query: Query): Asked {
  const latent = query.latent !== undefined && /^\d+$/.test(query.latent) ? Number(query.latent) : undefined;
  const order: Order = latent !== undefined && query.sort === 'delta' ? '|Δ|' : 'certainty';
  return { find: query.find ?? '', order, latent };
}

const distinct = (said: readonly Said[]) => [...new Map(said.map((one) => [one.id, one])).values()];

/** Pairs as what Δ is measured on. */
export function comparedTexts(
  pairs: readonly PairRecord[],
  tokens: ReadonlyMap<string, PairTokens> | undefined,
): ComparedTexts[] {
  return Array.from(byContrast(pairs, new Set(tokens?.keys())), ([id, own]) => ({
    id,
    prompt: promptText(own[0]!.prompt),
    pairs: own,
    positives: distinct(own.map(({ positive_id, positive }) => ({ id: positive_id, text: positive }))),
    negatives: distinct(own.map(({ negative_id, negative }) => ({ id: negative_id, text: negative }))),
    certainty: Math.max(...own.map(({ certainty }) => certainty)),
    tokens: tokens?.get(id),
  }));
}

const sizeOf = ({ delta }: ListedTexts) => Math.abs(delta ?? 0);

const comparers: Readonly<Record<Order, (a: ListedTexts, b: ListedTexts) => number>> = {
  certainty: (a, b) => b.certainty - a.certainty,
  '|Δ|': (a, b) => sizeOf(b) - sizeOf(a),
};

function holds({ id, prompt, pairs, positives, negatives }: ComparedTexts, words: string): boolean {
  const texts = [id, prompt, ...pairs.map((pair) => pair.id)];
  return [...texts, ...[...positives, ...negatives].map(({ text }) => text)].some((text) =>
    text.toLowerCase().includes(words),
  );
}

/** Those that hold the words sought; equal ones stay in the order of the file. */
export function chosenContrasts(
  contrasts: readonly ComparedTexts[],
  { find, order, latent }: Asked,
): ListedTexts[] {
  const words = find.trim().toLowerCase();
  return contrasts
    .map((contrast) => ({
      ...contrast,
      delta: contrast.tokens?.latents.find((one) => one.latent === latent)?.delta,
    }))
    .filter((listed) => holds(listed, words))
    .sort(comparers[order]);
}

/** Latents that are among the strongest of some pair, those of most pairs first. */
export function latentsOf(tokens: ReadonlyMap<string, PairTokens> | undefined): number[] {
  const pairs = new Map<number, number>();
  for (const { latents } of tokens?.values() ?? [])
    for (const { latent } of latents) pairs.set(latent, (pairs.get(latent) ?? 0) + 1);
  return [...pairs].sort(([a, m], [b, n]) => n - m || a - b).map(([latent]) => latent);
}
