/** Every kind's encoder in plain TypeScript: products and sums in float64, rounded to float32 once. */
import type { SaeArithmetic } from '../../../src/saes/arithmetic.ts';

export interface WithEncoder extends SaeArithmetic {
  /** W_enc [d, N] */
  readonly encoder: Float32Array;
}

/** Activations [T, N] of x [T, d], of decoder rows as published. */
export type Encoder = (x: Float32Array, numbers: WithEncoder) => Float32Array;

export const encoders: Readonly<Record<string, Encoder>> = {
  relu: (x, numbers) => product(x, numbers, bias(numbers)).map((p) => Math.max(0, p)),
  topk(x, numbers) {
    const out = product(x, numbers, bias(numbers));
    const N = numbers.fold.length;
    const { rescale } = numbers;
    if (rescale) for (let i = 0; i < out.length; i++) out[i] = out[i]! * rescale[i % N]!;
    for (let start = 0; start < out.length; start += N)
      keepLargest(out.subarray(start, start + N), numbers.counts.k!);
    return out;
  },
  jumprelu(x, numbers) {
    const threshold = numbers.weights.threshold!;
    const N = threshold.length;
    return product(x, numbers, bias(numbers)).map((p, i) => (p > threshold[i % N]! ? Math.max(0, p) : 0));
  },
  gated(x, numbers) {
    const { b_gate, b_mag, r_mag } = numbers.weights;
    const N = b_gate!.length;
    const magnitude = r_mag!.map(Math.exp);
    return product(x, numbers, new Float32Array(N)).map((p, at) => {
      const i = at % N;
      return p + b_gate![i]! > 0 ? Math.max(0, p * magnitude[i]! + b_mag![i]!) : 0;
    });
  },
};

const bias = ({ weights }: WithEncoder) => weights.b_enc!;

/** x W_enc + added: x [T, d] to [T, N]. */
function product(x: Float32Array, { encoder }: WithEncoder, added: Float32Array): Float32Array {
  const N = added.length;
  const d = encoder.length / N;
  const out = new Float32Array((x.length / d) * N);
  const sum = new Float64Array(N);
  for (let t = 0; t < x.length / d; t++) {
    sum.set(added);
    for (let j = 0; j < d; j++)
      for (let i = 0; i < N; i++) sum[i] = sum[i]! + x[t * d + j]! * encoder[j * N + i]!;
    out.set(sum, t * N);
  }
  return out;
}

/** Sets all but the k largest positive values of the row to 0; of equal values keeps the first. */
function keepLargest(row: Float32Array, k: number): void {
  const kept = row.filter((p) => p > 0).sort();
  const least = kept.length > k ? kept[kept.length - k]! : 0;
  let ties = k - kept.reduce((n, p) => n + (p > least ? 1 : 0), 0);
  for (let i = 0; i < row.length; i++) {
    const p = row[i]!;
    if (p > least) continue;
    if (p === least && p > 0 && ties > 0) ties--;
    else row[i] = 0;
  }
}
