/**
 * The affine map all encoders begin with. Plain JavaScript, the reference that faster versions are compared with.
 */

/** An encoder's affine map. `weight` [d, N], `bias` [N]. */
export interface Linear {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** x W + b: x [T, d] to [T, N]. Products and sums in float64, rounded to float32 once. */
export function preActivations(x: Float32Array, { weight, bias }: Linear): Float32Array {
  const N = bias.length;
  const d = weight.length / N;
  const T = x.length / d;
  const out = new Float32Array(T * N);
  const sum = new Float64Array(N);
  for (let t = 0; t < T; t++) {
    sum.set(bias);
    for (let j = 0; j < d; j++) addScaled(sum, weight, j * N, x[t * d + j]!);
    out.set(sum, t * N);
  }
  return out;
}

/** sum += factor · values[offset .. offset + sum.length] */
function addScaled(sum: Float64Array, values: Float32Array, offset: number, factor: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + factor * values[offset + i]!;
}
