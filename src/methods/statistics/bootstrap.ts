/**
 * Bootstrap intervals of any statistics, resampling groups (prompts) and not the items in them: items of
 * one group are not independent. Knows nothing of what is measured.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { generatorOf } from './random.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** default 2,000 */
  readonly resamples?: number;
  readonly seed: number;
  /** default 0.95 */
  readonly level?: number;
}

/**
 * The value below which a share of the sorted values lies, between neighbours in proportion (numpy's
 * default). NaN for none.
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  if (below === undefined || above === undefined) return Number.NaN;
  return below + (at - Math.floor(at)) * (above - below);
}

/**
 * Percentile intervals of the statistics of all items. Each resample draws as many groups as there are,
 * with replacement; where a statistic is not defined (NaN) on a resample, that one does not count.
 */
export function bootstrap<T, K extends string>(
  groups: readonly (readonly T[])[],
  statistics: (items: readonly T[]) => Readonly<Record<K, number>>,
  { resamples = 2000, seed, level = 0.95 }: BootstrapOptions,
): Record<K, Interval> {
  const random = generatorOf(seed);
  const resample = () => {
    const items: T[] = [];
    for (let draw = 0; draw < groups.length; draw++)
      for (const item of groups[uniformInt(random, 0, groups.length - 1)]!) items.push(item);
    return items;
  };
  const drawn = Array.from({ length: resamples }, () => statistics(resample()));
  const interval = (name: K): Interval => {
    const values = Float64Array.from(
      drawn.map((found) => found[name]).filter((x) => !Number.isNaN(x)),
    ).sort();
    return { low: quantile(values, (1 - level) / 2), high: quantile(values, (1 + level) / 2) };
  };
  const names = Object.keys(statistics(groups.flat())) as K[];
  return Object.fromEntries(names.map((name) => [name, interval(name)])) as Record<K, Interval>;
}
