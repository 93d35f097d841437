/**
 * The gray zone of docs/method.md section 5: where the effect of one more random latent is expected, and how many
 * candidates would lie beyond its edge by chance. Knows no model.
 */
import { bootstrap, type Interval } from '../statistics/bootstrap.ts';
import { studentQuantile } from '../statistics/studentT.ts';

export interface PredictionZone extends Interval {
  /** where the low edge may lie, and the high one: 95 % bootstrap intervals over the latents */
  readonly lowInterval: Interval;
  readonly highInterval: Interval;
  readonly mean: number;
  /** sample standard deviation of the effects */
  readonly deviation: number;
}

/** Share of further random latents beyond each edge. */
export const beyondEdge = 0.025;

type Edges = Interval & Pick<PredictionZone, 'mean' | 'deviation'>;

function edges(effects: readonly number[], quantile: number): Edges {
  const n = effects.length;
  const mean = effects.reduce((sum, x) => sum + x, 0) / n;
  const deviation = Math.sqrt(effects.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1));
  const half = quantile * deviation * Math.sqrt(1 + 1 / n);
  return { low: mean - half, high: mean + half, mean, deviation };
}

/**
 * The 95 % prediction interval m ± t_{n−1, .975} r √(1 + 1/n) of one more effect, m and r being mean and standard
 * deviation of the n effects. A further latent like them lies beyond each edge with probability 2.5 %, where the
 * effects are normal. Throws RangeError for fewer than two effects, or where one is not finite.
 */
export function predictionZone(effects: readonly number[], seed: number): PredictionZone {
  if (effects.length < 2) throw new RangeError(`predictionZone: ${effects.length} effects, expected two`);
  const bad = effects.findIndex((effect) => !Number.isFinite(effect));
  if (bad >= 0)
    throw new RangeError(`predictionZone: effect ${bad} is ${effects[bad]}, expected a finite number`);
  const quantile = studentQuantile(beyondEdge, effects.length - 1);
  const each = effects.map((effect) => [effect]);
  const { low, high } = bootstrap(each, (drawn) => ({ ...edges(drawn, quantile) }), { seed });
  return { ...edges(effects, quantile), lowInterval: low, highInterval: high };
}
