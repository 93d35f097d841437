/** What a trained judge tells of itself, in lines and in numbers. Knows no screen. */
import { labelErrorOf } from '../../methods/judging/probe.ts';
import type { ClassifierReport } from './classifierModel.ts';

const percent = (share: number) => (Number.isNaN(share) ? 'not measured' : `${(100 * share).toFixed(1)} %`);

/** Lines for a person: how it did on prompts held out. */
export function judgeLines({ behaviour, coherence, kinds, prompts }: ClassifierReport): string[] {
  const broken = kinds.filter(({ coherent, tested }) => !coherent && tested > 0);
  const intact = kinds.filter(({ coherent, tested }) => coherent && tested > 0);
  const { sensitivity, specificity } = labelErrorOf(behaviour);
  const each = (list: typeof kinds) =>
    list.map(({ kind, accuracy, tested }) => `${kind} ${percent(accuracy)} of ${tested}`).join(', ');
  return [
    `The judge, on ${prompts.heldOut} of its ${prompts.heldOut + prompts.trained} prompts, which were held out:`,
    `  behaviour: ${percent(behaviour.accuracy)} of ${behaviour.examples} answers labelled correctly (sensitivity ${percent(sensitivity)}, specificity ${percent(specificity)}), ${percent(behaviour.within.accuracy)} of pairs in the right order, calibration error ${percent(behaviour.calibrationError)}`,
    `  coherence: ${percent(coherence.accuracy)} of ${coherence.examples} texts labelled correctly, calibration error ${percent(coherence.calibrationError)}`,
    `    broken texts recognised: ${each(broken)}`,
    `    coherent texts recognised: ${each(intact)}`,
  ];
}

/** Its numbers for a manifest; what was not measured is left out. */
export function judgeCounts({ behaviour, coherence, prompts }: ClassifierReport): Record<string, number> {
  const { sensitivity, specificity } = labelErrorOf(behaviour);
  const all = {
    judge_prompts_held_out: prompts.heldOut,
    judge_accuracy: behaviour.accuracy,
    judge_sensitivity: sensitivity,
    judge_specificity: specificity,
    judge_positives_held_out: behaviour.positives,
    judge_negatives_held_out: behaviour.examples - behaviour.positives,
    judge_pair_accuracy: behaviour.within.accuracy,
    judge_calibration_error: behaviour.calibrationError,
    judge_coherence_accuracy: coherence.accuracy,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => Number.isFinite(value)));
}

/** Those numbers among a stage's counts. */
export const judgeCountsIn = (counts: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter(([key]) => key.startsWith('judge_')));
