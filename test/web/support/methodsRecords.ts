/**
 * A study's records as the sentences of its methods text are checked against them: what a rule is, and what
 * is counted anew.
 */
import { expect } from 'vitest';
import { centralRange } from '../../../src/methods/steering/grayZone.ts';
import type {
  CompletionRecord,
  GradeRecord,
  LatentRow,
  PairRecord,
  Side,
  SteeredRecord,
  StudyManifest,
  TrialRecord,
} from '../../../src/results.ts';
import { bothSides } from '../../../src/results.ts';
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
export const candidatesIn = (records: StudyRecords) => [
  ...new Set(
    rowsOf(records)
      .filter(({ role }) => role === 'candidate')
      .map(({ latent }) => latent),
  ),
];
export const controlsIn = (records: StudyRecords) => [
  ...new Set(
    rowsOf(records)
      .filter(({ role }) => role === 'random')
      .map(({ latent }) => latent),
  ),
];

/** Latents that were sampled in a part of a direction. */
export const sampledIn = (records: StudyRecords, side: Side, part: TrialRecord['part']) =>
  new Set(
    trialsOf(records)
      .filter((trial) => trial.side === side && trial.part === part && trial.latent !== null)
      .map(({ latent }) => latent!),
  );

export const promptsOf = (records: StudyRecords, calibration: boolean) =>
  distinct(
    trialsOf(records)
      .filter(({ part }) => (part === 'calibration') === calibration)
      .flatMap(({ completions }) => completions),
    ({ prompt_id }) => prompt_id,
  );

/** Completions of each prompt of each trial, where all have as many. */
export function eachOf(records: StudyRecords, calibration: boolean): number {
  const counts = trialsOf(records)
    .filter(({ part }) => (part === 'calibration') === calibration)
    .map(({ completions }) => completions.length / distinct(completions, ({ prompt_id }) => prompt_id));
  expect(new Set(counts).size).toBe(1);
  return counts[0]!;
}

/** Candidates that lie within the central share of the random latents' log-odds in a direction. */
export function gatedIn(records: StudyRecords): number {
  const logOdds = (side: Side) =>
    new Map(
      records.steered.flatMap((record) =>
        record.kind === 'forced' && record.side === side ? [[record.latent, record.log_odds] as const] : [],
      ),
    );
  const isWithin = (latent: number, side: Side) => {
    const of = logOdds(side);
    const { low, high } = centralRange(
      controlsIn(records).map((control) => of.get(control)!),
      records.config.steering.gate_share,
    );
    return of.get(latent)! >= low && of.get(latent)! <= high;
  };
  return countIf(candidatesIn(records), (latent) => bothSides.some((side) => isWithin(latent, side)));
}

export const measureWords = {
  judge: 'by the judge',
  cheap: 'by likelihood, repetition and length, without the judge',
  both: 'by the judge, or by likelihood, repetition and length',
};

/** Completions left alone, on the evaluation prompts, by the study's measure. */
export function aloneIn(records: StudyRecords, side: Side) {
  const own = trialsOf(records).filter((trial) => trial.latent === null && trial.side === side);
  const of = (calibration: boolean) =>
    own.filter(({ part }) => (part === 'calibration') === calibration).flatMap((trial) => trial.completions);
  return coherenceBy(records.config.steering.incoherence, of(true)).evaluation(of(false));
}

export const zoneOf = (records: StudyRecords, side: Side) => {
  const effects = rowsOf(records).flatMap((row) =>
    row.role === 'random' && row.side === side && row.effect !== null ? [row.effect] : [],
  );
  return { ...centralRange(effects, 0.95), effects: effects.length };
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
