/** Dose curves: what trials of one latent come to, dose by dose, beside the same prompts left alone. */
import type { Side, TrialRecord } from '../../results.ts';

/** Calibration prompts are easier or harder than evaluation ones, so that each has a curve of its own. */
export const promptSets = ['calibration', 'evaluation'] as const;
export type PromptSet = (typeof promptSets)[number];

export interface DosePoint {
  readonly side: Side;
  readonly set: PromptSet;
  /** 0: left alone */
  readonly dose: number;
  readonly completions: number;
  /** those that the judge was asked about, the coherent among them, and the positives among these */
  readonly judged: number;
  readonly coherent: number;
  readonly positives: number;
  /** mean over the completions */
  readonly tokens: number;
}

/** Those kept aside are measured at one dose only: no curve. */
const isOfCurve = ({ operation, part }: TrialRecord) =>
  (operation === 'add' || operation === null) && part !== 'aside';

const setOf = ({ part }: TrialRecord): PromptSet => (part === 'calibration' ? 'calibration' : 'evaluation');

const placeOf = (trial: TrialRecord) => [trial.side, setOf(trial), trial.dose].join(' ');

function pointOf(trials: readonly TrialRecord[]): DosePoint {
  const [{ side, dose }] = trials as [TrialRecord];
  const completions = trials.flatMap((trial) => trial.completions);
  const judged = completions.filter((completion) => completion.judged);
  const coherent = judged.filter((completion) => completion.coherent);
  return {
    side,
    set: setOf(trials[0]!),
    dose,
    completions: completions.length,
    judged: judged.length,
    coherent: coherent.length,
    positives: coherent.filter(({ label }) => label === 'positive').length,
    tokens: completions.reduce((sum, { tokens }) => sum + tokens, 0) / Math.max(1, completions.length),
  };
}

/**
 * The points of the trials that added a latent's direction, doses ascending.
 * @param alone trials left alone; those on parts where the latent has none are left out
 */
export function dosePoints(trials: readonly TrialRecord[], alone: readonly TrialRecord[]): DosePoint[] {
  const partOf = ({ side, part }: TrialRecord) => `${side} ${part}`;
  const added = trials.filter(isOfCurve);
  const parts = new Set(added.map(partOf));
  const all = [...added, ...alone.filter((trial) => parts.has(partOf(trial)))];
  const places = [...new Set(all.map(placeOf))];
  return places
    .map((place) => pointOf(all.filter((trial) => placeOf(trial) === place)))
    .sort((a, b) => a.dose - b.dose);
}
