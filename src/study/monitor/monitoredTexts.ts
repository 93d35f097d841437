/** The texts that a monitor is fitted to and tried on: completions with a label, of a study or of a file. Reads no model. */
import { join } from 'node:path';
import { InputError, NothingToWorkOn } from '../../errors.ts';
import { isThere } from '../../files/ifThere.ts';
import { type Prompt, resultFiles } from '../../results.ts';
import { readCompared } from '../judging/comparedFile.ts';
import { readGradedTexts, readTestPrompts } from '../judging/gradedTexts.ts';
import { readCompletions, readGrades } from '../open/records.ts';
import { promptHash } from '../store/contentHash.ts';
import { changedSince } from '../store/stageState.ts';

export interface MonitoredText {
  readonly prompt: Prompt;
  readonly completion: string;
  /** of its prompt */
  readonly group: string;
  readonly positive: boolean;
}

/** What a study's texts stand in. */
const textFiles = [
  resultFiles.completions,
  resultFiles.grades,
  resultFiles.steered,
  resultFiles.steeringSummary,
];

/** Throws InputError where one of the files that are there is not as its stage made it. */
export async function checkAsMade(folder: string, files: readonly string[]): Promise<void> {
  const changed = await changedSince(folder, files);
  if (changed !== undefined) throw new InputError(changed);
}

/** Coherent completions of a study that the judge has graded. Throws InputError where there are none yet. */
export async function discoveryTexts(folder: string): Promise<MonitoredText[]> {
  await checkAsMade(folder, textFiles);
  for (const name of [resultFiles.completions, resultFiles.grades])
    if (!(await isThere(join(folder, name))))
      throw new InputError(`${join(folder, name)}: no such file: \`culprit run\` makes it`);
  const grades = await readGrades(folder);
  return (await readCompletions(folder)).flatMap(({ id, prompt, prompt_id, text }) => {
    const grade = grades.get(id);
    if (!grade?.coherent || text.trim() === '') return [];
    return [{ prompt, completion: text, group: prompt_id, positive: grade.label === 'positive' }];
  });
}

/**
 * Coherent completions of the subject as it is, on the prompts that the causal test measured effects on; undefined
 * where there was none.
 */
export async function unsteeredTexts(folder: string): Promise<MonitoredText[] | undefined> {
  if (!(await isThere(join(folder, resultFiles.steered)))) return undefined;
  const prompts = await readTestPrompts(folder);
  return (await readGradedTexts(folder))
    .filter(({ arm, side, said, text }) => {
      const isSubject = arm === 'alone' && side === 'away';
      return isSubject && said !== 'incoherent' && text.trim() !== '';
    })
    .map(({ prompt_id, text, said }) => {
      const prompt = prompts.get(prompt_id);
      if (prompt === undefined)
        throw new InputError(
          `${join(folder, resultFiles.steeringSummary)}: expected prompt ${prompt_id}, which steered.jsonl has, found none`,
        );
      return { prompt, completion: text, group: prompt_id, positive: said === 'positive' };
    });
}

/** Coherent completions of a JSON Lines or CSV file that have a label, as `culprit judge compare` reads them. */
export async function labelledTexts(file: string): Promise<MonitoredText[]> {
  const texts = (await readCompared(file)).flatMap(({ prompt, completion, rating }) =>
    rating?.coherent ? [{ prompt, completion, group: promptHash(prompt), positive: rating.positive }] : [],
  );
  if (texts.length === 0)
    throw new NothingToWorkOn(
      `${file}: expected completions with labels in the field label, positive or aligned, found none`,
    );
  return texts;
}
