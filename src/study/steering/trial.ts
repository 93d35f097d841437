/**
 * What a trial is: completions of one part's prompts under one latent at one dose, its id in the journal, and
 * the hash of what its completions depend on. Knows neither how they are sampled nor how they are graded.
 */
import type { Side, TrialPart, TrialRecord } from '../../results.ts';
import { promptHash } from '../store/contentHash.ts';
import { jsonHash } from '../store/hash.ts';
import { type PartPrompts, promptsByPart, sizeOfPart } from './trialParts.ts';
import type { SteeringWork } from './work.ts';

/** A trial to run. */
export interface SteeringTrial {
  /** undefined: left alone */
  readonly latent: number | undefined;
  /** α, signed */
  readonly dose: number;
  readonly part: TrialPart;
}

/** A trial with all that sampling, grading and the journal ask of it. */
export interface PlannedTrial extends SteeringTrial, PartPrompts {
  /** of its record */
  readonly id: string;
  readonly side: Side;
  /** hash of the prompts, the number of completions and what a dose of 1 adds */
  readonly content: string;
  /** completions in all */
  readonly size: number;
}

/** Plans trials of one direction. */
export function trialPlanner(work: SteeringWork, side: Side): (trial: SteeringTrial) => PlannedTrial {
  const { norm } = work.sides[side];
  const parts = promptsByPart(work);
  const contents = {
    calibration: contentOfPart(parts.calibration, norm),
    first: contentOfPart(parts.first, norm),
    rest: contentOfPart(parts.rest, norm),
  } satisfies Record<TrialPart, string>;
  return ({ latent, dose, part }) => ({
    latent,
    dose,
    part,
    ...parts[part],
    id: `${side}/${latent ?? 'alone'}/${dose}/${part}`,
    side,
    content: contents[part],
    size: sizeOfPart(parts[part]),
  });
}

const contentOfPart = ({ prompts, perPrompt }: PartPrompts, norm: number): string =>
  jsonHash([prompts.map(({ id, prompt }) => [id, promptHash(prompt)]), perPrompt, norm]);

/** A trial in the words of an error. */
export function trialName({ side, latent, dose, part }: PlannedTrial): string {
  const under = latent === undefined ? 'left alone' : `latent ${latent} at dose ${dose}`;
  return `steering ${side}, ${under}, ${part === 'calibration' ? part : 'evaluation'} prompts`;
}

/** The record of a trial with these completions and what they cost. */
export function trialRecordOf(
  { id, side, latent, dose, part, content }: PlannedTrial,
  { completions, cost }: Pick<TrialRecord, 'completions' | 'cost'>,
): TrialRecord {
  const about = { id, side, latent: latent ?? null, dose, part, content };
  return { kind: 'trial', ...about, completions, cost };
}

/** The record of a trial that the journal holds whole. */
export function keptTrial(
  { records }: Pick<SteeringWork['journal'], 'records'>,
  { id, content }: PlannedTrial,
): TrialRecord | undefined {
  const found = records.get(id);
  return found?.kind === 'trial' && found.content === content ? found : undefined;
}
