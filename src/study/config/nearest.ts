/** The word that was meant by a word that is not known. Knows no words. */

/**
 * Letters to put in, leave out, change or swap with their neighbour to make `a` of `b` (Damerau and
 * Levenshtein, optimal string alignment).
 */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        rows[i - 1]![j]! + 1,
        row[j - 1]! + 1,
        rows[i - 1]![j - 1]! + (same ? 0 : 1),
        swapped ? rows[i - 2]![j - 2]! + 1 : Number.POSITIVE_INFINITY,
      );
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

const longest = 40;
const plain = (word: string) => word.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/**
 * The known word that differs least from `word`, if it is near: by a third of its letters at most. Case and
 * `_`, `-` do not count.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > longest) return undefined;
  const [best] = known
    .map((other) => ({ other, far: distance(plain(word), plain(other)) }))
    .filter(({ other, far }) => far <= Math.max(1, Math.floor(plain(other).length / 3)))
    .sort((a, b) => a.far - b.far);
  return best?.other;
}
