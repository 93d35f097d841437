/**
 * Texts that say almost the same: those whose shingles overlap. Shingles are runs of five words, or of five
 * characters for texts of fewer than twelve words; case, punctuation and spaces do not count. The similarity is
 * Jaccard's, |A ∩ B| / |A ∪ B| (Broder 1997).
 */

export interface NearDuplicate {
  /** places in the two lists */
  readonly a: number;
  readonly b: number;
  /** 0 to 1; 1 for texts that differ in case, punctuation and spaces at most */
  readonly similarity: number;
}

const run = 5;
const fewWords = 12;

/** What counts of a text: its words, small, with one space between. */
const plain = (text: string) =>
  (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  ).join(' ');

function shinglesOf(text: string): Set<string> {
  const words = plain(text).split(' ');
  const units = words.length < fewWords ? [...words.join(' ')] : words;
  const between = words.length < fewWords ? '' : ' ';
  if (units.length <= run) return new Set([units.join(between)]);
  return new Set(
    Array.from({ length: units.length - run + 1 }, (_, i) => units.slice(i, i + run).join(between)),
  );
}

/** Pairs of a text of `a` and one of `b` that are at least so similar, the most similar first. */
export function nearDuplicates(a: readonly string[], b: readonly string[], least = 0.8): NearDuplicate[] {
  const sets = b.map(shinglesOf);
  const holders = new Map<string, number[]>();
  for (const [i, set] of sets.entries())
    for (const shingle of set) holders.set(shingle, [...(holders.get(shingle) ?? []), i]);
  const found = a.flatMap((text, i): NearDuplicate[] => {
    const own = shinglesOf(text);
    const shared = new Map<number, number>();
    for (const shingle of own)
      for (const j of holders.get(shingle) ?? []) shared.set(j, (shared.get(j) ?? 0) + 1);
    return [...shared].flatMap(([j, both]) => {
      const similarity = both / (own.size + sets[j]!.size - both);
      return similarity >= least ? [{ a: i, b: j, similarity }] : [];
    });
  });
  return found.sort((x, y) => y.similarity - x.similarity);
}
