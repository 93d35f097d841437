/**
 * Latents that point the same way or fire together, gathered, so that near-copies of one do not fill a
 * list. Complete linkage: every two of a group are linked, so that no chain of half-similar latents becomes
 * one group. Greedy in the order given: a group is led by its first.
 */

export interface LatentGroupsInput {
  /** cosine of decoder directions [n][n] */
  readonly cosine: readonly (readonly number[])[];
  /** tokens at which two latents are both active [n][n] */
  readonly both: readonly (readonly number[])[];
  /** tokens at which each is active [n] */
  readonly active: readonly number[];
}

export interface LatentGroupsOptions {
  /** least cosine of two that point the same way; default 0.6 */
  readonly cosine?: number;
  /** least |A ∩ B| / |A ∪ B| of the tokens of two that fire together; default 0.5 */
  readonly together?: number;
}

export interface LatentGroup {
  /** places in the order given, rising; two at least */
  readonly members: readonly number[];
  /** least cosine, and least share of tokens in common, of any two of them */
  readonly cosine: number;
  readonly together: number;
}

/** |A ∩ B| / |A ∪ B| of the tokens where each is active; 0 where neither is. */
function jaccard({ both, active }: LatentGroupsInput, i: number, j: number): number {
  const union = active[i]! + active[j]! - both[i]![j]!;
  return union === 0 ? 0 : both[i]![j]! / union;
}

/** The groups of two and more, by their first members; who is in none stands alone. */
export function latentGroups(input: LatentGroupsInput, options: LatentGroupsOptions = {}): LatentGroup[] {
  const { cosine: leastCosine = 0.6, together: leastTogether = 0.5 } = options;
  const linked = (i: number, j: number) =>
    input.cosine[i]![j]! >= leastCosine || jaccard(input, i, j) >= leastTogether;
  const groups: number[][] = [];
  input.active.forEach((_, i) => {
    const home = groups.find((members) => members.every((j) => linked(i, j)));
    if (home === undefined) groups.push([i]);
    else home.push(i);
  });
  return groups
    .filter((members) => members.length > 1)
    .map((members) => {
      const pairs = members.flatMap((i, at) => members.slice(at + 1).map((j) => [i, j] as const));
      return {
        members,
        cosine: Math.min(...pairs.map(([i, j]) => input.cosine[i]![j]!)),
        together: Math.min(...pairs.map(([i, j]) => jaccard(input, i, j))),
      };
    });
}
