/**
 * Exact mean ablation (docs/method.md section 3): what the first-order estimate stands for, by running the model
 * with a latent's direction set to the baseline's. One forward above the site for each latent and contrast.
 */
import { type Contrast, type ContrastOptions, placesOfSet } from '../site/contrast.ts';
import { type ForcedPass, logOddsChange, type ResidualChange, unchanged } from '../steering/forced.ts';
import { type Dictionary, directionsOf } from './score.ts';

/** Tokens and baseline as for the first-order estimate; a completion's loss is its mean. */
export type ExactOptions = Pick<ContrastOptions, 'baseline' | 'tokenSet' | 'sinkFactor'>;

/**
 * Shapes: K latents, P contrasts. Nats a token of a completion; positive: removing the latent raises the
 * positives' loss more than the negatives'.
 */
export interface ExactEffects {
  /** mean over contrasts of ΔL⁺ − ΔL⁻ [K] */
  readonly contrast: Float32Array;
  /** each contrast's own [K, P] */
  readonly perContrast: Float32Array;
}

/**
 * Replaces the projection of the rows at `places` on the unit direction d by the baseline's: a_t ← a_t −
 * ((a_t − ā)·d) d. Baseline and direction [d].
 */
export function meanAblation(
  direction: Float32Array,
  baseline: Float32Array,
  places: readonly number[],
): ResidualChange {
  const d = direction.length;
  return (activation) => {
    for (const place of places) {
      const row = activation.subarray(place * d, (place + 1) * d);
      let excess = 0;
      for (let i = 0; i < d; i++) excess += (row[i]! - baseline[i]!) * direction[i]!;
      for (let i = 0; i < d; i++) row[i] = row[i]! - excess * direction[i]!;
    }
    return activation;
  };
}

/** ΔL⁺ − ΔL⁻ of one contrast for each direction of [K, d]. */
async function effectsOn(
  pass: ForcedPass,
  contrast: Contrast,
  directions: Float32Array,
  { baseline, tokenSet, sinkFactor }: ExactOptions,
): Promise<number[]> {
  const d = baseline.length;
  const prepared = await pass.prepare(contrast, sinkFactor);
  const { tree, sinks } = prepared;
  const { prompt, branches } = placesOfSet(contrast.id, tree, sinks, tokenSet ?? 'prompt');
  const places = [...prompt, ...branches.flat()];
  const before = await pass.losses(prepared, unchanged);
  const effects: number[] = [];
  for (let from = 0; from < directions.length; from += d) {
    const ablated = meanAblation(directions.subarray(from, from + d), baseline, places);
    effects.push(-logOddsChange(before, await pass.losses(prepared, ablated), contrast));
  }
  return effects;
}

/**
 * Exact effect of each latent: its projection replaced on all tokens of the set at once, so that the
 * first-order counterpart is the sum over tokens, not the mean. `onContrast` is told of each contrast done.
 * Throws RangeError without contrasts.
 */
export async function exactEffects(
  pass: ForcedPass,
  contrasts: readonly Contrast[],
  dictionary: Dictionary,
  latents: readonly number[],
  options: ExactOptions,
  onContrast: () => void = () => {},
): Promise<ExactEffects> {
  if (contrasts.length === 0) throw new RangeError('exactEffects: no contrasts');
  const directions = await directionsOf(dictionary, latents);
  const count = contrasts.length;
  const perContrast = new Float32Array(latents.length * count);
  const sums = new Float64Array(latents.length);
  for (const [p, contrast] of contrasts.entries()) {
    const effects = await effectsOn(pass, contrast, directions, options);
    effects.forEach((effect, k) => {
      perContrast[k * count + p] = effect;
      sums[k]! += effect;
    });
    onContrast();
  }
  return { contrast: Float32Array.from(sums, (sum) => sum / count), perContrast };
}
