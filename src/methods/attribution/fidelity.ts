/**
 * How well an estimate of what removing latents does agrees with removing them (docs/method.md section 3).
 */
import type { EstimateAgreement, FirstOrderFault } from '../../results.ts';
import { rankCorrelation } from '../statistics/rankCorrelation.ts';

/** Effects below it, in nats, are not told from the rounding of losses in float32. */
export const effectResolution = 1e-5;

/** Estimates off by more than this factor are faults. */
const tolerated = 2;

const numberOrNull = (x: number) => (Number.isFinite(x) ? x : null);

/**
 * Spearman's correlation over latents, the share of equal signs, and the slope Σ f e / Σ f² of the exact
 * effects e on the estimates f, through the origin; null where a number is not defined. Throws RangeError for
 * lists of different lengths.
 */
export function estimateAgreement(estimates: readonly number[], exact: readonly number[]): EstimateAgreement {
  const products = estimates.map((f, i) => f * exact[i]!);
  const sum = (values: readonly number[]) => values.reduce((total, x) => total + x, 0);
  return {
    rank_correlation: numberOrNull(rankCorrelation(estimates, exact)),
    sign_agreement: numberOrNull(products.filter((x) => x > 0).length / products.length),
    slope: numberOrNull(sum(products) / sum(estimates.map((f) => f * f))),
  };
}

/**
 * How the first-order effect f is wrong about the exact effect e, both sums over tokens on the same pairs, in
 * nats: `wrong sign`, `too small` (|f| < |e|/2), `too large` (|f| > 2 |e|), or null. One below the resolution has
 * no sign, and counts as that large.
 */
export function firstOrderFault(
  firstOrder: number,
  exact: number,
  resolution = effectResolution,
): FirstOrderFault | null {
  const [f, e] = [Math.abs(firstOrder), Math.abs(exact)];
  if (Math.min(f, e) > resolution && Math.sign(firstOrder) !== Math.sign(exact)) return 'wrong sign';
  if (e > tolerated * Math.max(f, resolution)) return 'too small';
  if (f > tolerated * Math.max(e, resolution)) return 'too large';
  return null;
}
