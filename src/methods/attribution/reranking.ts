/** The first latents of a first-order ranking put in the order of a measured effect. */
import type { LatentRow } from '../../results.ts';

/**
 * What latents are ranked by: Δ, or the first of them by the exact effect of their removal or by integrated
 * gradients.
 */
export const rankings = ['first-order', 'exact', 'integrated'] as const;
export type Ranking = (typeof rankings)[number];

/** Latents that are measured, for each that is wanted in the end. */
export const measuredPerWanted = 4;

/**
 * Rows, first rank first, with as many of the first as there are effects in the order of these, greatest
 * first, equal ones as they were; the others follow as they were, with NaN for the effect. `delta` stays what it
 * was. Effects are in nats. Throws RangeError for more effects than rows.
 */
export function reranked(
  rows: readonly LatentRow[],
  by: Exclude<Ranking, 'first-order'>,
  effects: readonly number[],
): LatentRow[] {
  if (effects.length > rows.length)
    throw new RangeError(`reranked: ${effects.length} effects, ${rows.length} rows`);
  const order = [...effects.keys()].sort((a, b) => effects[b]! - effects[a]! || a - b);
  return rows.map((_, i) => {
    const from = order[i] ?? i;
    return { ...rows[from]!, rank: i + 1, [by]: effects[from] ?? Number.NaN };
  });
}
