/**
 * What a run of steering takes: the request, its own checks, and what a study or a file of prompts gives of
 * it. Opens no model.
 */

import { join } from 'node:path';
import { InputError, NothingToWorkOn } from '../../errors.ts';
import { isThere, readJsonIfThere } from '../../files/ifThere.ts';
import { checked } from '../../files/schema.ts';
import type { SampleOptions } from '../../methods/completions/sample.ts';
import type { SteeredTokens } from '../../methods/steering/steer.ts';
import { type Prompt, resultFiles, steeringSummarySchema } from '../../results.ts';
import type { EngineConfig } from '../config/sections/sampling.ts';
import { fieldOf, fieldRows, promptIn } from '../open/fieldRows.ts';
import type { Machine } from '../open/machine.ts';
import { openChosenSae, type SaeChoice, trainedLayer } from '../open/openSae.ts';
import type { Progress } from '../open/progress.ts';
import { readPrompts } from '../open/promptsFile.ts';
import { readStudy } from '../run/ownStudy.ts';
import { readStudyManifest } from '../store/manifest.ts';

/** What is steered along: a latent's unit decoder direction d_i, or the vector of a file (`readVector`). */
export type SteerTarget = { readonly latent: number } | { readonly vector: string };

/**
 * What is done along it, u being its unit direction and p = a_t · u:
 * - add: a_t + dose · s · u; with scale `raw`, a_t + dose · v, v the vector as published (u for a latent)
 * - set, cap: p becomes value, or min(p, value); in parts of s, with scale `raw` in the residual stream's
 *   own units
 * - ablate: p becomes ā · u, ā the baseline
 */
export type SteerChange =
  | { readonly kind: 'add'; readonly dose: number }
  | { readonly kind: 'set' | 'cap'; readonly value: number }
  | { readonly kind: 'ablate' };

export type AskedIntervention = SteerTarget & SteerChange;

/** The engine that a study names, and which of its models is asked of it. */
export interface EngineOfStudy {
  readonly config: EngineConfig;
  readonly side: StudySide;
}

export const steerScales = ['norm', 'raw'] as const;
export type SteerScale = (typeof steerScales)[number];

export interface SteerRequest extends Machine {
  readonly model: string;
  readonly adapter?: string | undefined;
  /** the dictionary of the latents */
  readonly sae?: string | undefined;
  /** what its files leave open */
  readonly saeSaid?: Omit<SaeChoice, 'path'> | undefined;
  /** L of resid_post L; default the SAE's, or that which a vector file names */
  readonly site?: number | undefined;
  /** each is one steered completion of every prompt and seed: interventions made together */
  readonly variants: readonly (readonly AskedIntervention[])[];
  /**
   * default norm: amounts in parts of s, the mean residual norm at the site over the prompts' tokens,
   * attention sinks left out
   */
  readonly scale?: SteerScale | undefined;
  /** the tokens steered; default all */
  readonly tokens?: SteeredTokens | undefined;
  /** ā, as `culprit baseline` writes it; for `ablate` */
  readonly baseline?: string | undefined;
  readonly prompts: readonly Prompt[];
  /**
   * a prompt that is a text is one user message to a model with a chat template; default false, it stands
   * as it is
   */
  readonly textIsMessage?: boolean | undefined;
  /** completions of each prompt, with the seeds seed, seed + 1, ...; default 2 */
  readonly samples?: number | undefined;
  /** default 1 */
  readonly seed?: number | undefined;
  /** s, where it is known; default the mean residual norm over the tokens of the prompts */
  readonly norm?: number | undefined;
  /** texts that end a completion */
  readonly stops?: readonly string[] | undefined;
  readonly sampling?: Pick<SampleOptions, 'temperature' | 'topK' | 'topP' | 'minP'> | undefined;
  /** the most tokens of a completion; default 110 */
  readonly maxTokens?: number | undefined;
  readonly progress?: Progress | undefined;
  /** the date for chat templates that print it; default the present */
  readonly now?: Date | undefined;
  /** where completions come from; default this machine, which also makes what the engine cannot */
  readonly engine?: EngineOfStudy | undefined;
}

export const steerDefaults = { samples: 2, seed: 1, temperature: 1, maxTokens: 110 };

/** What tells targets apart; for messages too. */
export const keyOf = (target: SteerTarget) =>
  'latent' in target ? `latent ${target.latent}` : target.vector;

/** The targets of a request, each once. */
export function targetsOf({ variants }: SteerRequest): Map<string, SteerTarget> {
  return new Map(variants.flat().map((asked) => [keyOf(asked), asked]));
}

function amountOf(change: SteerChange): number {
  if (change.kind === 'ablate') return 0;
  return change.kind === 'add' ? change.dose : change.value;
}

