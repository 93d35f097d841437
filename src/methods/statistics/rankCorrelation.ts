/** Spearman's rank correlation: the correlation of ranks, equal values sharing the mean of theirs. */

function ranksOf(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let i = from; i < to; i++) ranks[order[i]!] = (from + to - 1) / 2;
    from = to;
  }
  return ranks;
}

/**
 * −1 to 1; NaN for fewer than two values, or where all values of a side are equal. Throws RangeError for
 * lists of different lengths.
 */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) throw new RangeError(`rankCorrelation: ${a.length} values and ${b.length}`);
  const [ra, rb] = [ranksOf(a), ranksOf(b)];
  const middle = (a.length - 1) / 2;
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [ra[i]! - middle, rb[i]! - middle];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}
