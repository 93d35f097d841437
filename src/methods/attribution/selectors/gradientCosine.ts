/** By the gradient alone: how far a direction points along it, whatever the activations are. */
import { ranking } from '../attribute.ts';
import type { DecoderRows } from '../score.ts';
import { projections } from '../sign.ts';
import { firstAlive, type Selector, type SelectorEvidence } from './selector.ts';

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

/** |cos(d_i, g)| [N], 0 for a direction of zeros. Throws RangeError where g is zero. */
async function cosines({ dictionary }: SelectorEvidence, gradient: Float32Array): Promise<Float32Array> {
  const norm = Math.sqrt(gradient.reduce((sum, x) => sum + x * x, 0));
  if (!(norm > 0)) throw new RangeError('gradient-cosine: the mean contrastive gradient is zero');
  const unit = gradient.map((x) => x / norm);
  return (await projections(dictionary, unit)).map(Math.abs);
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
