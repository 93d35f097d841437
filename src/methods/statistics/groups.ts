/** Items by group, and items in random order. Knows nothing of what they are. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { generatorOf } from './random.ts';

/** The items of each group, groups and items in the order of their first appearance. */
export function grouped<T>(items: Iterable<T>, groupOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const own = groups.get(groupOf(item));
    if (own === undefined) groups.set(groupOf(item), [item]);
    else own.push(item);
  }
  return groups;
}

/** A copy in random order (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], random: RandomGenerator): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}

/** A `share` of the different names, at least one, drawn by the seed. */
export function drawGroups(names: Iterable<string>, share: number, seed: number): Set<string> {
  const all = [...new Set(names)];
  return new Set(shuffled(all, generatorOf(seed)).slice(0, Math.max(1, Math.round(share * all.length))));
}

/** A copy in which the items of each group have changed places among themselves at random. */
export function shuffledWithin<T>(items: readonly T[], groupOf: (item: T) => string, seed: number): T[] {
  const random = generatorOf(seed);
  const turns = [...grouped(items, groupOf)].map(([name, own]) => [name, shuffled(own, random)] as const);
  const left = new Map(turns);
  return items.map((item) => left.get(groupOf(item))!.shift()!);
}
