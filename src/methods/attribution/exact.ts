/**
 * Exact mean ablation (docs/method.md section 3): what the first-order estimate stands for, by running the model
 * with a latent's direction set to the baseline's. One forward above the site for each latent and contrast.
 */
import { type Contrast, type ContrastOptions, placesOfSet, signs } from '../site/contrast.ts';
import { type ForcedPass, type ResidualChange, unchanged } from '../steering/forced.ts';
import { type Dictionary, directionsOf } from './score.ts';

/** Tokens, baseline and a completion's loss as for the first-order estimate. */
export type ExactOptions = ContrastOptions;

/**
 * Shapes: K latents, P contrasts. Nats, a token of a completion where its loss is the mean; positive:
 * removing the latent raises the positives' loss more than the negatives'.
 */
export interface ExactEffects {
  /** mean over contrasts of ΔL⁺ − ΔL⁻ [K] */
  readonly contrast: Float32Array;
  /** each contrast's own [K, P] */
  readonly perContrast: Float32Array;
}

/**
 * Replaces the projection of the rows at `places` on the unit direction d by the baseline's, or goes a share
 * of the way there: a_t ← a_t − share ((a_t − ā)·d) d. Baseline and direction [d].
 */
export function meanAblation(
  direction: Float32Array,
  baseline: Float32Array,
  places: readonly number[],
  share = 1,
): ResidualChange {
  const d = direction.length;
  return (activation) => {
    for (const place of places) {
      const row = activation.subarray(place * d, (place + 1) * d);
      let excess = 0;
      for (let i = 0; i < d; i++) excess += (row[i]! - baseline[i]!) * direction[i]!;
      for (let i = 0; i < d; i++) row[i] = row[i]! - share * excess * direction[i]!;
    }
    return activation;
  };
}

/** Removal of directions on one contrast. */
export interface Removal {
  /**
   * ΔL⁺ − ΔL⁻ with the projection on the unit direction [d] held at the baseline's on all tokens of the set,
   * attention sinks left out, in nats. One forward above the site.
   */
  effect(direction: Float32Array): Promise<number>;
}

/**
 * Prepares a contrast: one forward below the site and one above it. Throws InputError where no token of the
 * set is left.
 */
export async function removalOn(
  pass: ForcedPass,
  contrast: Contrast,
  { baseline, tokenSet = 'prompt', loss = 'mean', sinkFactor }: ExactOptions,
): Promise<Removal> {
  const prepared = await pass.prepare(contrast, sinkFactor);
  const { tree, sinks } = prepared;
  const { prompt, branches } = placesOfSet(contrast.id, tree, sinks, tokenSet);
  const places = [...prompt, ...branches.flat()];
  const before = await pass.losses(prepared, unchanged);
  const weights = signs(contrast).map((sign, b) => {
    const { start, end } = tree.branches[b]!;
    return loss === 'mean' ? sign : sign * (end - start);
  });
  return {
    async effect(direction) {
      const after = await pass.losses(prepared, meanAblation(direction, baseline, places));
      return weights.reduce((sum, weight, b) => sum + weight * (after[b]! - before[b]!), 0);
    },
  };
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
    const removal = await removalOn(pass, contrast, options);
    for (const k of latents.keys()) {
      const effect = await removal.effect(
        directions.subarray(k * dictionary.width, (k + 1) * dictionary.width),
      );
      perContrast[k * count + p] = effect;
      sums[k]! += effect;
    }
    onContrast();
  }
  return { contrast: Float32Array.from(sums, (sum) => sum / count), perContrast };
}
