/** A stratified random sample: so many of each kind, none of them by choice. Knows nothing of what is drawn. */
import { grouped, shuffled } from '../statistics/groups.ts';
import { generatorOf } from '../statistics/random.ts';

export interface StratifiedOptions<T> {
  readonly stratumOf: (item: T) => string;
  /** how many a stratum gets, in proportion to other strata that have enough; above 0 */
  readonly weightOf: (stratum: string) => number;
  /** of all that are drawn together */
  readonly count: number;
  readonly seed: number;
}

/** One by one, to the stratum that is furthest behind its weight and has items left. */
function allocated(
  sizes: ReadonlyMap<string, number>,
  weightOf: (stratum: string) => number,
  count: number,
): Map<string, number> {
  const drawn = new Map([...sizes.keys()].map((name) => [name, 0]));
  for (let n = 0; n < count; n++) {
    const open = [...sizes].filter(([name, size]) => drawn.get(name)! < size).map(([name]) => name);
    if (open.length === 0) break;
    const behind = (name: string) => (drawn.get(name)! + 1) / weightOf(name);
    const next = open.reduce((best, name) => (behind(name) < behind(best) ? name : best));
    drawn.set(next, drawn.get(next)! + 1);
  }
  return drawn;
}

/**
 * Items in random order: of each stratum a simple random sample without replacement, of a size in proportion
 * to its weight, or the whole stratum where it is smaller; what it lacks the others get. Fewer than `count`
 * only where there are fewer items. The order of `items` and the seed decide all of it.
 */
export function drawStratified<T>(items: readonly T[], options: StratifiedOptions<T>): T[] {
  const { stratumOf, weightOf, count, seed } = options;
  const random = generatorOf(seed);
  const strata = grouped(items, stratumOf);
  const sizes = new Map([...strata].map(([name, own]) => [name, own.length]));
  const counts = allocated(sizes, weightOf, count);
  const drawn = [...strata].flatMap(([name, own]) => shuffled(own, random).slice(0, counts.get(name)));
  return shuffled(drawn, random);
}
