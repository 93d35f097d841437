/**
 * A study's records as the sentences of its methods text are checked against them: what a rule is, and what
 * is counted anew.
 */
import { expect } from 'vitest';
import { studentQuantile } from '../../../src/methods/statistics/studentT.ts';
import { centralRange } from '../../../src/methods/steering/grayZone.ts';
import type {
  CompletionRecord,
  EffectPlace,
  GradeRecord,
  LatentRow,
  Operation,
  PairRecord,
  Role,
  Side,
  SteeredRecord,
  StudyManifest,
  TrialRecord,
} from '../../../src/results.ts';
import { bothSides, placeOfRow } from '../../../src/results.ts';
import type { StudyConfig } from '../../../src/study/config/schema.ts';
import { coherenceBy } from '../../../src/study/steering/coherence.ts';
import type { SteeringRecords } from '../../../src/web/study.ts';

/** What a study's files hold, read by the study's own readers. */
export interface StudyRecords {
  readonly config: StudyConfig;
  readonly manifest: StudyManifest;
  readonly completions: readonly CompletionRecord[];
  readonly grades: readonly GradeRecord[];
  readonly pairs: readonly PairRecord[];
  readonly latents: readonly LatentRow[];
  readonly steering: SteeringRecords | undefined;
  readonly steered: readonly SteeredRecord[];
}

export type Groups = readonly string[];

export interface Rule {
  readonly name: string;
  readonly says: RegExp;
  /** the numbers and words of the sentence, against the records */
  readonly check: (groups: Groups, records: StudyRecords) => void;
}

export const n = '(−?[\\d,]*\\.?\\d+)';
export const one = (word: string) => `${n} ${word}s?`;
export const sentence = (...parts: string[]) => new RegExp(`^${parts.join(' ')}\\.$`);
export const number = (text: string | undefined) => Number(text!.replaceAll(',', '').replace('−', '-'));

export const same = (found: string | undefined, expected: number) => expect(number(found)).toBe(expected);
/** A share shown with so many decimals of a percent. */
export const close = (found: string | undefined, share: number, decimals: number) =>
  expect(Math.abs(number(found) - 100 * share)).toBeLessThanOrEqual(0.5 * 10 ** -decimals + 1e-9);

export const baseOf = (path: string) => path.split('/').at(-1)!;
export const countIf = <T>(all: readonly T[], holds: (one: T) => boolean) => all.filter(holds).length;
export const distinct = <T, K>(all: readonly T[], key: (one: T) => K) => new Set(all.map(key)).size;
export const isImported = ({ completions }: StudyRecords) =>
  completions.every(({ model }) => model === 'imported');

export const trialsOf = ({ steered }: StudyRecords): TrialRecord[] =>
  steered.filter((record) => record.kind === 'trial');

export const rowsOf = ({ steering }: StudyRecords) => steering!.rows;
const named = (records: StudyRecords, role: Role) => [
  ...new Set(
    rowsOf(records)
      .filter((row) => row.role === role)
      .map(({ direction }) => direction),
  ),
];
/** Names of directions of a role. */
export const candidatesIn = (records: StudyRecords) => named(records, 'candidate');
export const controlsIn = (records: StudyRecords) => named(records, 'random');
export const directionsIn = named;

/** Names of the directions that an operation was sampled along, on a part of the prompts of a side. */
export const sampledIn = (
  records: StudyRecords,
  operation: Operation,
  side: Side,
  part: TrialRecord['part'],
): Set<string> =>
  new Set(
    trialsOf(records)
      .filter((trial) => trial.operation === operation && trial.side === side && trial.part === part)
      .map(({ direction }) => direction!),
  );

/** Ids of the prompts of a part, of whatever trials. */
export const promptIdsOf = (records: StudyRecords, part: TrialRecord['part']) =>
  new Set(
    trialsOf(records)
      .filter((trial) => trial.part === part)
      .flatMap(({ completions }) => completions.map(({ prompt_id }) => prompt_id)),
  );

/** Completions of each prompt of each trial of a part, where all have as many. */
export function eachOf(records: StudyRecords, part: TrialRecord['part']): number {
  const counts = trialsOf(records)
    .filter((trial) => trial.part === part)
    .map(({ completions }) => completions.length / distinct(completions, ({ prompt_id }) => prompt_id));
  expect(new Set(counts).size).toBe(1);
  return counts[0]!;
}

/** Candidates whose log-odds lie within the central share of the random latents', on one side at least. */
export function gatedIn(records: StudyRecords, operation: 'remove' | 'add'): string[] {
  const sides: readonly Side[] = operation === 'add' ? bothSides : ['away'];
  const logOdds = (side: Side) =>
    new Map(
      records.steered.flatMap((record) =>
        record.kind === 'forced' && record.side === side && record.operation === operation
          ? [[record.direction, record.log_odds] as const]
          : [],
      ),
    );
  const isWithin = (name: string, side: Side) => {
    const of = logOdds(side);
    const { low, high } = centralRange(
      controlsIn(records).map((control) => of.get(control)!),
      records.config.steering.gate_share,
    );
    return of.get(name)! >= low && of.get(name)! <= high;
  };
  return candidatesIn(records).filter((name) => sides.some((side) => isWithin(name, side)));
}

export const measureWords = {
  judge: 'by the judge',
  cheap: 'by likelihood, repetition and length, without the judge',
  both: 'by the judge, or by likelihood, repetition and length',
};

/** Completions left alone, on the evaluation prompts, by the study's measure. */
export function aloneIn(records: StudyRecords, side: Side) {
  const own = trialsOf(records).filter((trial) => trial.direction === null && trial.side === side);
  const of = (part: TrialRecord['part']) =>
    own.filter((trial) => trial.part === part).flatMap((trial) => trial.completions);
  return coherenceBy(records.config.steering.incoherence, of('calibration')).evaluation(of('evaluation'));
}

/** The 95 % prediction interval of one more random latent's effect, by the formula. */
export const zoneOf = (records: StudyRecords, place: EffectPlace) => {
  const effects = rowsOf(records).flatMap((row) =>
    row.role === 'random' && placeOfRow(row) === place && row.effect !== null ? [row.effect] : [],
  );
  const n = effects.length;
  const mean = effects.reduce((sum, x) => sum + x, 0) / n;
  const deviation = Math.sqrt(effects.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1));
  const half = studentQuantile(0.025, n - 1) * deviation * Math.sqrt(1 + 1 / n);
  return { low: mean - half, high: mean + half, effects: n };
};

export const tokenWords = {
  prompt: 'the prompt',
  completion: 'the completion',
  all: 'prompt and completion',
};
export const steeredWords = {
  all: 'every token',
  prompt: 'every token of the prompt',
  completion: 'every token of the completion',
};
