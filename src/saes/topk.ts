/**
 * The top-k SAE: of p = x W + b, times the decoder norm where the SAE was trained so, each token keeps its k largest, then
 * max(0, ·).
 *
 * Ties: of equal values the lower latent index is kept. torch.topk leaves open which of equal values it returns, so no
 * rule contradicts it. Equal values at or below zero cannot matter: they give 0 either way.
 */
import { type Linear, preActivations } from './linear.ts';

export interface TopKWeights extends Linear {
  readonly k: number;
  /** [N]: multiplies p before the choice; absent: no factor. */
  readonly rescale?: Float32Array;
}

/** Activations [T, N] of x [T, d]; at most k of a row are positive, the others 0. */
export function encodeTopK(x: Float32Array, weights: TopKWeights): Float32Array {
  const out = preActivations(x, weights);
  const { rescale, k } = weights;
  const N = weights.bias.length;
  if (rescale) for (let i = 0; i < out.length; i++) out[i] = out[i]! * rescale[i % N]!;
  for (let start = 0; start < out.length; start += N) keepLargest(out.subarray(start, start + N), k);
  return out;
}

/** Sets all but the k largest positive values of the row to 0; of equal values keeps the first. */
function keepLargest(row: Float32Array, k: number): void {
  const positive = row.filter((p) => p > 0).sort();
  const least = positive.length > k ? positive[positive.length - k]! : 0;
  let ties = k - positive.reduce((n, p) => n + (p > least ? 1 : 0), 0);
  for (let i = 0; i < row.length; i++) {
    const p = row[i]!;
    if (p > least) continue;
    if (p === least && p > 0 && ties > 0) ties--;
    else row[i] = 0;
  }
}
