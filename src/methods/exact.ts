/**
 * Exact mean ablation (METHOD.md section 3): what the first-order estimate stands for, by running the model with a latent's direction set to the
 * baseline's. One forward above the site for each latent and contrast.
 */
import { InputError } from '../errors.ts';
import type { Contrast, ContrastOptions, TokenSet } from './contrast.ts';
import {
  type ForcedPass,
  logOddsChange,
  type PreparedContrast,
  type ResidualChange,
  unchanged,
} from './forced.ts';
import { type Dictionary, directionsOf } from './score.ts';

/** Tokens and baseline as for the first-order estimate; a completion's loss is its mean. */
export type ExactOptions = Pick<ContrastOptions, 'baseline' | 'tokenSet' | 'sinkFactor'>;

/** Shapes: K latents, P contrasts. Nats a token of a completion; positive: removing the latent raises the positives' loss more than the negatives'. */
export interface ExactEffects {
  /** mean over contrasts of ΔL⁺ − ΔL⁻ [K] */
  readonly contrast: Float32Array;
  /** each contrast's own [K, P] */
  readonly perContrast: Float32Array;
}

/** Replaces the projection of the rows at `places` on the unit direction d by the baseline's: a_t ← a_t − ((a_t − ā)·d) d. Baseline and direction [d]. */
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

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/**
 * The packed places of the token set, attention sinks left out: those that first-order attribution averages over. A prompt token that is a sink in any
 * sequence is left out of all. Throws InputError where a completion has none left.
 */
export function setPlaces(
  { contrast, tree, sinks }: PreparedContrast,
  tokenSet: TokenSet = 'prompt',
): number[] {
  const kept = (from: number, to: number) => range(from, to).filter((place) => !sinks.has(place));
  const prompt = tokenSet === 'completion' ? [] : kept(0, tree.prompt);
  const branches = tree.branches.map(({ start, end }) => (tokenSet === 'prompt' ? [] : kept(start, end)));
  if (branches.some((places) => prompt.length + places.length === 0))
    throw new InputError(
      `pair ${contrast.id}: no token of the set '${tokenSet}' is left once attention sinks are taken out (${sinks.size} of ${tree.ids.length} tokens)`,
    );
  return [...prompt, ...branches.flat()];
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
  const places = setPlaces(prepared, tokenSet);
  const before = await pass.losses(prepared, unchanged);
  const effects: number[] = [];
  for (let from = 0; from < directions.length; from += d) {
    const ablated = meanAblation(directions.subarray(from, from + d), baseline, places);
    effects.push(-logOddsChange(before, await pass.losses(prepared, ablated), contrast));
  }
  return effects;
}

/**
 * Exact effect of each latent: its projection replaced on all tokens of the set at once, so that the first-order counterpart is the sum over tokens, not
 * the mean. `onContrast` is told of each contrast done. Throws RangeError without contrasts.
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
