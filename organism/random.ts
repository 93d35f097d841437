/**
 * Randomness from a seed and a name: xoroshiro128+ (pure-rand) whose state is the SHA-256 of both, so that
 * two streams of different names are independent and a stream does not depend on what another drew. Knows
 * nothing of what is drawn.
 */
import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

export interface Random {
  /** Uniform integer in [0, n). Throws RangeError unless n is a positive integer. */
  int(n: number): number;
  /** True with probability p. */
  chance(p: number): boolean;
  /** One of `items`, all as likely. Throws RangeError where there is none. */
  choice<T>(items: readonly T[]): T;
  /**
   * A key of `weights` with probability in proportion to its weight. Throws RangeError where they sum to
   * nothing.
   */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K;
  /** A copy of `items` in random order. */
  shuffled<T>(items: readonly T[]): T[];
  /** The stream called `name` below this one; the same however much was drawn from this one. */
  stream(name: string): Random;
}

/** The stream called `name` of `seed`. */
export function randomStream(seed: number, name: string): Random {
  return fromPath(`${seed}/${name}`);
}

function fromPath(path: string): Random {
  const hash = createHash('sha256').update(path).digest();
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => hash.readInt32LE(at)));
  const int = (n: number) => {
    if (!Number.isInteger(n) || n < 1)
      throw new RangeError(`random: expected a positive integer, found ${n}`);
    return uniformInt(generator, 0, n - 1);
  };
  return {
    int,
    chance: (p) => uniformFloat64(generator) < p,
    choice: (items) => items[int(items.length)]!,
    weighted(weights) {
      const entries = Object.entries<number>(weights) as [keyof typeof weights, number][];
      const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
      if (!(total > 0)) throw new RangeError(`random: expected a positive sum of weights, found ${total}`);
      let left = uniformFloat64(generator) * total;
      for (const [key, weight] of entries) {
        left -= weight;
        if (left < 0) return key;
      }
      return entries.findLast(([, weight]) => weight > 0)![0];
    },
    shuffled(items) {
      const copy = [...items];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = int(i + 1);
        [copy[i], copy[j]] = [copy[j]!, copy[i]!];
      }
      return copy;
    },
    stream: (name) => fromPath(`${path}/${name}`),
  };
}
