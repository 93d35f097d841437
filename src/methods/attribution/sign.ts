/** Which way a latent acts: docs/method.md section 2. */
import { ranges, readAhead, type Span } from '../../saes/readAhead.ts';
import type { Dictionary } from './score.ts';

/** Decoder values read at once: 4 MiB. */
const chunkValues = 1 << 20;

/** d_i · v [N] of every latent of a dictionary, the decoder in chunks; v: [d]. */
export async function projections(dictionary: Dictionary, vector: ArrayLike<number>): Promise<Float32Array> {
  const { width: d, latents } = dictionary;
  const step = Math.max(1, Math.floor(chunkValues / d));
  const out = new Float32Array(latents);
  const read = ([from, to]: Span) => dictionary.decoderRows(from, to);
  for await (const [[from, to], rows] of readAhead(ranges(latents, step), read)) {
    for (let i = 0; i < to - from; i++) {
      let dot = 0;
      for (let j = 0; j < d; j++) dot += rows[i * d + j]! * vector[j]!;
      out[from + i] = dot;
    }
  }
  return out;
}

/** −sign of g·d, +1 where that is exactly 0. */
const signOfProjection = (along: number): 1 | -1 => (along > 0 ? -1 : 1);

/** σ of one vector [d], as `signsOf` of a latent. */
export function signAlong(gradient: ArrayLike<number>, vector: ArrayLike<number>): 1 | -1 {
  let along = 0;
  for (let i = 0; i < vector.length; i++) along += gradient[i]! * vector[i]!;
  return signOfProjection(along);
}

/**
 * σ_i = −sign(g·d_i) [N], g [d] the mean contrastive gradient over the token set: adding σ_i d_i there makes
 * the positives likelier and the negatives less so, to first order. −1: a latent that acts through its
 * absence. A direction along which the gradient is exactly 0, such as one of zeros, has +1.
 */
export async function signsOf(dictionary: Dictionary, gradient: ArrayLike<number>): Promise<Int8Array> {
  return Int8Array.from(await projections(dictionary, gradient), signOfProjection);
}
