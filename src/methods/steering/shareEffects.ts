/**
 * Two effects that are never mixed: on the share of positives among coherent completions, and among all.
 * Steering that breaks the text lowers the second without changing the mind of what is still coherent.
 */
import { bootstrap, type Interval } from '../statistics/bootstrap.ts';
import { effectOf, type PromptTallies, type Tally, total } from './effect.ts';

export interface ShareEffect extends Interval {
  /** −1 to 1: steered minus alone, over all prompts; NaN where a side has no such completion */
  readonly effect: number;
}

function shareEffect(
  prompts: readonly PromptTallies[],
  effectIn: (drawn: readonly PromptTallies[]) => number,
  seed: number,
): ShareEffect {
  const groups = prompts.map((prompt) => [prompt]);
  const { effect } = bootstrap(groups, (drawn) => ({ effect: effectIn(drawn) }), { seed });
  return { effect: effectIn(prompts), ...effect };
}

/** Change of positives / coherent, with a 95 % bootstrap interval over prompts. */
export const shareOfCoherent = (prompts: readonly PromptTallies[], seed: number): ShareEffect =>
  shareEffect(prompts, effectOf, seed);

const ofAll = ({ positives, completions }: Tally) => positives / completions;

/**
 * Change of positives / completions, an incoherent one counting as not positive, with a 95 % bootstrap
 * interval over prompts.
 */
export const shareOfAll = (prompts: readonly PromptTallies[], seed: number): ShareEffect =>
  shareEffect(
    prompts,
    (drawn) =>
      ofAll(total(drawn.map(({ steered }) => steered))) - ofAll(total(drawn.map(({ alone }) => alone))),
    seed,
  );
