/**
 * Δ-activation, the model-diffing baseline of METHOD.md section 4: for each latent its mean SAE activation on the same prompts, subject minus reference.
 */
import { sequence } from '../models/tree.ts';
import type { Sae } from '../saes/sae.ts';
import { rowNorms, sinkFactor, sinksOf } from './sinks.ts';
import type { SitePass } from './siteGradient.ts';

type Activations = Pick<SitePass, 'activation'>;

/** Mean over the rows of x [T, N] that `keep` names: [N], in float64. */
function meanRows(x: Float32Array, width: number, keep: readonly number[]): Float64Array {
  const mean = new Float64Array(width);
  for (const t of keep) for (let i = 0; i < width; i++) mean[i]! += x[t * width + i]! / keep.length;
  return mean;
}

/**
 * Δ-activation [N] over prompts (token ids each): the mean over a prompt's tokens, then over prompts. Sinks of the subject are left out for both models.
 * Activations count unit decoder directions. Throws RangeError without prompts.
 */
export async function deltaActivation(
  subject: Activations,
  reference: Activations,
  sae: Sae,
  prompts: readonly (readonly number[])[],
  factor = sinkFactor,
): Promise<Float32Array> {
  if (prompts.length === 0) throw new RangeError('deltaActivation: no prompts');
  const delta = new Float64Array(sae.latents);
  for (const ids of prompts) {
    const tree = sequence(ids);
    const a = await subject.activation(tree);
    const sinks = new Set(sinksOf(rowNorms(a, sae.width), [...ids.keys()], factor));
    const keep = [...ids.keys()].filter((t) => !sinks.has(t));
    const mean = async (x: Float32Array) => meanRows((await sae.encode(x)).z, sae.latents, keep);
    const [s, r] = [await mean(a), await mean(await reference.activation(tree))];
    for (let i = 0; i < delta.length; i++) delta[i]! += (s[i]! - r[i]!) / prompts.length;
  }
  return Float32Array.from(delta);
}
