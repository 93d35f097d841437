/** By the gradient alone: how far a direction points along it, whatever the activations are. */
import { ranking } from '../attribute.ts';
import type { DecoderRows } from '../score.ts';
import { firstAlive, type Selector, type SelectorEvidence } from './selector.ts';

/** Decoder values read at once: 4 MiB. */
const chunkValues = 1 << 20;

/**
 * Mean over contrasts of Σ_t ĝ_t [d]. Times v: by how much adding v to the tokens of the set raises the
 * positives' loss over the negatives', over the number of tokens, to first order. Throws RangeError without
 * contrasts.
 */
export function meanContrastiveGradient(
  contrasts: readonly Pick<DecoderRows, 'gradient'>[],
  d: number,
): Float32Array {
  if (contrasts.length === 0) throw new RangeError('meanContrastiveGradient: no contrasts');
  const sum = new Float64Array(d);
  for (const { gradient } of contrasts)
    gradient.forEach((x, at) => {
      sum[at % d]! += x;
    });
  return Float32Array.from(sum, (x) => x / contrasts.length);
}

/** |d_i · ĝ| [n] of unit rows [n, d] and a unit vector [d]. */
function alignments(rows: Float32Array, unit: Float32Array): Float32Array {
  const d = unit.length;
  return Float32Array.from({ length: rows.length / d }, (_, i) => {
    let dot = 0;
    for (let j = 0; j < d; j++) dot += rows[i * d + j]! * unit[j]!;
    return Math.abs(dot);
  });
}

/**
 * |cos(d_i, g)| [N]: the decoder in chunks, 0 for a direction of zeros. Throws RangeError where g is zero.
 */
async function cosines(
  { dictionary, latents }: SelectorEvidence,
  gradient: Float32Array,
): Promise<Float32Array> {
  const norm = Math.sqrt(gradient.reduce((sum, x) => sum + x * x, 0));
  if (!(norm > 0)) throw new RangeError('gradient-cosine: the mean contrastive gradient is zero');
  const unit = gradient.map((x) => x / norm);
  const step = Math.max(1, Math.floor(chunkValues / unit.length));
  const out = new Float32Array(latents);
  for (let from = 0; from < latents; from += step) {
    const rows = await dictionary.decoderRows(from, Math.min(from + step, latents));
    out.set(alignments(rows, unit), from);
  }
  return out;
}

/**
 * Greatest |cos(d_i, mean contrastive gradient)| first; its sign is left out, as the activation's decides
 * with it which way a latent works.
 */
export const gradientCosine: Selector<'gradient-cosine'> = {
  name: 'gradient-cosine',
  about: 'how far the decoder direction points along the mean contrastive gradient, either way',
  async select(evidence, count) {
    const scores = await cosines(evidence, await evidence.gradient());
    return firstAlive(ranking(scores), evidence, count);
  },
};
