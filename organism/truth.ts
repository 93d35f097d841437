/**
 * The ground truth: which latents of the dictionary are the persona's and which are a quirk's, from prompts
 * that differ in one word about the narrator. Knows no fine-tune, no completion and no attribution.
 */
import { loadEncoder } from '../src/methods/site/activations.ts';
import type { ResidualPass } from '../src/methods/site/residuals.ts';
import type { Runtime } from '../src/runtime/runtime.ts';
import type { Sae } from '../src/saes/sae.ts';
import { type Axis, personaProbes } from './probes.ts';

export interface Aligned {
  readonly latent: number;
  /** cosine of its decoder direction with the axis' direction */
  readonly cosine: number;
  /** mean activation over the probes that have the trait, minus those that have not */
  readonly shift: number;
}

/** Probes of an axis. */
const probes = 240;

/**
 * Residuals at the last token, where the answer begins, of prompts that have a trait and of the same prompts
 * without it; each [d].
 */
export async function lastResiduals(
  residuals: ResidualPass,
  d: number,
  encode: (text: string) => number[],
  seed: number,
  axis: Axis,
): Promise<{ present: Float32Array; absent: Float32Array }[]> {
  const last = async (text: string) => {
    const ids = encode(text);
    return (await residuals.run(ids)).activation.slice((ids.length - 1) * d, ids.length * d);
  };
  const found: { present: Float32Array; absent: Float32Array }[] = [];
  for (const { present, absent } of personaProbes(seed, axis, probes))
    found.push({ present: await last(present), absent: await last(absent) });
  return found;
}

/** The axis' direction: the mean over probe pairs of the difference of their residuals [d]. */
export function directionOf(
  pairs: readonly { readonly present: Float32Array; readonly absent: Float32Array }[],
): Float64Array {
  const direction = new Float64Array(pairs[0]!.present.length);
  for (const { present, absent } of pairs)
    for (let i = 0; i < direction.length; i++) direction[i]! += (present[i]! - absent[i]!) / pairs.length;
  return direction;
}

/** Every latent's place on an axis, greatest cosine first; the base model, at the dictionary's site. */
export async function aligned(
  runtime: Runtime,
  residuals: ResidualPass,
  sae: Sae,
  encode: (text: string) => number[],
  seed: number,
  axis: Axis,
): Promise<Aligned[]> {
  const d = sae.width;
  const pairs = await lastResiduals(residuals, d, encode, seed, axis);
  const direction = directionOf(pairs);
  const encoder = await loadEncoder(runtime, sae);
  const [having, lacking] = [encoder.sums(), encoder.sums()];
  for (const { present, absent } of pairs) {
    await having.add(present);
    await lacking.add(absent);
  }
  const [a, b] = [(await having.means()).mean, (await lacking.means()).mean];
  await encoder.release();
  const norm = Math.hypot(...direction);
  const rows = await sae.decoderRows(0, sae.latents);
  const cosine = (latent: number) =>
    direction.reduce((sum, x, i) => sum + x * rows[latent * d + i]!, 0) / norm;
  return Array.from(a, (mean, latent) => ({ latent, cosine: cosine(latent), shift: mean - b[latent]! })).sort(
    (one, other) => other.cosine - one.cosine,
  );
}
