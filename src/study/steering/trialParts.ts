/**
 * Which prompts belong to each part of a causal test, and how many completions each of them gets. Knows no
 * model.
 */
import type { TrialPart } from '../../results.ts';
import type { SteeringPrompt, SteeringWork } from './work.ts';

export interface PartPrompts {
  readonly prompts: readonly SteeringPrompt[];
  /** completions of each prompt */
  readonly perPrompt: number;
}

/** Completions of all prompts together. */
export const sizeOfPart = ({ prompts, perPrompt }: PartPrompts): number => prompts.length * perPrompt;

/** Prompts that effects are of, at least: of one alone nothing is known of how prompts differ. */
export const leastEvaluated = 2;

/** How many of the evaluation prompts are kept aside: `share` of them, but so that two are left. */
export const keptAside = (evaluation: number, share: number): number =>
  Math.min(Math.round(share * evaluation), Math.max(0, evaluation - leastEvaluated));

/**
 * Calibration prompts find the dose; the evaluation prompts give the effects, but for the last of them, which
 * are kept aside.
 */
export function promptsByPart({
  prompts: { calibration, evaluation },
  options: { aside, calibrationCompletions, completions },
}: Pick<SteeringWork, 'prompts' | 'options'>): Readonly<Record<TrialPart, PartPrompts>> {
  const used = evaluation.length - keptAside(evaluation.length, aside);
  return {
    calibration: { prompts: calibration, perPrompt: calibrationCompletions },
    evaluation: { prompts: evaluation.slice(0, used), perPrompt: completions },
    aside: { prompts: evaluation.slice(used), perPrompt: completions },
  };
}
