/**
 * The gray zone of docs/method.md section 5: the range of effects that random latents have, within which an
 * effect is noise. Knows no model.
 */
import { bootstrap, type Interval, quantile } from '../statistics/bootstrap.ts';

export interface GrayZone extends Interval {
  /** where the low edge may lie, and the high one: 95 % bootstrap intervals over the latents */
  readonly lowInterval: Interval;
  readonly highInterval: Interval;
}

export interface GrayZoneOptions {
  /** share of random latents within the zone; default 0.95 */
  readonly level?: number;
  /** default 2,000 */
  readonly resamples?: number;
  readonly seed: number;
}

/** The range of the central share of some values. */
export function centralRange(values: readonly number[], share: number): { low: number; high: number } {
  const sorted = Float64Array.from(values).sort();
  return { low: quantile(sorted, (1 - share) / 2), high: quantile(sorted, (1 + share) / 2) };
}

/**
 * The central `level` of the effects of random latents, one effect each, in whatever unit they have. A few
 * latents tell the edges badly: of 50 the 2.5 % quantile lies between the second and the third smallest
 * value, a quarter of the way, so that one latent more or less moves it; and no bootstrap interval reaches
 * beyond the most extreme latent seen, though the edge may. Throws RangeError without effects or where one
 * is not finite.
 */
export function grayZone(
  effects: readonly number[],
  { level = 0.95, resamples = 2000, seed }: GrayZoneOptions,
): GrayZone {
  if (effects.length === 0) throw new RangeError('grayZone: no effects');
  const bad = effects.findIndex((effect) => !Number.isFinite(effect));
  if (bad >= 0) throw new RangeError(`grayZone: effect ${bad} is ${effects[bad]}, expected a finite number`);
  const edges = (values: readonly number[]) => centralRange(values, level);
  const each = effects.map((effect) => [effect]);
  const intervals = bootstrap(each, edges, { resamples, seed });
  return { ...edges(effects), lowInterval: intervals.low, highInterval: intervals.high };
}
