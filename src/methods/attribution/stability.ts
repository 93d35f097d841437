/**
 * How far a ranking by Δ rests on which prompts were drawn: docs/method.md section 2. Shapes: G clusters
 * (prompts), N latents.
 */
import { shuffled } from '../statistics/groups.ts';
import { generatorOf } from '../statistics/random.ts';

/** Each cluster's sum of Δ over its contrasts [G, N], and how many contrasts it has [G]. */
export interface ClusteredDelta {
  readonly sums: Float32Array;
  readonly sizes: readonly number[];
  /** N */
  readonly latents: number;
}

/** The contrasts' own Δ [P, N] summed over each cluster; `clusters` names each contrast's. */
export function clusteredDelta(perContrast: Float32Array, clusters: readonly string[]): ClusteredDelta {
  const latents = perContrast.length / clusters.length;
  const names = [...new Set(clusters)];
  if (names.length === clusters.length) return { sums: perContrast, sizes: names.map(() => 1), latents };
  const places = new Map(names.map((name, g) => [name, g]));
  const sums = new Float32Array(names.length * latents);
  const sizes = names.map(() => 0);
  clusters.forEach((name, p) => {
    const g = places.get(name)!;
    sizes[g]! += 1;
    for (let i = 0; i < latents; i++) sums[g * latents + i]! += perContrast[p * latents + i]!;
  });
  return { sums, sizes, latents };
}

/**
 * Standard error of Δ [N], the mean over P contrasts, with clusters as the units: √(G/(G − 1) Σ_g (S_g − n_g
 * Δ)²) / P, S_g the sum over the n_g contrasts of cluster g. For clusters of one size s/√G of their means; NaN
 * for a single cluster.
 */
export function clusteredErrors({ sums, sizes, latents }: ClusteredDelta): Float64Array {
  const [clusters, contrasts] = [sizes.length, sizes.reduce((a, b) => a + b, 0)];
  const out = new Float64Array(latents);
  for (let i = 0; i < latents; i++) {
    let total = 0;
    for (let g = 0; g < clusters; g++) total += sums[g * latents + i]!;
    let squares = 0;
    for (let g = 0; g < clusters; g++)
      squares += (sums[g * latents + i]! - (sizes[g]! * total) / contrasts) ** 2;
    out[i] = Math.sqrt((clusters / (clusters - 1)) * squares) / contrasts;
  }
  return out;
}

/** Sum over clusters with weights [G]: [N]. */
function weighted({ sums, latents }: ClusteredDelta, weights: readonly number[]): Float64Array {
  const out = new Float64Array(latents);
  weights.forEach((w, g) => {
    if (w !== 0) for (let i = 0; i < latents; i++) out[i]! += w * sums[g * latents + i]!;
  });
  return out;
}

/** The `count` greatest of values that are alive, as a set of places; with ties at the end some more. */
function firstOf(values: Float64Array, alive: Uint8Array, count: number): Set<number> {
  const sorted = values.filter((_, i) => alive[i] === 1).sort();
  const least = sorted[Math.max(0, sorted.length - count)]!;
  const out = new Set<number>();
  values.forEach((x, i) => {
    if (alive[i] === 1 && x >= least) out.add(i);
  });
  return out;
}

export interface SplitHalf {
  /** share of the first latents of one half of the clusters that are among the first of the other half */
  readonly overlap: number;
  /** the same with every cluster's sign drawn at random: what latents of great spread give by chance */
  readonly chance: number;
}

/**
 * Mean over random halvings of the clusters of how far the first `first` living latents agree; null for fewer
 * than four clusters, or where there are no more latents than that.
 */
export function splitHalf(
  delta: ClusteredDelta,
  alive: Uint8Array,
  { first = 100, splits = 20, seed }: { first?: number; splits?: number; seed: number },
): SplitHalf | null {
  const clusters = delta.sizes.length;
  if (clusters < 4 || alive.reduce((sum, one) => sum + one, 0) <= first) return null;
  const random = generatorOf(seed);
  const overlap = (signs: readonly number[]): number => {
    const order = shuffled([...delta.sizes.keys()], random);
    const half = new Set(order.slice(0, Math.floor(clusters / 2)));
    const of = (within: boolean) => {
      const weights = signs.map((sign, g) => (half.has(g) === within ? sign : 0));
      return firstOf(weighted(delta, weights), alive, first);
    };
    const other = of(false);
    return [...of(true)].filter((latent) => other.has(latent)).length / first;
  };
  const mean = (signs: () => number[]) => {
    let total = 0;
    for (let k = 0; k < splits; k++) total += overlap(signs());
    return total / splits;
  };
  return {
    overlap: mean(() => delta.sizes.map(() => 1)),
    chance: mean(() => delta.sizes.map(() => (random.next() & 1 ? 1 : -1))),
  };
}

export interface RankRange {
  readonly low: number;
  readonly high: number;
}

/**
 * Best and worst rank of each of some latents among all, over the rankings that leave one cluster out each.
 * undefined for a single cluster.
 */
export function leaveOneOutRanks(delta: ClusteredDelta, latents: readonly number[]): RankRange[] | undefined {
  const clusters = delta.sizes.length;
  if (clusters < 2) return undefined;
  const all = weighted(
    delta,
    delta.sizes.map(() => 1),
  );
  const ranges = latents.map(() => ({ low: Number.POSITIVE_INFINITY, high: 0 }));
  for (let g = 0; g < clusters; g++) {
    const values = all.map((x, i) => x - delta.sums[g * delta.latents + i]!);
    const sorted = values.slice().sort();
    latents.forEach((latent, k) => {
      const rank = sorted.length - lastPlace(sorted, values[latent]!);
      const range = ranges[k]!;
      range.low = Math.min(range.low, rank);
      range.high = Math.max(range.high, rank);
    });
  }
  return ranges;
}

/** Place of the last of the ascending values that is not greater. */
function lastPlace(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
