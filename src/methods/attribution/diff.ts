/**
 * Δ-activation, the model-diffing comparison of docs/method.md section 4: for each latent its mean SAE activation
 * on the same prompts, subject minus reference.
 */
import { sequence } from '../../models/tree.ts';
import type { ActivationSums, Encoder } from '../site/activations.ts';
import { rowsAt } from '../site/residuals.ts';
import { rowNorms, sinkFactor, sinksOf } from '../site/sinks.ts';
import type { SitePass } from '../site/siteGradient.ts';

type Activations = Pick<SitePass, 'activation'>;

/**
 * Δ-activation [N] over prompts (token ids each): the mean over a prompt's tokens, then over prompts. Sinks
 * of the subject are left out for both models. Activations count unit decoder directions. Throws RangeError
 * without prompts, or for one of sinks alone.
 */
export async function deltaActivation(
  subject: Activations,
  reference: Activations,
  encoder: Pick<Encoder, 'width'> & { sums(): Pick<ActivationSums, 'add' | 'total'> },
  prompts: readonly (readonly number[])[],
  factor = sinkFactor,
): Promise<Float32Array> {
  if (prompts.length === 0) throw new RangeError('deltaActivation: no prompts');
  const { width } = encoder;
  const sums = encoder.sums();
  for (const ids of prompts) {
    const tree = sequence(ids);
    const places = [...ids.keys()];
    const a = await subject.activation(tree);
    const sinks = new Set(sinksOf(rowNorms(a, width), places, factor));
    const kept = places.filter((t) => !sinks.has(t));
    if (kept.length === 0) throw new RangeError('deltaActivation: a prompt of sinks alone');
    const share = 1 / (kept.length * prompts.length);
    await sums.add(rowsAt(a, width, kept), share);
    await sums.add(rowsAt(await reference.activation(tree), width, kept), -share);
  }
  return new Float32Array(await sums.total());
}
