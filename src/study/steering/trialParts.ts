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

/**
 * Calibration prompts find the dose; the evaluation prompts give the effects, the first of them before the
 * rest.
 */
export function promptsByPart({
  prompts: { calibration, evaluation },
  options: { firstLook, calibrationCompletions, completions },
}: Pick<SteeringWork, 'prompts' | 'options'>): Readonly<Record<TrialPart, PartPrompts>> {
  const first = Math.min(evaluation.length, Math.max(1, Math.ceil(firstLook * evaluation.length)));
  return {
    calibration: { prompts: calibration, perPrompt: calibrationCompletions },
    first: { prompts: evaluation.slice(0, first), perPrompt: completions },
    rest: { prompts: evaluation.slice(first), perPrompt: completions },
  };
}
