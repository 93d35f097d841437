/**
 * The top-k SAE: of p = x W + b, times the decoder norms where the SAE was trained so, each token keeps its k
 * largest, then max(0, ·).
 *
 * Ties: of equal values the lower latent is kept. torch.topk leaves open which of equal values it returns, so
 * no rule contradicts it. Equal values at or below zero cannot matter: they give 0 either way.
 */
import { put, take, topIndices } from '../../graph/build.ts';
import type { SaeKind } from './kind.ts';
import { positive } from './threshold.ts';

export const topk: SaeKind<'b_enc', 'k'> = {
  name: 'topk',
  weights: { b_enc: ['N'] },
  bias: 'b_enc',
  counts: ['k'],
  keeps: 'k',
  encode({ pre, latents, counts }) {
    const places = topIndices(pre, counts.k);
    return put(positive(take(pre, places)), places, latents);
  },
};
