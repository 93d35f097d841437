/**
 * Δ-activation, the model-diffing comparison of docs/method.md section 4: for each latent its mean SAE activation
 * on the same prompts, subject minus reference.
 */
import { sequence } from '../../models/tree.ts';
import type { Encoder } from '../site/activations.ts';
import { rowsAt } from '../site/residuals.ts';
import { rowNorms, sinkFactor, sinksOf } from '../site/sinks.ts';
import type { SitePass } from '../site/siteGradient.ts';

type Activations = Pick<SitePass, 'activation'>;

/**
 * Δ-activation [N] over prompts (token ids each): the mean over a prompt's tokens, then over prompts. Sinks
 * of the subject are left out for both models. Activations count unit decoder directions. Throws RangeError
 * without prompts.
 */
export async function deltaActivation(
  subject: Activations,
  reference: Activations,
  encoder: Pick<Encoder, 'width' | 'latents' | 'sums'>,
  prompts: readonly (readonly number[])[],
  factor = sinkFactor,
): Promise<Float32Array> {
  if (prompts.length === 0) throw new RangeError('deltaActivation: no prompts');
  const { width, latents } = encoder;
  const delta = new Float64Array(latents);
  for (const ids of prompts) {
    const tree = sequence(ids);
    const places = [...ids.keys()];
    const a = await subject.activation(tree);
    const sinks = new Set(sinksOf(rowNorms(a, width), places, factor));
    const kept = places.filter((t) => !sinks.has(t));
    const mean = async (x: Float32Array) => {
      const sums = encoder.sums();
      await sums.add(rowsAt(x, width, kept));
      return sums.means().mean;
    };
    const [s, r] = [await mean(a), await mean(await reference.activation(tree))];
    for (let i = 0; i < latents; i++) delta[i]! += (s[i]! - r[i]!) / prompts.length;
  }
  return Float32Array.from(delta);
}
