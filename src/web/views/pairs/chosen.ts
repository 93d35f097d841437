/** What is known of each pair, in the order asked for. Knows nothing of how it is shown. */
import type { PairRecord, PairTokens } from '../../../results.ts';
import { promptText } from '../../parts/promptTexts.ts';

export interface ListedPair {
  readonly pair: PairRecord;
  readonly prompt: string;
  /** Δ of the chosen latent on this pair alone; undefined where it is not among the pair's strongest */
  readonly delta: number | undefined;
}

export const orders = ['certainty', '|Δ|'] as const;
export type Order = (typeof orders)[number];

interface Asked {
  readonly find: string;
  readonly order: Order;
  readonly latent: number | undefined;
}

const sizeOf = ({ delta }: ListedPair) => Math.abs(delta ?? 0);

const comparers: Readonly<Record<Order, (a: ListedPair, b: ListedPair) => number>> = {
  certainty: (a, b) => b.pair.certainty - a.pair.certainty,
  '|Δ|': (a, b) => sizeOf(b) - sizeOf(a),
};

function holds({ pair, prompt }: ListedPair, words: string): boolean {
  return [pair.id, prompt, pair.positive, pair.negative].some((text) => text.toLowerCase().includes(words));
}

/** Pairs that hold the words sought; equal ones stay in the order of the file. */
export function chosenPairs(
  pairs: readonly PairRecord[],
  tokens: ReadonlyMap<string, PairTokens> | undefined,
  { find, order, latent }: Asked,
): ListedPair[] {
  const words = find.trim().toLowerCase();
  return pairs
    .map((pair) => ({
      pair,
      prompt: promptText(pair.prompt),
      delta: (tokens?.get(pair.id) ?? tokens?.get(pair.prompt_id))?.latents.find(
        (one) => one.latent === latent,
      )?.delta,
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
