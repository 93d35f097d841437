/** Every completion of a study with what the judge said and what was done, and which of them are asked for. */
import {
  type CompletionRecord,
  type GradeRecord,
  promptText,
  type SteeredPrompt,
  type TrialRecord,
} from '../../../results.ts';
import { signed } from '../../format.ts';
import { isHeld } from '../../parts/heldText.ts';
import { type JudgedText, type KindOfVerdict, kindOf } from '../../parts/verdict.tsx';
import type { Query } from '../../routes.ts';

/** Where a text came from; the parts of the causal test by what their prompts are for. */
export const stageNames = {
  sampled: 'sampled',
  calibration: 'dose search',
  evaluation: 'causal test',
  aside: 'kept aside',
} as const;
export type TextStage = keyof typeof stageNames;

/** The name of an arm in which nothing is done. */
export const unsteered = 'unsteered';

export interface Transcript {
  /** unique in the study: what its address holds */
  readonly id: string;
  readonly stage: TextStage;
  readonly model: 'subject' | 'reference';
  readonly promptId: string;
  readonly prompt: string;
  /** which completion of its prompt: those of the same place have the same random numbers */
  readonly index: number;
  readonly text: string;
  readonly stop: CompletionRecord['stop'];
  readonly verdict: JudgedText | undefined;
  /** `unsteered`, or the direction's name */
  readonly direction: string;
  readonly latent: number | undefined;
  /** what was done along the direction, the dose with it */
  readonly done: string;
  readonly dose: number;
}

const operationNames: Readonly<Record<NonNullable<TrialRecord['operation']>, string>> = {
  remove: 'removed',
  add: 'steered',
  patch: 'set to the subject’s mean',
  subtract: 'removed by the encoder',
  remove_all: 'removed at all tokens',
  remove_prompt: 'removed at the prompt’s tokens',
  remove_completion: 'removed at the completion’s tokens',
  system: 'with a system message',
  cap: 'capped',
};

function doneIn({ operation, dose }: TrialRecord): string {
  if (operation === null) return '';
  return operation === 'add' ? `steered ${signed(dose, 2)} s` : operationNames[operation];
}

const directionOf = ({ direction, latent }: TrialRecord): string =>
  latent === null ? (direction ?? unsteered) : `latent ${latent}`;

export function sampledTranscripts(
  completions: Iterable<CompletionRecord>,
  grades: ReadonlyMap<string, GradeRecord> | undefined,
): Transcript[] {
  return Array.from(completions, ({ id, prompt_id, index, prompt, text, stop }) => ({
    id,
    stage: 'sampled',
    model: 'subject',
    promptId: prompt_id,
    prompt: promptText(prompt),
    index,
    text,
    stop,
    verdict: grades?.get(id),
    direction: unsteered,
    latent: undefined,
    done: '',
    dose: 0,
  }));
}

export function steeredTranscripts(
  trials: readonly TrialRecord[],
  prompts: readonly SteeredPrompt[],
): Transcript[] {
  const texts = new Map(prompts.map(({ id, prompt }) => [id, promptText(prompt)]));
  return trials.flatMap((trial) =>
    trial.completions.filter(isHeld).map((one) => ({
      id: `${trial.id}/${one.prompt_id}/${one.index}`,
      stage: trial.part,
      model: trial.side === 'away' ? 'subject' : 'reference',
      promptId: one.prompt_id,
      prompt: texts.get(one.prompt_id) ?? `prompt ${one.prompt_id}`,
      index: one.index,
      text: one.text,
      stop: one.stop,
      verdict: one,
      direction: directionOf(trial),
      latent: trial.latent ?? undefined,
      done: doneIn(trial),
      dose: trial.dose,
    })),
  );
}

export const notGraded = 'not graded';
export type TextVerdict = KindOfVerdict | typeof notGraded;

export const verdictOfText = ({ verdict }: Transcript): TextVerdict =>
  verdict === undefined ? notGraded : kindOf(verdict);

/** What may be asked for, each by a value of its own; '' asks for all. */
export const facets = {
  verdict: verdictOfText,
  stage: ({ stage }: Transcript): string => stageNames[stage],
  model: ({ model }: Transcript): string => model,
  direction: ({ direction }: Transcript) => direction,
  done: ({ done }: Transcript) => done || unsteered,
} as const;
export type Facet = keyof typeof facets;
export const facetNames = Object.keys(facets) as Facet[];

const holds = ({ id, prompt, text, verdict }: Transcript, words: string) =>
  [id, prompt, text, verdict?.reason ?? ''].some((own) => own.toLowerCase().includes(words));

/** Those that the address asks for: `find` words, `prompt` an id, and a value of each facet. */
export function chosenTranscripts(all: readonly Transcript[], query: Query): Transcript[] {
  const words = (query.find ?? '').trim().toLowerCase();
  return all.filter(
    (one) =>
      facetNames.every((name) => !query[name] || facets[name](one) === query[name]) &&
      (!query.prompt || one.promptId === query.prompt) &&
      (words === '' || holds(one, words)),
  );
}

/** The values of a facet that are left where all others are as asked, with how many texts each has. */
export function choicesOf(all: readonly Transcript[], query: Query, facet: Facet): [string, number][] {
  const { [facet]: _, ...others } = query;
  const counts = new Map<string, number>();
  for (const one of chosenTranscripts(all, others)) {
    const value = facets[facet](one);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts];
}

/** The text of the same model, prompt and random numbers in which nothing was done; undefined where there is none. */
export const besideOf = (all: readonly Transcript[], one: Transcript): Transcript | undefined =>
  one.direction === unsteered
    ? undefined
    : all.find(
        (other) =>
          other.direction === unsteered &&
          other.stage === one.stage &&
          other.model === one.model &&
          other.promptId === one.promptId &&
          other.index === one.index,
      );
