/** p-values for many tests at once. Knows nothing of what is tested. */

/** p-values of one null distribution, hypothesis by hypothesis, in the order of the observed values. */
export interface StepDown {
  /** Takes one draw of all statistics under the null hypothesis: as many as were observed, in their order. */
  add(draw: ArrayLike<number>): void;
  /**
   * (1 + draws whose own value is at least the observed one) / (1 + draws); 1 where it was not measured. Of
   * exchangeable hypotheses the values of all count, each a draw.
   */
  single(): number[];
  /** family-wise, by step-down max-T: never below `single` */
  familyWise(): number[];
}

/**
 * Step-down max-T (Westfall and Young 1993, algorithm 4.1). The greatest observed value is compared with
 * the maximum over all hypotheses, the second with the maximum over all but the first, and so on; p-values
 * never fall on the way down. A NaN was not measured: it comes last, gets p = 1, and its draws still count
 * among the maxima. The family-wise error holds whatever the correlations, for the draws carry them.
 * `exchangeable`: all hypotheses have the same null distribution.
 */
export function stepDown(observed: readonly number[], { exchangeable = false } = {}): StepDown {
  const rank = (value: number) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value);
  const order = [...observed.keys()].sort((a, b) => {
    const [x, y] = [rank(observed[a]!), rank(observed[b]!)];
    return x === y ? a - b : y > x ? 1 : -1;
  });
  const measured = order.filter((i) => !Number.isNaN(observed[i]!));
  /** draws at least as great as the observed values from a rank on, but not as that before it */
  const reached = new Float64Array(measured.length + 1);
  const firstReached = (value: number) => {
    let [low, high] = [0, measured.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (observed[measured[middle]!]! <= value) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  const own = new Float64Array(observed.length);
  const greatest = new Float64Array(observed.length);
  let draws = 0;
  return {
    add(draw) {
      draws++;
      let most = Number.NEGATIVE_INFINITY;
      for (let at = order.length - 1; at >= 0; at--) {
        const i = order[at]!;
        const value = draw[i]!;
        if (value > most) most = value;
        if (exchangeable) reached[firstReached(value)]!++;
        else if (value >= observed[i]!) own[i]!++;
        if (most >= observed[i]!) greatest[i]!++;
      }
    },
    single() {
      const out = new Array<number>(observed.length).fill(1);
      let pooled = 0;
      measured.forEach((i, at) => {
        pooled += reached[at]!;
        out[i] = exchangeable ? (1 + pooled) / (1 + draws * observed.length) : (1 + own[i]!) / (1 + draws);
      });
      return out;
    },
    familyWise() {
      const out = new Array<number>(observed.length).fill(1);
      let before = 0;
      for (const i of measured) {
        before = Math.max(before, (1 + greatest[i]!) / (1 + draws));
        out[i] = before;
      }
      return out;
    },
  };
}

/**
 * From the Bonferroni-adjusted p of each of m hypotheses to q: q_(j) = min over k ≥ j of p_(k) / k, the
 * p in rising order, at most 1. With m p this is the step-up of Benjamini and Hochberg (1995).
 */
export function stepUp(adjusted: readonly number[]): number[] {
  const order = [...adjusted.keys()].sort((a, b) => adjusted[a]! - adjusted[b]! || a - b);
  const out = new Array<number>(adjusted.length);
  let least = 1;
  for (let at = order.length - 1; at >= 0; at--) {
    least = Math.min(least, adjusted[order[at]!]! / (at + 1));
    out[order[at]!] = least;
  }
  return out;
}
