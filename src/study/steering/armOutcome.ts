/** What came of one operation along one direction, sampled or not. Knows neither model nor journal. */
import { effectOf, type PromptTallies } from '../../methods/steering/effect.ts';
import type { IncoherenceMeasure } from '../../methods/steering/incoherence.ts';
import { promptInterval } from '../../methods/steering/promptInterval.ts';
import type { ForcedRecord, Operation, Side, SteeredCompletion, SteeringStage } from '../../results.ts';
import type { Coherence, MeasuredDose } from './coherence.ts';
import type { TestedDirection } from './direction.ts';
import { tallyByPrompt, type Unsteered } from './unsteered.ts';

/** What was sampled on some prompts. */
export interface MeasuredArm {
  /** by prompt, beside the same left alone */
  readonly prompts: readonly PromptTallies[];
  readonly completions: readonly SteeredCompletion[];
  /** −1 to 1; NaN where a side has no coherent completion */
  readonly effect: number;
  readonly interval: { readonly low: number; readonly high: number };
}

export interface ArmOutcome {
  readonly direction: TestedDirection;
  readonly operation: Operation;
  readonly side: Side;
  /** undefined where log-odds were not looked at */
  readonly forced: ForcedRecord | undefined;
  /** how far it went */
  readonly stage: SteeringStage;
  /**
   * α along σ d, signed; undefined where nothing is added, where it was not sampled, or where even the weakest
   * dose left too much text incoherent
   */
  readonly dose: number | undefined;
  readonly tried: readonly MeasuredDose[];
  /** what stopped the search for a stronger dose; undefined where nothing did, or where there was none */
  readonly limitedBy: IncoherenceMeasure | undefined;
  /** on the evaluation prompts; undefined where it was not sampled */
  readonly measured: MeasuredArm | undefined;
  /** on the prompts kept aside */
  readonly aside: MeasuredArm | undefined;
}

/** An arm that is not sampled. */
export const unsampled = (
  about: Pick<ArmOutcome, 'direction' | 'operation' | 'side' | 'forced'>,
): ArmOutcome => ({
  ...about,
  stage: 'log-odds',
  dose: undefined,
  tried: [],
  limitedBy: undefined,
  measured: undefined,
  aside: undefined,
});

/** The tallies of completions beside those of the same prompts left alone. */
export const besideAlone = (
  completions: readonly SteeredCompletion[],
  coherence: Coherence,
  byPrompt: Unsteered['byPrompt'],
): PromptTallies[] =>
  [...tallyByPrompt(completions, coherence)].map(([id, steered]) => ({ steered, alone: byPrompt.get(id)! }));

export function measuredOf(
  completions: readonly SteeredCompletion[],
  { coherence, byPrompt }: Pick<Unsteered, 'coherence' | 'byPrompt'>,
): MeasuredArm {
  const prompts = besideAlone(completions, coherence, byPrompt);
  return { prompts, completions, effect: effectOf(prompts), interval: promptInterval(prompts) };
}

/** NaN where it was not sampled. */
export const effectIn = ({ measured }: ArmOutcome): number => measured?.effect ?? Number.NaN;
