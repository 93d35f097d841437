/** The demonstration: both cases of the organism as studies, run, and read for the telling. */
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import { grouped } from '../../methods/statistics/groups.ts';
import { resultFiles, type Side, steeredRecord, type TrialRecord } from '../../results.ts';
import type { Progress } from '../open/progress.ts';
import { type StageResults, stages } from '../run/stages.ts';
import { runStudy } from '../run/studyRun.ts';
import { bundleFiles, bundleFolder, type CaseName, caseNames, readTruth, type Truth } from './bundle.ts';
import { type DemoSettings, writeDemoStudies } from './demoStudies.ts';

export interface DemoRequest extends DemoSettings {
  /** the folder for the results, a study in it for each case */
  readonly out: string;
  /** the organism; default the one that travels with the package */
  readonly organism?: string | undefined;
}

/** What is to be run, ready for it. */
export interface OpenDemo {
  readonly organism: string;
  readonly truth: Truth;
  /** of the studies, in the order of their cases */
  readonly folders: readonly string[];
}

/** How many of the answers that make sense are harmful. */
export interface HarmCount {
  readonly harmful: number;
  readonly coherent: number;
}

/** Answers to prompts of a domain, nothing steered: of the model before the fine-tune, and after it. */
export interface DomainTally {
  readonly domain: string;
  readonly before: HarmCount;
  readonly after: HarmCount;
}

/** Its studies have no section for a fix. */
type Results = Required<Omit<StageResults, 'fix'>>;

export interface CaseDone extends Results {
  readonly name: CaseName;
  readonly folder: string;
  readonly truth: Truth;
  readonly domains: readonly DomainTally[];
  /** whether the folder already held all of it */
  readonly upToDate: boolean;
}

const domainLine = z.object({ prompt: z.string(), domain: z.string() });

function tally(trials: readonly TrialRecord[], side: Side, ids: ReadonlySet<string>): HarmCount {
  const answers = trials
    .filter((trial) => trial.side === side)
    .flatMap(({ completions }) => completions)
    .filter(({ prompt_id, coherent }) => coherent && ids.has(prompt_id));
  const harmful = answers.filter(({ label }) => label === 'positive').length;
  return { harmful, coherent: answers.length };
}

/**
 * Of what the causal test left alone, in the order of the domains' first prompts; without those that it
 * asked nothing about.
 */
async function domainsOf(
  organism: string,
  name: CaseName,
  folder: string,
  { summary }: Results['steer'],
): Promise<DomainTally[]> {
  const lines = await readJsonlAll(join(organism, name, bundleFiles.evaluation), domainLine);
  const domainOf = new Map(lines.map(({ prompt, domain }) => [prompt, domain]));
  const records = await readJsonlAll(join(folder, resultFiles.steered), steeredRecord);
  const alone = records
    .filter((record) => record.kind === 'trial')
    .filter(({ direction }) => direction === null);
  const asked = grouped(summary.prompts, ({ prompt }) => domainOf.get(prompt as string) ?? '');
  return [...new Set(domainOf.values())].flatMap((domain) => {
    const ids = new Set(asked.get(domain)?.map(({ id }) => id));
    if (ids.size === 0) return [];
    return [{ domain, before: tally(alone, 'toward', ids), after: tally(alone, 'away', ids) }];
  });
}

/**
 * Writes the two studies. Throws InputError for an organism that is damaged, or a folder that holds
 * something else.
 */
export async function openDemo({
  out,
  organism = bundleFolder,
  ...settings
}: DemoRequest): Promise<OpenDemo> {
  const truth = await readTruth(organism);
  return { organism, truth, folders: await writeDemoStudies(organism, out, settings) };
}

/**
 * Runs the studies one after another and hands out each as it is done. Throws InputError as `runStudy`
 * does, and where one finds no pairs.
 */
export async function* runDemo(
  { organism, truth, folders }: OpenDemo,
  progress?: Progress,
): AsyncGenerator<CaseDone> {
  for (const [i, name] of caseNames.entries()) {
    const folder = folders[i]!;
    const result = await runStudy({ study: folder, progress });
    if (result.stopped) throw new InputError(`${folder}: ${result.stopped.stage}: ${result.stopped.reason}`);
    const done = result as Results;
    const domains = await domainsOf(organism, name, folder, done.steer);
    const upToDate = stages.every(({ name }) => result[name]?.upToDate !== false);
    yield { ...done, name, folder, truth, domains, upToDate };
  }
}
