/** What a study's latents seem to mean, in its folder. One run at a time in a study. */

import { checked } from '../../files/schema.ts';
import { checkAttributed } from '../attribution/4-attribute.ts';
import {
  type ChatExplainerConfig,
  chatExplainerSchema,
  type ExplainerConfig,
} from '../config/sections/interpret.ts';
import {
  type InterpretOptions,
  interpretOptions,
  runInterpret,
  type StudyInterpretation,
} from '../interpretation/6-interpret.ts';
import { explainerOf } from '../interpretation/openExplainer.ts';
import { given } from '../judging/given.ts';
import type { Machine } from '../open/machine.ts';
import type { Progress } from '../open/progress.ts';
import { beginManifest } from '../store/finishStage.ts';
import { lockStudy } from '../store/lock.ts';
import { openFor } from './studyRun.ts';

/**
 * What is told in place of study.yaml's explainer, or beside it: no explainer, or fields of a chat
 * endpoint.
 */
export type ExplainerChange = false | Partial<Record<keyof ChatExplainerConfig, unknown>>;

/** What is not given is as study.yaml says, or else as by default. */
type Given = {
  readonly [K in Exclude<keyof InterpretOptions, 'explainer'>]?: InterpretOptions[K] | undefined;
};

export interface InterpretRequest extends Given, Machine {
  readonly explainer?: ExplainerChange | undefined;
  /** a study's folder, or its study.yaml */
  readonly study: string;
  /** where an API key is looked for; default the process's own */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** the date for chat templates that print it; default the study's first day */
  readonly date?: Date | undefined;
  readonly progress?: Progress | undefined;
}

export interface InterpretResult extends StudyInterpretation {
  readonly folder: string;
  /** why not all are explained, where they were to be: what is done is kept */
  readonly stopped?: string;
}

/** Throws InputError where the fields do not make an explainer. */
function changed(
  from: ExplainerConfig | undefined,
  change: ExplainerChange | undefined,
): ExplainerConfig | undefined {
  if (change === false) return undefined;
  const fields = given(change ?? {});
  if (Object.keys(fields).length === 0) return from;
  const base = from?.kind === 'chat' ? from : { kind: 'chat' };
  return checked(chatExplainerSchema, { ...base, ...fields }, 'explainer');
}

/**
 * Makes latents/NNN.json of a study that has its attribution. Throws InputError for anything wrong in what
 * was given, or where another run is at work in the study.
 */
export async function interpretStudy(request: InterpretRequest): Promise<InterpretResult> {
  const { study: path, cacheDir, memory, progress, environment, date, explainer, ...change } = request;
  const study = await openFor({ study: path, cacheDir, memory, progress, environment, date });
  const unlock = await lockStudy(study.folder, study.clock);
  try {
    await beginManifest(study.folder, study.recorder);
    await checkAttributed(study);
    const from = interpretOptions(study);
    const options = { ...from, ...given(change), explainer: changed(from.explainer, explainer) };
    if (options.explainer) await explainerOf(study, options.explainer).check();
    const { result, stopped } = await runInterpret(study, options);
    return { ...result!, folder: study.folder, ...(stopped && { stopped: stopped.reason }) };
  } finally {
    await study.close();
    await unlock();
  }
}
