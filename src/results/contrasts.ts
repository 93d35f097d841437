/** What was compared as one: a pair by itself, or all pairs of a prompt together. */
import type { PairRecord } from './completions.ts';

type Part = Pick<PairRecord, 'id' | 'prompt_id' | 'contrast'>;

/** The contrast that a pair is part of; files of before say it by what their tokens and pages name. */
function contrastOf({ id, prompt_id, contrast }: Part, named: ReadonlySet<string>): string {
  return contrast ?? (!named.has(id) && named.has(prompt_id) ? prompt_id : id);
}

/**
 * Pairs by contrast, in their order.
 * @param named contrasts that other files of the study name
 */
export function byContrast<P extends Part>(
  pairs: readonly P[],
  named: ReadonlySet<string>,
): Map<string, readonly P[]> {
  const contrasts = new Map<string, P[]>();
  for (const pair of pairs) {
    const name = contrastOf(pair, named);
    const own = contrasts.get(name);
    if (own) own.push(pair);
    else contrasts.set(name, [pair]);
  }
  return contrasts;
}
