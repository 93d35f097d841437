/**
 * The JumpReLU SAE: a = max(0, p) where p = x W + b exceeds the latent's threshold, else 0. The comparison is strict, as in
 * SAELens; p = threshold gives 0.
 */
import { type Linear, preActivations } from './linear.ts';

export interface JumpReluWeights extends Linear {
  /** [N] */
  readonly threshold: Float32Array;
}

/** Activations [T, N] of x [T, d]. */
export function encodeJumpRelu(x: Float32Array, weights: JumpReluWeights): Float32Array {
  const { threshold } = weights;
  const N = threshold.length;
  return preActivations(x, weights).map((p, i) => (p > threshold[i % N]! ? Math.max(0, p) : 0));
}
