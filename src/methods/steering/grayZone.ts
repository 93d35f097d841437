/** The gray zone of docs/method.md section 5: the range of effects that random latents have. Knows no model. */
import { type Interval, quantile } from '../statistics/bootstrap.ts';

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
