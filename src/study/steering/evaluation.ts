/**
 * Latents at the doses that were found for them, on the evaluation prompts: few samples of all, then the rest
 * of those that are not decided.
 */
import type { PromptTallies } from '../../methods/steering/effect.ts';
import { type Side, type SteeredCompletion, signOf, type TrialPart } from '../../results.ts';
import type { SteeringTrial } from './trial.ts';
import type { TrialRunner } from './trials.ts';
import { tallyByPrompt, type Unsteered } from './unsteered.ts';

/** Whether a latent needs no further samples. */
export type Decide = (prompts: readonly PromptTallies[]) => boolean;

/** A latent at its dose. */
export interface DosedLatent {
  readonly latent: number;
  /** |α| */
  readonly dose: number;
}

/** What was sampled of one latent. */
export interface EvaluatedLatent {
  readonly stage: 'few' | 'many';
  readonly completions: readonly SteeredCompletion[];
  /** their tallies beside those of the same prompts left alone */
  readonly prompts: readonly PromptTallies[];
}

const inWords = { first: 'few samples', rest: 'many samples' };

/** By latent. */
export async function evaluateLatents(
  runner: TrialRunner,
  side: Side,
  dosed: readonly DosedLatent[],
  unsteered: Unsteered,
  { label, decide }: { readonly label: string; readonly decide: Decide },
): Promise<Map<number, EvaluatedLatent>> {
  const sample = async (some: readonly DosedLatent[], part: keyof typeof inWords) => {
    const trials = some.map((one) => evaluationTrial(side, one, part));
    const records = await runner.run(trials, `${label}, ${inWords[part]}`);
    return new Map(some.map(({ latent }, n) => [latent, records[n]!.completions]));
  };
  const few = await sample(dosed, 'first');
  const undecided = dosed.filter(({ latent }) => !decide(besideAlone(few.get(latent)!, unsteered)));
  const rest = await sample(undecided, 'rest');
  return new Map(
    dosed.map(({ latent }) => {
      const completions = [...few.get(latent)!, ...(rest.get(latent) ?? [])];
      const stage = rest.has(latent) ? 'many' : 'few';
      return [latent, { stage, completions, prompts: besideAlone(completions, unsteered) }];
    }),
  );
}

const evaluationTrial = (side: Side, { latent, dose }: DosedLatent, part: TrialPart): SteeringTrial => ({
  latent,
  dose: signOf[side] * dose,
  part,
});

const besideAlone = (
  completions: readonly SteeredCompletion[],
  { coherence, byPrompt }: Unsteered,
): PromptTallies[] =>
  [...tallyByPrompt(completions, coherence)].map(([id, steered]) => ({ steered, alone: byPrompt.get(id)! }));
