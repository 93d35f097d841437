/**
 * Random latents to hold candidates against: as frequent as they are, since what steering with a latent
 * does depends on how common it is. Knows neither models nor dictionaries.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { shuffled } from '../statistics/groups.ts';
import { generatorOf } from '../statistics/random.ts';

/** Fewer latents than controls are asked for. */
export class TooFewLatents extends RangeError {
  constructor(
    /** latents that fired and are no candidate; undefined where no candidate fired */
    readonly found: number | undefined,
    message: string,
  ) {
    super(message);
  }
}

/** A control is drawn from this many latents nearest to a candidate. */
const nearest = 20;

/** Latents by rising frequency, with ln of it. */
interface Pool {
  readonly latents: readonly number[];
  readonly logs: Float64Array;
}

/**
 * Latents that fired and are no candidate; equally frequent ones in random order, so that their numbers
 * decide nothing.
 */
function poolOf(frequency: Float32Array, candidates: readonly number[], random: RandomGenerator): Pool {
  const excluded = new Set(candidates);
  const free = [...frequency.keys()].filter((i) => frequency[i]! > 0 && !excluded.has(i));
  const latents = shuffled(free, random).sort((a, b) => frequency[a]! - frequency[b]!);
  return { latents, logs: Float64Array.from(latents, (i) => Math.log(frequency[i]!)) };
}

/** The first place whose value is not below `x`. */
function lowerBound(sorted: Float64Array, x: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The places nearest to `x` that are not taken, at most `nearest` of them. */
function nearestFree({ logs }: Pool, taken: ReadonlySet<number>, x: number): number[] {
  const found: number[] = [];
  let above = lowerBound(logs, x);
  let below = above - 1;
  while (found.length < nearest && (below >= 0 || above < logs.length)) {
    const down = below >= 0 && (above >= logs.length || x - logs[below]! < logs[above]! - x);
    const place = down ? below-- : above++;
    if (!taken.has(place)) found.push(place);
  }
  return found;
}

/**
 * `count` different latents, none of them a candidate or one that never fired, whose distribution of ln
 * frequency is the candidates': candidates are gone through in a seeded order, again and again, and for
 * each one of the 20 free latents nearest to it is drawn. The more controls are asked of a sparse
 * neighbourhood, the further they lie from it. A greater count keeps the first ones. `frequency` [N]: share
 * of tokens at which each latent is active. Throws TooFewLatents where fewer are there than asked, or no
 * candidate fired.
 */
export function matchedControls(
  frequency: Float32Array,
  candidates: readonly number[],
  count: number,
  seed: number,
): number[] {
  const random = generatorOf(seed);
  const matched = shuffled(
    candidates.filter((i) => frequency[i]! > 0),
    random,
  );
  if (matched.length === 0) throw new TooFewLatents(undefined, 'matchedControls: no candidate ever fired');
  const pool = poolOf(frequency, candidates, random);
  if (pool.latents.length < count)
    throw new TooFewLatents(
      pool.latents.length,
      `matchedControls: ${count} controls asked, ${pool.latents.length} latents fired that are no candidate`,
    );
  const taken = new Set<number>();
  while (taken.size < count) {
    const candidate = matched[taken.size % matched.length]!;
    const free = nearestFree(pool, taken, Math.log(frequency[candidate]!));
    taken.add(free[uniformInt(random, 0, free.length - 1)]!);
  }
  return Array.from(taken, (place) => pool.latents[place]!);
}
