/** What came of one latent in one direction, sampled or not. Knows neither model nor journal. */
import {
  effectInterval,
  effectOf,
  type PromptTallies,
  type ZonePlace,
} from '../../methods/steering/effect.ts';
import type { IncoherenceMeasure } from '../../methods/steering/incoherence.ts';
import type { ForcedRecord, SteeredCompletion, SteeringStage } from '../../results.ts';
import type { MeasuredDose } from './coherence.ts';

export interface LatentOutcome {
  readonly latent: number;
  readonly role: 'candidate' | 'random';
  readonly forced: ForcedRecord;
  /** how far it went */
  readonly stage: SteeringStage;
  /**
   * α, signed; undefined where it was not sampled, or where even the weakest dose left too much text
   * incoherent
   */
  readonly dose: number | undefined;
  readonly tried: readonly MeasuredDose[];
  /** what stopped the search for a stronger dose; undefined where nothing did, or where it was not sampled */
  readonly limitedBy: IncoherenceMeasure | undefined;
  /** of the evaluation prompts sampled on, steered and left alone; empty where it was not sampled */
  readonly prompts: readonly PromptTallies[];
  /** NaN where it was not sampled */
  readonly effect: number;
  readonly interval: { readonly low: number; readonly high: number };
  readonly place: ZonePlace;
  /** of the steered completions */
  readonly meanTokens: number;
}

/** Of a latent that has its log-odds alone. */
export const unsampled = (
  latent: number,
  role: LatentOutcome['role'],
  forced: ForcedRecord,
): LatentOutcome => ({
  latent,
  role,
  forced,
  stage: 'log-odds',
  dose: undefined,
  tried: [],
  limitedBy: undefined,
  prompts: [],
  effect: Number.NaN,
  interval: { low: Number.NaN, high: Number.NaN },
  place: 'inside',
  meanTokens: Number.NaN,
});

/**
 * Effect, interval and mean length of what was sampled; `prompts` are the tallies of `completions`. Nothing
 * for none.
 */
export function measuredEffect(
  prompts: readonly PromptTallies[],
  completions: readonly SteeredCompletion[],
  seed: number,
): Partial<LatentOutcome> {
  if (prompts.length === 0) return {};
  return {
    prompts,
    effect: effectOf(prompts),
    interval: effectInterval(prompts, seed),
    meanTokens: completions.reduce((sum, { tokens }) => sum + tokens, 0) / completions.length,
  };
}
