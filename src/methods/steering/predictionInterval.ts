/**
 * The gray zone as a prediction interval: where the effect of one more random direction would lie. Knows no
 * model.
 */
import { bootstrap } from '../statistics/bootstrap.ts';
import { generatorOf } from '../statistics/random.ts';
import { studentQuantile } from '../statistics/studentT.ts';
import type { GrayZone, GrayZoneOptions } from './grayZone.ts';
import type { TestedEffects } from './inference.ts';
import { likeRandom, momentsOf } from './likeRandom.ts';

/** m ± t_{n−1} s √(1 + 1/n). */
function edges(effects: readonly number[], quantile: number): { low: number; high: number } {
  const { mean, deviation, n } = momentsOf(effects);
  const half = quantile * deviation * Math.sqrt(1 + 1 / n);
  return { low: mean - half, high: mean + half };
}

/**
 * Holds the effect of a further random direction in `level` of the cases (of studies, not of directions of this
 * study). Each edge with its 95 % bootstrap interval over the random ones. Throws RangeError for fewer than
 * three effects or one that is not finite.
 */
export function predictionInterval(
  effects: readonly number[],
  { level = 0.95, resamples = 2000, seed }: GrayZoneOptions,
): GrayZone {
  if (effects.length < 3)
    throw new RangeError(`predictionInterval: ${effects.length} effects, expected at least 3`);
  const bad = effects.findIndex((effect) => !Number.isFinite(effect));
  if (bad >= 0)
    throw new RangeError(`predictionInterval: effect ${bad} is ${effects[bad]}, expected a finite number`);
  const quantile = studentQuantile((1 - level) / 2, effects.length - 1);
  const of = (values: readonly number[]) => edges(values, quantile);
  const { low, high } = bootstrap(
    effects.map((effect) => [effect]),
    of,
    { resamples, seed },
  );
  return { ...of(effects), lowInterval: low, highInterval: high };
}

/** Candidates beyond the prediction interval, on the side of a cause. */
export interface Exits {
  /** how many would be if all candidates were like the random ones; whether sampled or not */
  readonly expected: number;
  readonly observed: number;
}

/**
 * Exits from the 95 % prediction interval on each side, and on all sides of the test at once. The expected ones
 * come from draws as in `likeRandom`. Throws RangeError for fewer than three random effects on a side.
 */
export function exitsByChance(
  { sides }: TestedEffects,
  { seed, draws = 999 }: { readonly seed: number; readonly draws?: number },
): { readonly sides: readonly Exits[]; readonly all: Exits } {
  const signed = sides.map(({ sign, random, candidates }) => ({
    random: random.map((effect) => sign * effect),
    candidates: candidates.map((effect) => sign * effect),
  }));
  const few = signed.find(({ random }) => momentsOf(random).n < 3);
  if (few)
    throw new RangeError(`exitsByChance: ${momentsOf(few.random).n} random effects, expected at least 3`);
  const { t, edges: at, beyond } = likeRandom(signed, { draws, random: generatorOf(seed) });
  const candidates = t[0]!.length;
  const out = t.map((side, d) => side.map((value) => value > at[d]!));
  const count = (beyondEdge: readonly boolean[]) => beyondEdge.filter(Boolean).length;
  return {
    sides: out.map((side, d) => ({ expected: candidates * beyond.sides[d]!, observed: count(side) })),
    all: {
      expected: candidates * beyond.all,
      observed: count(out[0]!.map((_, i) => out.every((side) => side[i]!))),
    },
  };
}
