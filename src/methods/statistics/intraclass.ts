/** How alike the values of a group are: the intraclass correlation. Knows nothing of what is measured. */

/**
 * Correlation of two values of one group, by analysis of variance with groups of unequal size (Donner 1986), cut
 * to 0 to 1; NaN for fewer than two groups, none with two values, or values that are all the same.
 */
export function intraclassCorrelation(groups: readonly (readonly number[])[]): number {
  const there = groups.filter((group) => group.length > 0);
  const n = there.reduce((sum, group) => sum + group.length, 0);
  const meanOf = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const mean = meanOf(there.flat());
  let [between, within] = [0, 0];
  for (const group of there) {
    const own = meanOf(group);
    between += group.length * (own - mean) ** 2;
    within += group.reduce((sum, x) => sum + (x - own) ** 2, 0);
  }
  const groupsLess = there.length - 1;
  const size = (n - there.reduce((sum, group) => sum + group.length ** 2, 0) / n) / groupsLess;
  const [a, b] = [between / groupsLess, within / (n - there.length)];
  const found = (a - b) / (a + (size - 1) * b);
  return Math.max(0, Math.min(1, found));
}
