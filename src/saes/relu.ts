/**
 * The plain SAE ("standard"): a = max(0, x W + b).
 */
import { type Linear, preActivations } from './linear.ts';

/** Activations [T, N] of x [T, d]. */
export function encodeRelu(x: Float32Array, weights: Linear): Float32Array {
  return preActivations(x, weights).map((p) => Math.max(0, p));
}
