/**
 * Prompts split into two halves by what they are about, from their mean residuals alone: docs/method.md section 5.
 * Knows neither models nor texts.
 */
import { firstEigenvectors } from './comparisons.ts';

/** Places in a list of prompts. */
export interface TopicHalves {
  readonly one: readonly number[];
  readonly other: readonly number[];
}

/**
 * The halves below and above the median of the first principal component of the means [d], that of the first prompt
 * first; of an odd number the one in the middle is in neither. Undefined for fewer than two prompts, or where all
 * means are equal. `seed` starts the search for the component and decides nothing.
 */
export function topicHalves(means: readonly Float32Array[], seed: number): TopicHalves | undefined {
  const n = means.length;
  if (n < 2) return undefined;
  const d = means[0]!.length;
  const centre = Float64Array.from({ length: d }, (_, i) => means.reduce((sum, x) => sum + x[i]!, 0) / n);
  const rows = means.map((mean) => Float64Array.from(mean, (x, i) => x - centre[i]!));
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const spread = rows.reduce((sum, row) => sum + dot(row, row), 0);
  if (spread === 0) return undefined;
  // scores on the first component are the first eigenvector of the rows' products, up to a factor
  const products = Float32Array.from(
    { length: n * n },
    (_, at) => -dot(rows[Math.floor(at / n)]!, rows[at % n]!) / spread,
  );
  const [scores] = firstEigenvectors(products, 1, seed);
  const order = [...means.keys()].sort((a, b) => scores![a]! - scores![b]! || a - b);
  const [low, high] = [order.slice(0, Math.floor(n / 2)), order.slice(Math.ceil(n / 2))];
  const first = Math.min(...low, ...high);
  return high.includes(first) ? { one: high, other: low } : { one: low, other: high };
}
