/** What a kind of judge is: all that the rest of culprit asks of one. Knows no kind by name. */
import type { z } from 'zod';
import type { Spent } from '../../judges/budget.ts';
import type { Heard } from '../../judges/chatAsk.ts';
import type { ChatBatch, Manner } from '../../judges/chatBatch.ts';
import type { Judge, JudgeItem } from '../../judges/judge.ts';
import { about, real } from '../config/fields.ts';
import type { JudgeConfig } from '../config/schema.ts';
import type { Hashed, OpenStudy } from '../open/study.ts';
import type { ClassifierReport } from './classifierModel.ts';

/** What verdicts depend on beside the completion: files by their hashes, and everything else as JSON. */
export interface Fingerprint {
  readonly inputs: Readonly<Record<string, Hashed>>;
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** options that hold a secret, as they may be shown */
  readonly shown?: Readonly<Record<string, string>>;
  /** score from which a completion is positive; what has been graded is labelled anew where it changes */
  readonly threshold: number;
  /** whether a model that runs here computes the verdicts */
  readonly computed: boolean;
}

export interface OpenJudgeOptions {
  /** Told how a trained judge did on what was held out. */
  readonly onReport?: (report: ClassifierReport) => void;
  /** What earlier runs have spent of the study's budget; default nothing. */
  readonly spent?: Spent;
  /** Told what was paid on a completion that may get no verdict; default nobody. */
  readonly onLost?: (
    item: JudgeItem,
    cost: { readonly calls: number; readonly price: number },
  ) => Promise<void>;
  /** What came of a question in a batch, by its text; default nothing. */
  readonly heard?: (content: string) => readonly Heard[];
}

/** What a judge that is asked in batches starts from. */
export interface BatchOptions {
  readonly heard: (content: string) => readonly Heard[];
  readonly manner: Manner | undefined;
}

/** The judge of one study, before it is opened. */
export interface JudgeOf {
  /**
   * Whether a prompt's completions are read together, so that the last digits of a score depend on its
   * companions: then a prompt is graded whole, or a run that goes on would not end with the same bytes.
   */
  readonly wholePrompts: boolean;
  /** Whether opening it trains it into the study's folder. */
  readonly trains: boolean;
  /** Whether its verdicts are worth keeping by text beside the results: they cost calls, or long. */
  readonly keeps?: boolean;
  fingerprint(): Promise<Fingerprint>;
  /** Throws InputError where something that it needs is missing: before any work is done. */
  check(): Promise<void>;
  /** Opens it, training it first where it is one that learns. Throws InputError where it cannot work. */
  open(options?: OpenJudgeOptions): Promise<Judge>;
  /** The judge as one that is asked in batches; absent where it takes none. */
  batch?(options: BatchOptions): Promise<ChatBatch>;
}

/** A flag of `culprit init`, and the field of the judge's section that it fills. */
export interface JudgeFlag {
  /** as the command takes it: `--judge-url <url>`; kinds may share one, spelled alike */
  readonly flag: string;
  readonly field: string;
  /** whether its value is a path */
  readonly isPath?: boolean;
  /** what the value is, in a phrase */
  readonly about: string;
}

/** What is to be graded, for an estimate of what that takes. */
export interface GradingWork {
  readonly completions: number;
  /** completions of each prompt */
  readonly perPrompt: number;
  /** mean tokens of a prompt */
  readonly promptTokens: number;
  /** the most tokens of a completion */
  readonly completionTokens: number;
  /** seconds of one token's pass through the subject */
  readonly tokenSeconds: number;
}

type KindSchema<C> = z.ZodType<C> & z.core.$ZodTypeDiscriminable;

export interface JudgeKind<C extends JudgeConfig = JudgeConfig> {
  /** its name in study.yaml, where the section's field `kind` has it */
  readonly kind: string;
  /** what it is, in a phrase for help */
  readonly about: string;
  /** The judge's section of a study whose paths are relative to `folder`. */
  schema(folder: string): KindSchema<C>;
  readonly flags: readonly JudgeFlag[];
  /** About how long it takes over what is to be graded. */
  seconds(config: C, work: GradingWork): number;
  /** How many completions it looks at side by side; default one. */
  abreast?(config: C): number;
  /** What its calls cost, by the prices given; undefined where none are. Default: nothing is paid. */
  price?(config: C, work: GradingWork): number | undefined;
  /** Texts that it reads and writes before its first verdict in this study; default none. */
  firstTexts?(config: C, study: OpenStudy): Promise<number>;
  /** what to know of its work before a run, in a phrase */
  readonly note?: string;
  /** what the estimate takes for granted, in a sentence */
  readonly assumption?: string;
  of(config: C, study: OpenStudy): JudgeOf;
}

/** The field of a judge's section that sets where positive begins. */
export const thresholdField = () =>
  about(real({ from: 0, to: 1 }).default(0.5), 'a completion with at least this score (0 to 1) is positive');
