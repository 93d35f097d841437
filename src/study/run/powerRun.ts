/** What effect the causal test of a study can find, before it is run. */
import { join } from 'node:path';
import { isThere } from '../../files/ifThere.ts';
import { intraclassCorrelation } from '../../methods/statistics/intraclass.ts';
import type { PowerConfig } from '../../methods/steering/power.ts';
import { resultFiles } from '../../results.ts';
import { readCompletions, readGrades } from '../open/records.ts';
import { readStudy } from './ownStudy.ts';

/** A causal test's size, and what its completions are like. */
export type PowerSize = Required<
  Pick<PowerConfig, 'prompts' | 'completions' | 'random' | 'candidates' | 'share' | 'icc'>
>;

/** The size of a new study, and completions as they may be where there are no grades to tell. */
export const defaultPowerSize: PowerSize = {
  prompts: 60,
  completions: 3,
  random: 50,
  candidates: 100,
  share: 0.5,
  icc: 0.3,
};

/** Share of positives and likeness of a prompt's completions, of the coherent ones that are graded. */
async function gradedIn(folder: string): Promise<Partial<Pick<PowerSize, 'share' | 'icc'>>> {
  const files = [resultFiles.completions, resultFiles.grades].map((name) => join(folder, name));
  if (!(await Promise.all(files.map(isThere))).every(Boolean)) return {};
  const grades = await readGrades(folder);
  const byPrompt = new Map<string, number[]>();
  for (const { id, prompt_id } of await readCompletions(folder)) {
    const grade = grades.get(id);
    if (!grade?.coherent) continue;
    const own = byPrompt.get(prompt_id) ?? [];
    own.push(Number(grade.label === 'positive'));
    byPrompt.set(prompt_id, own);
  }
  const groups = [...byPrompt.values()];
  const all = groups.flat();
  const share = all.reduce((sum, value) => sum + value, 0) / all.length;
  const icc = intraclassCorrelation(groups);
  return { ...(share > 0 && share < 1 ? { share } : {}), ...(icc < 1 ? { icc } : {}) };
}

/**
 * The size of a study's causal test, from its study.yaml and, where there are any, its grades; what it leaves open
 * is as by default, and what is `given` as given. Every selector is counted as proposing latents of its own.
 * Throws InputError where the study can't be read.
 */
export async function powerSize(study: string | undefined, given: Partial<PowerSize>): Promise<PowerSize> {
  return { ...defaultPowerSize, ...(study === undefined ? {} : await sizeOf(study)), ...given };
}

async function sizeOf(study: string): Promise<Partial<PowerSize>> {
  const { config, folder } = await readStudy(study);
  const { steering, prompts } = config;
  return {
    ...(prompts && prompts.evaluation >= 2 ? { prompts: prompts.evaluation } : {}),
    completions: steering.completions,
    random: steering.random,
    candidates: steering.selectors.length * steering.candidates,
    ...(await gradedIn(folder)),
  };
}
