/** Which latents a fix may hold together: the first k by each order. docs/method.md section 5. */
import { dependsOn } from '../../methods/steering/steer.ts';
import type { LatentRow, SteeringRow } from '../../results.ts';
import type { FixConfig, FixOrder } from '../config/sections/fix.ts';

/** A latent with what is held of it. */
export interface FixLatent {
  readonly latent: number;
  /** σ */
  readonly sign: 1 | -1;
  /** unit decoder direction [d] */
  readonly direction: Float32Array;
}

export interface LatentSet {
  readonly latents: readonly FixLatent[];
  /** by which its latents are the first */
  readonly orders: readonly FixOrder[];
}

/** Latents by each order that the study has, as many as the greatest set has; only those that support the positives. */
export function orderedLatents(
  rows: readonly LatentRow[],
  steered: readonly SteeringRow[],
  { orders, sizes }: Pick<FixConfig, 'orders' | 'sizes'>,
): Map<FixOrder, readonly number[]> {
  const most = sizes.at(-1)!;
  const supporting = rows.filter(({ delta, q }) => delta > 0 && q !== null);
  const by = (value: (row: LatentRow) => number) =>
    supporting
      .map((row) => ({ latent: row.latent, value: value(row) }))
      .filter(({ value }) => Number.isFinite(value))
      .sort((a, b) => b.value - a.value || a.latent - b.latent)
      .slice(0, most)
      .map(({ latent }) => latent);
  const confirmed = steered
    .filter(
      ({ operation, role, verdict, latent }) =>
        operation === 'remove' && role === 'candidate' && verdict === 'confirmed' && latent !== null,
    )
    .sort((a, b) => a.effect! - b.effect!)
    .slice(0, most)
    .map(({ latent }) => latent!);
  const all: Record<FixOrder, readonly number[]> = {
    confirmed,
    delta: by(({ delta }) => delta),
    certainty: by(({ delta, standard_error }) => delta / standard_error),
  };
  return new Map(orders.map((order) => [order, all[order]]));
}

/** The first latents of an order, without those whose direction lies in the span of the ones before. */
function independent(latents: readonly number[], known: ReadonlyMap<number, FixLatent>): FixLatent[] {
  const kept: FixLatent[] = [];
  for (const latent of latents) {
    const own = known.get(latent)!;
    if (
      !dependsOn(
        own.direction,
        kept.map(({ direction }) => direction),
      )
    )
      kept.push(own);
  }
  return kept;
}

/** The sets of these sizes, each once; what fewer latents than asked would give is left out. */
export function setsOf(
  ordered: ReadonlyMap<FixOrder, readonly number[]>,
  sizes: readonly number[],
  known: ReadonlyMap<number, FixLatent>,
): LatentSet[] {
  const found = new Map<string, { latents: FixLatent[]; orders: FixOrder[] }>();
  for (const [order, latents] of ordered) {
    const all = independent(latents, known);
    for (const size of sizes) {
      if (size > all.length) continue;
      const own = all.slice(0, size);
      const key = own
        .map(({ latent }) => latent)
        .sort((a, b) => a - b)
        .join();
      const before = found.get(key);
      if (before) before.orders.push(order);
      else found.set(key, { latents: own, orders: [order] });
    }
  }
  return [...found.values()];
}
