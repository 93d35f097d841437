/**
 * What every selector offers: from what a study measured to the latents it would try first. One file a
 * selector.
 */
import type { CompletionActivations } from '../../site/activations.ts';
import { type Dictionary, directionsOf } from '../score.ts';

/**
 * What selectors choose by. What takes work is a function: a selector calls what it needs, and whoever gives
 * the evidence keeps what was computed. Shapes: N latents, d residual width.
 */
export interface SelectorEvidence {
  /** N */
  readonly latents: number;
  readonly dictionary: Dictionary;
  /** Δ [N], see attribute.ts */
  readonly delta: Float32Array;
  /**
   * share of tokens at which each latent is active [N], over the texts of the study; 0: a dead latent, which
   * no selector proposes
   */
  frequency(): Promise<Float32Array>;
  /** Δ-activation [N]: subject minus reference on the same prompts, see diff.ts. */
  deltaActivation(): Promise<Float32Array>;
  /** activations on the positive completions and on the negative ones */
  completions(): Promise<CompletionActivations>;
  /** mean contrastive gradient at the site [d] */
  gradient(): Promise<Float32Array>;
  /** exact contrast of each of these latents, in their order, see exact.ts */
  exact(latents: readonly number[]): Promise<Float32Array>;
  /** a 32-bit integer, for what is drawn */
  readonly seed: number;
}

export interface Selector<Name extends string = string> {
  /** as study.yaml gives it */
  readonly name: Name;
  /** one phrase for tables and pages */
  readonly about: string;
  /** whether it asks for exact effects; default false */
  readonly exact?: boolean;
  /**
   * The `count` first latents, first rank first, each once; fewer only where the dictionary has fewer to
   * propose. Latents that are dead or have a direction of zeros are never proposed. The same evidence gives
   * the same latents.
   */
  select(evidence: SelectorEvidence, count: number): Promise<number[]>;
}

/**
 * Of latents in some order the `count` first that are alive and have a direction. Reads the decoder row by
 * row, no more rows than it has to.
 */
export async function firstAlive(
  ordered: Iterable<number>,
  { dictionary, frequency }: Pick<SelectorEvidence, 'dictionary' | 'frequency'>,
  count: number,
): Promise<number[]> {
  const share = await frequency();
  const chosen: number[] = [];
  for (const latent of ordered) {
    if (chosen.length >= count) break;
    if (!(share[latent]! > 0)) continue;
    const direction = await directionsOf(dictionary, [latent]);
    if (direction.some((x) => x !== 0)) chosen.push(latent);
  }
  return chosen;
}
