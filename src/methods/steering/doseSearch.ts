/**
 * The strongest dose of a ladder that leaves enough text coherent, by bisection: docs/method.md section 5. The
 * share of incoherent completions is taken to rise with the dose; only what the bisection asks for is
 * measured. Knows neither latents nor texts.
 */

/** What was measured at one dose. */
export interface TriedDose {
  readonly dose: number;
  /** share of incoherent completions, 0 to 1 */
  readonly incoherent: number;
}

export type DoseStep =
  /** measure this dose next */
  | { readonly next: number }
  /** the search is over: the strongest dose within the limit, or none where even the weakest exceeds it */
  | { readonly found: number | undefined };

/**
 * The next step from what was tried so far. `ladder`: doses, ascending, in parts of s. `limit`: greatest
 * share of incoherent completions, itself allowed. At most ⌈log₂(n + 1)⌉ doses of n are measured. Throws
 * RangeError for an empty or unsorted ladder.
 */
export function doseStep(ladder: readonly number[], tried: readonly TriedDose[], limit: number): DoseStep {
  if (ladder.length === 0 || ladder.some((dose, i) => i > 0 && dose <= ladder[i - 1]!))
    throw new RangeError(`doseStep: expected ascending doses, found ${ladder.join(', ')}`);
  const shares = new Map(tried.map(({ dose, incoherent }) => [dose, incoherent]));
  let [good, bad] = [-1, ladder.length];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    const share = shares.get(ladder[middle]!);
    if (share === undefined) return { next: ladder[middle]! };
    if (share <= limit) good = middle;
    else bad = middle;
  }
  return { found: ladder[good] };
}
