/**
 * What a trial is: completions of one part's prompts under one operation along one direction, its id in the
 * journal, and the hash of what its completions depend on. Knows neither how they are sampled nor how they are
 * graded.
 */
import {
  type Side,
  type TokenPart,
  type TrialOperation,
  type TrialPart,
  type TrialRecord,
  tokensInName,
} from '../../results.ts';
import { promptHash } from '../store/contentHash.ts';
import { jsonHash } from '../store/hash.ts';
import type { TestedDirection } from './direction.ts';
import { type PartPrompts, promptsByPart, sizeOfPart } from './trialParts.ts';
import type { SteeringWork } from './work.ts';

/** What is done to a model. */
export interface Arm<O extends TrialOperation = TrialOperation> {
  readonly direction: TestedDirection;
  readonly operation: O;
  /** α along σ d, signed; 0 where nothing is added */
  readonly dose: number;
}

/** A trial to run. */
export interface SteeringTrial {
  /** undefined: left alone */
  readonly arm: Arm | undefined;
  readonly part: TrialPart;
}

/** A trial with all that sampling, grading and the journal ask of it. */
export interface PlannedTrial extends SteeringTrial, PartPrompts {
  /** of its record */
  readonly id: string;
  readonly side: Side;
  /** hash of the prompts, the number of completions and what the operation is made of */
  readonly content: string;
  /** completions in all */
  readonly size: number;
}

/** `operation/direction/dose`, or `alone` */
export const armName = (arm: Arm | undefined): string =>
  arm === undefined ? 'alone' : [arm.operation, arm.direction.name, arm.dose].join('/');

/** At which tokens an operation acts; null where it acts along no direction. */
export function tokensUnder(
  operation: TrialOperation,
  { tokens, heldTokens }: Pick<SteeringWork['options'], 'tokens' | 'heldTokens'>,
): TokenPart | null {
  if (operation === 'system') return null;
  if (operation === 'add') return tokens;
  return tokensInName(operation) ?? heldTokens;
}

/** What an operation adds, holds, subtracts or says, beside the direction and its dose. */
export function madeOf(
  { sides, held, system, options }: SteeringWork,
  side: Side,
  arm: Arm | undefined,
): unknown {
  if (arm === undefined) return [];
  const { operation, direction } = arm;
  const tokens = tokensUnder(operation, options);
  if (operation === 'add') return [sides[side].norm, direction.sign, tokens];
  if (operation === 'subtract') return [operation, tokens];
  if (operation === 'system') return [operation, system?.text];
  return [held.hash, tokens, ...(operation === 'cap' ? [direction.caps] : [])];
}

/** Plans trials of one side. */
export function trialPlanner(work: SteeringWork, side: Side): (trial: SteeringTrial) => PlannedTrial {
  const parts = promptsByPart(work);
  return ({ arm, part }) => ({
    arm,
    part,
    ...parts[part],
    id: `${side}/${armName(arm)}/${part}`,
    side,
    content: jsonHash([partOf(parts[part]), madeOf(work, side, arm)]),
    size: sizeOfPart(parts[part]),
  });
}

const partOf = ({ prompts, perPrompt }: PartPrompts) => [
  prompts.map(({ id, prompt }) => [id, promptHash(prompt)]),
  perPrompt,
];

const inWords = {
  remove: (name: string) => `${name} removed`,
  add: (name: string, dose: number) => `${name} at dose ${dose}`,
  patch: (name: string) => `${name} set to the subject's mean`,
  subtract: (name: string) => `${name} removed by the encoder`,
  remove_all: (name: string) => `${name} removed at all tokens`,
  remove_prompt: (name: string) => `${name} removed at the prompt`,
  remove_completion: (name: string) => `${name} removed at the completion`,
  system: () => 'with a system message',
  cap: (name: string) => `${name} capped`,
} satisfies Record<TrialOperation, unknown>;

/** A trial in the words of an error. */
export function trialName({ side, arm, part }: PlannedTrial): string {
  const under = arm === undefined ? 'unsteered' : inWords[arm.operation](arm.direction.name, arm.dose);
  return `steering ${side}, ${under}, ${part === 'aside' ? 'kept-aside' : part} prompts`;
}

/** The record of a trial with these completions and what they cost. */
export function trialRecordOf(
  { id, side, arm, part, content }: PlannedTrial,
  { completions, cost }: Pick<TrialRecord, 'completions' | 'cost'>,
): TrialRecord {
  const under = {
    direction: arm?.direction.name ?? null,
    latent: arm?.direction.latent ?? null,
    operation: arm?.operation ?? null,
    dose: arm?.dose ?? 0,
  };
  return { kind: 'trial', id, side, ...under, part, content, completions, cost };
}

/** The record of a trial that the journal holds whole. */
export function keptTrial(
  { records }: Pick<SteeringWork['journal'], 'records'>,
  { id, content }: PlannedTrial,
): TrialRecord | undefined {
  const found = records.get(id);
  return found?.kind === 'trial' && found.content === content ? found : undefined;
}
