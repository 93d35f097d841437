/**
 * The gated SAE: one product serves two paths. a = max(0, (x W) exp(r_mag) + b_mag) where x W + b_gate > 0,
 * else 0.
 */
import { add, exp, mul, scalar } from '../../graph/build.ts';
import type { SaeKind } from './kind.ts';
import { positive, whereAbove } from './threshold.ts';

export const gated: SaeKind<'b_gate' | 'b_mag' | 'r_mag', never> = {
  name: 'gated',
  weights: { b_gate: ['N'], b_mag: ['N'], r_mag: ['N'] },
  bias: 'b_gate',
  counts: [],
  separate: true,
  encode({ product, pre, weights }) {
    const magnitude = add(mul(product, exp(weights.r_mag)), weights.b_mag);
    return whereAbove(scalar(0), pre, positive(magnitude));
  },
};
