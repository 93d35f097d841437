/**
 * The gated SAE: one product serves two paths. a = max(0, (x W) exp(r_mag) + b_mag) where x W + b_gate > 0, else 0.
 */
import { type Linear, preActivations } from './linear.ts';

/** `bias` is b_gate. */
export interface GatedWeights extends Linear {
  /** r_mag [N] */
  readonly logMagnitude: Float32Array;
  /** b_mag [N] */
  readonly magnitudeBias: Float32Array;
}

/** Activations [T, N] of x [T, d]. */
export function encodeGated(x: Float32Array, weights: GatedWeights): Float32Array {
  const { weight, bias, logMagnitude, magnitudeBias } = weights;
  const N = bias.length;
  const product = preActivations(x, { weight, bias: new Float32Array(N) });
  const magnitude = logMagnitude.map(Math.exp);
  return product.map((p, at) => {
    const i = at % N;
    return p + bias[i]! > 0 ? Math.max(0, p * magnitude[i]! + magnitudeBias[i]!) : 0;
  });
}
