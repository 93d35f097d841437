/**
 * What the causal test works on: models, prompts, directions, options, a judge and a journal. Knows
 * neither study.yaml nor where the results go. docs/method.md section 5: away is the subject with a projection
 * removed or α < 0, toward is the reference with it put in or α > 0.
 */
import { z } from 'zod';
import type { Grading, JudgeItem, Refusals, Verdict } from '../../judges/judge.ts';
import type { Dictionary } from '../../methods/attribution/score.ts';
import type { Engine } from '../../methods/completions/engine.ts';
import type { SampleOptions } from '../../methods/completions/sample.ts';
import type { PromptedIds } from '../../methods/judging/reading.ts';
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
import type { Sae } from '../../saes/sae.ts';
import type { OpenModel } from '../open/openModel.ts';
import type { Progress } from '../open/progress.ts';
import type { Journal } from '../store/journal.ts';
import type { TestedDirection } from './direction.ts';

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
  /** share of the evaluation prompts that are kept aside, for the first ones to be measured on again */
  readonly aside: number;
  /** how many of the first candidates are measured again, patched, and removed together */
  readonly remeasured: number;
  /** how many of the random latents are steered, the first ones */
  readonly randomSteered: number;
  /** how large a group is built greedily, of how many first candidates; undefined: none is */
  readonly greedy?: { readonly size: number; readonly from: number } | undefined;
  /** the first candidates' projections of the reference are set to the subject's means */
  readonly patch: boolean;
  /** every candidate is sampled */
  readonly full: boolean;
  /** |α| of the teacher-forced effect on the log-odds */
  readonly gateDose: number;
  /** candidates within this central share of the random latents' effects on the log-odds are not sampled */
  readonly gateShare: number;
  /** at which tokens directions are added */
  readonly tokens: SteeredTokens;
  /** at which tokens projections are removed or patched, and latents subtracted, attention sinks never */
  readonly heldTokens: SteeredTokens;
  /** at which tokens projections are removed too, beside that */
  readonly furtherHeld?: readonly SteeredTokens[] | undefined;
  /** projections that an arm beside those of the causal test may hold at once; default none */
  readonly heldTogether?: number | undefined;
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
  /** where its completions come from; default this machine, which also makes the changes that the engine cannot */
  readonly engine?: Engine | undefined;
}

/** `grade` of the study's judge. */
export type Grader = (
  items: readonly JudgeItem[],
  onVerdict: (item: JudgeItem, verdict: Verdict) => Promise<void>,
  refusals: Refusals,
) => Promise<Grading>;

/** Mean ln p of the tokens of each completion of each prompt under the unsteered reference, nats. */
export type Likelihood = (texts: readonly PromptedIds[]) => Promise<readonly (readonly number[])[]>;

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
  /** in the order of the selectors' ranks */
  readonly candidates: readonly TestedDirection[];
  /** random latents, which make the gray zone */
  readonly controls: readonly TestedDirection[];
  /** random directions, and what needs no dictionary or asks another question */
  readonly others: readonly TestedDirection[];
  readonly held: HeldMeans;
  /** by which latents are also removed: their own activation subtracted; undefined: none are */
  readonly encoder?: Sae | undefined;
  /** of the subject's arm without a direction; undefined: there is none */
  readonly system?: SystemMessage | undefined;
  readonly options: SteeringOptions;
  readonly grade: Grader;
  /** asked where incoherence is measured without the judge */
  readonly likelihood: Likelihood;
  readonly journal: Journal<SteeringRecord>;
  readonly progress: Progress;
}

/** A system message, and the prompts with it. */
export interface SystemMessage {
  readonly text: string;
  /** token ids of every evaluation prompt with the message, by the prompt's id */
  readonly ids: ReadonlyMap<string, readonly number[]>;
}

/** What projections are held at. */
export interface HeldMeans {
  /** ā [d]: removal */
  readonly baseline: Float32Array;
  /** mean activation of the subject on the texts of the contrasts, sinks left out [d]: patching */
  readonly subject: Float32Array;
  /** of both */
  readonly hash: string;
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

const vector = z.string().describe('float32 numbers in base64');

/** Which directions are tested, and what a dose of 1 and a removal come to. */
const chosenRecord = z.object({
  kind: z.literal('chosen'),
  id: z.literal('chosen'),
  /** hash of what they were chosen by */
  content: z.string(),
  selectors: z.array(z.object({ selector: z.string(), latents: z.array(count) })),
  /** random latents */
  controls: z.array(count),
  norm: z.object({ away: z.number(), toward: z.number() }),
  baseline: vector,
  subject_mean: vector,
  comparisons: z.array(
    z.object({
      name: z.string(),
      role: z.enum(['comparison', 'control']),
      about: z.string(),
      sign: z.union([z.literal(1), z.literal(-1)]),
      vector,
      latent: z.int().nullable().default(null),
    }),
  ),
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
