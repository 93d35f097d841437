/**
 * The JumpReLU SAE: a = max(0, p) where p = x W + b is above the latent's threshold, else 0. The comparison
 * is strict, as in SAELens: p = threshold gives 0.
 */
import type { SaeKind } from './kind.ts';
import { positive, whereAbove } from './threshold.ts';

export const jumprelu: SaeKind<'b_enc' | 'threshold', never> = {
  name: 'jumprelu',
  weights: { b_enc: ['N'], threshold: ['N'] },
  bias: 'b_enc',
  counts: [],
  separate: true,
  encode: ({ pre, weights }) => positive(whereAbove(weights.threshold, pre, pre)),
};
