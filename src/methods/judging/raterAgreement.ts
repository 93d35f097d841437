/**
 * How far two raters agree who say yes or no of the same items, or how far one's scores order them as the
 * other's labels do. Knows no judge.
 */

/** Items by what rater a and rater b said. */
export interface TwoByTwo {
  readonly both: number;
  readonly onlyA: number;
  readonly onlyB: number;
  readonly neither: number;
}

/** Counts the labels of the same items, in the same order. */
export function twoByTwo(a: readonly boolean[], b: readonly boolean[]): TwoByTwo {
  const count = (inA: boolean, inB: boolean) => a.filter((said, n) => said === inA && b[n] === inB).length;
  return {
    both: count(true, true),
    onlyA: count(true, false),
    onlyB: count(false, true),
    neither: count(false, false),
  };
}

/** Share of the items of which both say the same; NaN for none. */
export function accuracy({ both, onlyA, onlyB, neither }: TwoByTwo): number {
  return (both + neither) / (both + onlyA + onlyB + neither);
}

/**
 * Cohen's kappa: (p − e) / (1 − e), p the share of agreement, e what two raters would reach by chance who
 * say yes as often as these. NaN where both always say the same one thing.
 */
export function kappa(table: TwoByTwo): number {
  const { both, onlyA, onlyB, neither } = table;
  const n = both + onlyA + onlyB + neither;
  const [yesA, yesB] = [(both + onlyA) / n, (both + onlyB) / n];
  const chance = yesA * yesB + (1 - yesA) * (1 - yesB);
  return (accuracy(table) - chance) / (1 - chance);
}

/**
 * Area under the ROC curve: the chance that a random item labelled `true` has a greater score than one
 * labelled `false`, a tie counting as half. By ranks, ties sharing their mean. NaN where a label is
 * missing.
 */
export function auc(scores: readonly number[], labels: readonly boolean[]): number {
  const order = [...scores.keys()].sort((i, j) => scores[i]! - scores[j]!);
  let rankSum = 0;
  let positives = 0;
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++;
    const tied = order.slice(from, to).filter((n) => labels[n]).length;
    // Ranks from + 1 to `to`, from 1.
    rankSum += tied * ((from + 1 + to) / 2);
    positives += tied;
    from = to;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (scores.length - positives));
}