/** Throws InputError for what is wrong in a request by itself. */
export function checkRequest({ variants, baseline, sae, prompts }: SteerRequest): void {
  if (prompts.length === 0) throw new InputError('no prompts: add --prompt or --prompts');
  if (variants.length === 0 || variants.some((together) => together.length === 0))
    throw new InputError('nothing to steer along: add --latent or --vector');
  for (const together of variants) {
    const keys = together.map(keyOf);
    const twice = keys.find((key, i) => keys.indexOf(key) !== i);
    if (twice !== undefined) throw new InputError(`${twice}: expected once, found twice`);
  }
  const all = variants.flat();
  for (const asked of all) {
    const amount = amountOf(asked);
    if (!Number.isFinite(amount))
      throw new InputError(`${keyOf(asked)}: expected a finite amount, found ${amount}`);
  }
  if (all.some(({ kind }) => kind === 'ablate') && baseline === undefined)
    throw new InputError(
      '--ablate needs a baseline: add --baseline FILE (made by `culprit baseline`), or name a study that was attributed',
    );
  if (all.some((asked) => 'latent' in asked) && sae === undefined)
    throw new InputError('no SAE for the latents: add --sae');
}

/**
 * The prompts of a JSON Lines or CSV file, as a study reads them: `prompt` as it stands, or any field as
 * one user message.
 */
export async function steerPrompts(file: string, field?: string): Promise<Prompt[]> {
  const prompts: Prompt[] = [];
  for await (const row of fieldRows(file)) {
    const name = fieldOf(
      row,
      [field ?? 'prompt'],
      field === undefined ? ': name the one to use with --field' : '',
    );
    prompts.push(promptIn(row, name, field === undefined ? 'as it stands' : 'message'));
  }
  if (prompts.length === 0) throw new NothingToWorkOn(`${file}: expected prompts, found none`);
  return prompts;
}

/** What a study decides of a request; a caller lays its own choices over it. */
export type StudySteering = Pick<
  SteerRequest,
  | 'model'
  | 'adapter'
  | 'sae'
  | 'saeSaid'
  | 'site'
  | 'baseline'
  | 'maxTokens'
  | 'sampling'
  | 'stops'
  | 'norm'
  | 'now'
  | 'engine'
>;

/** Which of a study's models is steered, and in which direction its causal test does so. */
const confirmedDirection = { subject: 'away', reference: 'toward' } as const;
export type StudySide = keyof typeof confirmedDirection;

/** s of the study's causal test, where it has one at this site: a dose then is what it was there. */
async function confirmedNorm(
  folder: string,
  layer: number | undefined,
  side: StudySide,
): Promise<number | undefined> {
  const path = join(folder, resultFiles.steeringSummary);
  const json = await readJsonIfThere(path);
  if (json === undefined) return undefined;
  const { site, norm } = checked(steeringSummarySchema, json, path);
  return site === `resid_post ${layer}` ? norm[confirmedDirection[side]] : undefined;
}

/** The file with ā of the study's attribution, where it has been attributed: of the study's own site. */
async function attributedBaseline(folder: string): Promise<string | undefined> {
  const path = join(folder, resultFiles.attribution);
  return (await isThere(path)) ? path : undefined;
}

/**
 * What a study decides, and a prompt to show things on: its first for evaluation, else one that it leaves.
 * Throws InputError as `readStudy` and `readPrompts` do.
 */
export async function studySteering(
  path: string,
  side: StudySide = 'subject',
): Promise<{ base: StudySteering; prompt: () => Promise<Prompt> }> {
  const { config, folder, file } = await readStudy(path);
  const { sae, baseline, sampling } = config;
  const manifest = await readStudyManifest(folder);
  const day = manifest?.date ?? manifest?.created;
  const site = sae.site ?? trainedLayer(await openChosenSae(sae));
  return {
    base: {
      ...config[side],
      sae: sae.path,
      saeSaid: sae,
      site,
      norm: await confirmedNorm(folder, site, side),
      stops: sampling.stop,
      baseline: baseline && 'file' in baseline ? baseline.file : await attributedBaseline(folder),
      maxTokens: sampling.max_tokens,
      sampling: {
        temperature: sampling.temperature,
        topK: sampling.top_k,
        topP: sampling.top_p,
        minP: sampling.min_p,
      },
      now: day === undefined ? undefined : new Date(day),
      engine: sampling.engine && { config: sampling.engine, side },
    },
    async prompt() {
      if (config.prompts === undefined)
        throw new InputError(`${file}: prompts: found none to steer on: add --prompt or --prompts`);
      const { evaluation, others, discovery } = await readPrompts(config.prompts);
      return [...evaluation, ...others, ...discovery][0]!.prompt;
    },
  };
}
