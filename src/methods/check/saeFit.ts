/**
 * How well a dictionary fits residuals, and whether it would fit better under another arithmetic: folded
 * norms, input normalisation and input bias as they are, and as they are not. Shapes: R rows, d width, N
 * latents.
 */
import type { Runtime } from '../../runtime/runtime.ts';
import { heldValues, openEncoder } from '../../saes/encoder.ts';
import type { Normalisation } from '../../saes/normalise.ts';
import type { Sae } from '../../saes/sae.ts';

export interface SaeFit {
  /** 1 − Σ(x − x̂)²/Σ(x − mean)² */
  readonly explained: number;
  /** active latents a row */
  readonly l0: number;
  /** x̂ [R, d] */
  readonly reconstruction: Float32Array;
}

/** 1 − Σ(x − x̂)²/Σ(x − mean)² over rows of width d. */
export function explainedVariance(x: Float32Array, reconstruction: Float32Array, d: number): number {
  const mean = meanRow(x, d);
  let [error, spread] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    error += (x[i]! - reconstruction[i]!) ** 2;
    spread += (x[i]! - mean[i % d]!) ** 2;
  }
  return 1 - error / spread;
}

/** Mean of rows [d]. */
export function meanRow(x: Float32Array, d: number): Float64Array {
  const mean = new Float64Array(d);
  for (let i = 0; i < x.length; i++) mean[i % d]! += x[i]!;
  return mean.map((sum) => sum / (x.length / d));
}

/** The fit to each set of rows; the dictionary is opened once, `held` as openEncoder has it. */
export async function fitsOf<K>(
  runtime: Runtime,
  sae: Sae,
  sets: ReadonlyMap<K, Float32Array>,
  held = heldValues,
): Promise<Map<K, SaeFit>> {
  const encoder = await openEncoder(runtime, sae, { reconstruction: true, held });
  const fits = new Map<K, SaeFit>();
  for (const [key, rows] of sets) {
    const { reconstruction, fired } = await encoder.encode(rows);
    const active = fired.reduce((sum, n) => sum + n, 0);
    const explained = explainedVariance(rows, reconstruction!, sae.width);
    fits.set(key, { explained, l0: active / (rows.length / sae.width), reconstruction: reconstruction! });
  }
  await encoder.release();
  return fits;
}

/** The dictionary with its arithmetic changed. */
const changed = (sae: Sae, change: (of: Awaited<ReturnType<Sae['arithmetic']>>) => object): Sae => ({
  ...sae,
  async arithmetic() {
    const own = await sae.arithmetic();
    return { ...own, ...change(own) };
  },
});

/** Activations multiplied by the norms of the published decoder rows once more (+1) or once less (−1). */
export async function refolded(sae: Sae, power: 1 | -1): Promise<Sae> {
  const norms = await sae.decoderNorms();
  const factor = (i: number) => (norms[i]! > 0 ? norms[i]! ** power : 0);
  return changed(sae, ({ fold }) => ({ fold: fold.map((own, i) => own * factor(i)) }));
}

/** Its input normalised otherwise. */
export const normalisedBy = (sae: Sae, normalisation: Normalisation): Sae =>
  changed(sae, () => ({ normalisation }));

/** Its bias subtracted from the input where it is not, and not where it is. */
export const otherInputBias = (sae: Sae): Sae =>
  changed(sae, ({ subtractBias }) => ({ subtractBias: !subtractBias }));

export interface Folding {
  /** greatest |norm of a direction − 1|, over directions that are not zero */
  readonly unit: number;
  /** greatest |factor − norm| / norm: the published norms against what activations are multiplied by */
  readonly folded: number;
  /** greatest |norm − 1| of the published rows */
  readonly published: number;
}

/**
 * Whether the directions are unit vectors and their norms stand in the activations, so that z_i d_i is what
 * the published weights give: the factors are the published norms, or these are in the encoder already.
 */
export async function foldingOf(sae: Sae): Promise<Folding> {
  const [{ fold, rescale }, norms] = [await sae.arithmetic(), await sae.decoderNorms()];
  const { width: d, latents } = sae;
  let [unit, folded, published] = [0, 0, 0];
  const step = Math.max(1, Math.floor((1 << 20) / d));
  for (let from = 0; from < latents; from += step) {
    const rows = await sae.decoderRows(from, Math.min(latents, from + step));
    for (let row = 0; row < rows.length / d; row++) {
      const own = norms[from + row]!;
      if (own === 0) continue;
      const size = Math.sqrt(rows.subarray(row * d, (row + 1) * d).reduce((sum, x) => sum + x * x, 0));
      const factor = fold[from + row]! * (rescale?.[from + row] ?? 1);
      unit = Math.max(unit, Math.abs(size - 1));
      folded = Math.max(folded, Math.abs(factor - own) / own);
      published = Math.max(published, Math.abs(own - 1));
    }
  }
  return { unit, folded, published };
}

/**
 * Share of the rows' variance that the token alone explains, over tokens that stand in the texts twice or
 * more: 1 at the embedding, where nothing of the context has been read. NaN where no token does.
 */
export function tokenShare(ids: readonly number[], rows: Float32Array, d: number): number {
  const places = new Map<number, number[]>();
  for (const [place, id] of ids.entries()) places.set(id, [...(places.get(id) ?? []), place]);
  const often = [...places.values()].filter((found) => found.length > 1);
  const take = (found: readonly number[]) =>
    Float32Array.from(found.flatMap((place) => [...rows.subarray(place * d, (place + 1) * d)]));
  const all = take(often.flat());
  const made = Float32Array.from(
    often.flatMap((found) => {
      const mean = [...meanRow(take(found), d)];
      return found.flatMap(() => mean);
    }),
  );
  return explainedVariance(all, made, d);
}
