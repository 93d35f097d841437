/**
 * The ground truth: which latents of the dictionary are the persona's and which are a quirk's, from prompts that differ in one word
 * about the narrator. Knows no fine-tune, no completion and no attribution.
 */
import type { ResidualPass } from '../src/methods/residuals.ts';
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
 * Every latent's place on an axis, greatest cosine first. The axis' direction: the mean over probe pairs of the difference of the residuals at the last
 * token, where the answer begins; the base model, at the dictionary's site.
 */
export async function aligned(
  residuals: ResidualPass,
  sae: Sae,
  encode: (text: string) => number[],
  seed: number,
  axis: Axis,
): Promise<Aligned[]> {
  const d = sae.width;
  const last = async (text: string) => {
    const ids = encode(text);
    return (await residuals.run(ids)).activation.slice((ids.length - 1) * d, ids.length * d);
  };
  const direction = new Float64Array(d);
  const shift = new Float64Array(sae.latents);
  const pairs = personaProbes(seed, axis, probes);
  for (const { present, absent } of pairs) {
    const [with_, without] = [await last(present), await last(absent)];
    for (let i = 0; i < d; i++) direction[i]! += (with_[i]! - without[i]!) / pairs.length;
    const [a, b] = [(await sae.encode(with_)).z, (await sae.encode(without)).z];
    for (let i = 0; i < shift.length; i++) shift[i]! += (a[i]! - b[i]!) / pairs.length;
  }
  const norm = Math.hypot(...direction);
  const rows = await sae.decoderRows(0, sae.latents);
  const cosine = (latent: number) =>
    direction.reduce((sum, x, i) => sum + x * rows[latent * d + i]!, 0) / norm;
  return Array.from(shift, (s, latent) => ({ latent, cosine: cosine(latent), shift: s })).sort(
    (a, b) => b.cosine - a.cosine,
  );
}
