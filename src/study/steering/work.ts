/**
 * What the causal test works on: models, prompts, latents, options, a judge and a journal. Knows
 * neither study.yaml nor where the results go. docs/method.md section 5: away is α < 0 on the subject, toward
 * is α > 0 on the reference.
 */
import { z } from 'zod';
import type { Grading, JudgeItem, Refusals, Verdict } from '../../judges/judge.ts';
import type { Dictionary } from '../../methods/attribution/score.ts';
import { selectorNames } from '../../methods/attribution/selectors/selectors.ts';
import type { SampleOptions } from '../../methods/completions/sample.ts';
import type { Contrast } from '../../methods/site/contrast.ts';
import type { IncoherenceMeasure } from '../../methods/steering/incoherence.ts';
import type { SteeredTokens } from '../../methods/steering/steer.ts';
import {
  forcedRecord,
  type Prompt,
  type Side,
  trialRecord,
  verdictCost,
  verdictFields,
} from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { OpenModel } from '../open/openModel.ts';
import type { Progress } from '../open/progress.ts';
import type { Journal } from '../store/journal.ts';

export interface SteeringPrompt {
  readonly id: string;
  readonly prompt: Prompt;
  readonly ids: readonly number[];
}

export interface SteeringOptions {
  readonly incoherence: IncoherenceMeasure;
  /** ladder of |α|, ascending, in parts of s */
  readonly doses: readonly number[];
  /** greatest share of incoherent completions beyond the share among those left alone */
  readonly incoherent: number;
  /** completions of each calibration prompt at each dose that is looked at */
  readonly calibrationCompletions: number;
  /** completions of each evaluation prompt at the dose that was found */
  readonly completions: number;
  /** share of the evaluation prompts after which a candidate may be decided early */
  readonly firstLook: number;
  /** every latent through every stage */
  readonly full: boolean;
  /** |α| of the teacher-forced effect on the log-odds */
  readonly gateDose: number;
  /** candidates within this central share of the random latents' effects on the log-odds are not sampled */
  readonly gateShare: number;
  readonly tokens: SteeredTokens;
  /** temperature and what truncates; ends are each model's own */
  readonly sampling: Omit<SampleOptions, 'endIds' | 'stops'>;
  /** texts that end a completion */
  readonly stops?: readonly string[] | undefined;
  /** the text of a completion, from its ids decoded; default as it stands */
  readonly textOf?: ((decoded: string) => string) | undefined;
  /** further ids that end a completion */
  readonly endIds?: readonly number[] | undefined;
  readonly rows: number;
  readonly seed: number;
}

/** The model that is steered in one direction. */
export interface SteeredSide {
  readonly opened: OpenModel;
  /** s: mean residual norm at the site, sinks left out */
  readonly norm: number;
}

/** `grade` of the study's judge. */
export type Grader = (
  items: readonly JudgeItem[],
  onVerdict: (item: JudgeItem, verdict: Verdict) => Promise<void>,
  refusals: Refusals,
) => Promise<Grading>;

/** Mean ln p of the tokens of each completion of a prompt under the unsteered reference, nats. */
export type Likelihood = (
  prompt: readonly number[],
  completions: readonly (readonly number[])[],
) => Promise<readonly number[]>;

export interface SteeringWork {
  readonly runtime: Runtime;
  /** L of resid_post L */
  readonly layer: number;
  readonly dictionary: Dictionary;
  readonly sides: Readonly<Record<Side, SteeredSide>>;
  readonly prompts: {
    readonly calibration: readonly SteeringPrompt[];
    readonly evaluation: readonly SteeringPrompt[];
  };
  /** whose log-odds are looked at before anything is sampled */
  readonly contrasts: readonly Contrast[];
  readonly candidates: readonly number[];
  /** random latents */
  readonly controls: readonly number[];
  readonly options: SteeringOptions;
  readonly grade: Grader;
  /** asked where incoherence is measured without the judge */
  readonly likelihood: Likelihood;
  readonly journal: Journal<SteeringRecord>;
  readonly progress: Progress;
}

const count = z.int().min(0);

/** A verdict that was paid, kept until its trial is whole. */
const verdictRecord = z.object({
  kind: z.literal('verdict'),
  /** trial, prompt and number of the completion */
  id: z.string(),
  trial: z.string(),
  /** `content` of that trial */
  trial_content: z.string(),
  /** `contentOf` the completion */
  content: z.string(),
  ...verdictFields,
  cost: verdictCost,
});
export type VerdictRecord = z.output<typeof verdictRecord>;

/** Which latents are steered, and by how much a dose of 1 is. */
const chosenRecord = z.object({
  kind: z.literal('chosen'),
  id: z.literal('chosen'),
  /** hash of what they were chosen by */
  content: z.string(),
  selectors: z.array(z.object({ selector: z.enum(selectorNames), latents: z.array(count) })),
  /** random latents */
  controls: z.array(count),
  norm: z.object({ away: z.number(), toward: z.number() }),
});
export type ChosenRecord = z.output<typeof chosenRecord>;

/** A unit of the journal. */
export const steeringRecord = z.discriminatedUnion('kind', [
  trialRecord,
  verdictRecord,
  forcedRecord,
  chosenRecord,
]);
export type SteeringRecord = z.output<typeof steeringRecord>;
