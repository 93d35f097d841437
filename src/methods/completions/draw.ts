/** One token from a distribution, by one uniform number. Knows no model. */

/**
 * What is left of a distribution before the draw, in this order (as in transformers' `generate`): top-k,
 * top-p, min-p.
 */
export interface Truncation {
  /** the k most likely tokens; default all */
  readonly topK?: number | undefined;
  /** the smallest set of most likely tokens whose probabilities sum to p or more; default 1: all */
  readonly topP?: number | undefined;
  /** tokens at least this many times as likely as the likeliest; default 0: all */
  readonly minP?: number | undefined;
}

const sumOf = (p: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += p[i]!;
  return sum;
};

/** Places of the k greatest, greatest first, of equal ones the lower first. */
export function greatest(p: Float32Array, k: number): number[] {
  const best: number[] = [];
  for (let id = 0; id < p.length; id++) {
    if (best.length === k && p[id]! <= p[best[k - 1]!]!) continue;
    let at = best.length;
    while (at > 0 && p[best[at - 1]!]! < p[id]!) at--;
    best.splice(at, 0, id);
    if (best.length > k) best.pop();
  }
  return best;
}

/** Ids that the truncation leaves, most likely first. */
function kept(p: Float32Array, { topK, topP = 1, minP = 0 }: Truncation): number[] {
  const some = topK !== undefined && topK < p.length;
  // Together the tokens below this floor have less than 1 − topP: none of them is in the set.
  const floor = some ? 0 : ((1 - topP) * sumOf(p)) / p.length;
  const ids = some ? greatest(p, topK) : [...p.keys()].filter((id) => p[id]! > 0 && p[id]! >= floor);
  if (!some) ids.sort((a, b) => p[b]! - p[a]! || a - b);
  const mass = topP * (some ? ids.reduce((sum, id) => sum + p[id]!, 0) : sumOf(p));
  let sum = 0;
  const inNucleus = ids.filter((id) => {
    const before = sum;
    sum += p[id]!;
    return before < mass;
  });
  const least = minP * p[inNucleus[0]!]!;
  return inNucleus.filter((id) => p[id]! >= least);
}

/**
 * The id whose share of the probabilities, in the order of ids, holds `uniform` (in [0, 1)). Probabilities
 * need not sum to 1.
 */
export function drawFrom(p: Float32Array, uniform: number, truncation: Truncation = {}): number {
  const { topK, topP = 1, minP = 0 } = truncation;
  const whole = topK === undefined && topP === 1 && minP === 0;
  const ids = whole ? undefined : kept(p, truncation).sort((a, b) => a - b);
  const total = ids ? ids.reduce((sum, id) => sum + p[id]!, 0) : sumOf(p);
  const count = ids?.length ?? p.length;
  let left = uniform * total;
  let chosen = -1;
  for (let i = 0; i < count; i++) {
    const id = ids?.[i] ?? i;
    if (p[id] === 0) continue;
    chosen = id;
    left -= p[id]!;
    if (left < 0) break;
  }
  return chosen;
}
