/**
 * The texts of a causal test with what the judge said of each: of steered.jsonl only what the judge's error
 * is measured from. Knows not how texts were steered, only which arm each belongs to.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { InputError, NothingToWorkOn } from '../../errors.ts';
import { isThere } from '../../files/ifThere.ts';
import { readJson } from '../../files/jsonFile.ts';
import { readJsonl } from '../../files/jsonl.ts';
import { checked } from '../../files/schema.ts';
import type { VerdictName } from '../../methods/judging/judgeError.ts';
import {
  type Prompt,
  promptSchema,
  resultFiles,
  type TextArm,
  type TrialOperation,
  type TrialRecord,
  trialRecord,
} from '../../results.ts';
import { jsonHash } from '../store/hash.ts';

const otherRecord = z.object({ kind: z.string() });

export interface GradedText {
  /** tells nothing of its arm */
  readonly id: string;
  readonly prompt_id: string;
  readonly text: string;
  readonly ended: boolean;
  readonly arm: TextArm;
  readonly side: string;
  readonly latent: number | null;
  readonly name: string | null;
  readonly said: VerdictName;
}

const armsOf = {
  add: 'steered',
  remove: 'removed',
  subtract: 'removed',
  remove_all: 'removed',
  remove_prompt: 'removed',
  remove_completion: 'removed',
  patch: 'patched',
} as const satisfies Record<Exclude<TrialOperation, 'system' | 'cap'>, TextArm>;

/** None of a system message's or a cap's: they belong to no arm that a judge's error is told of. */
function textsOf({ id, side, direction, latent, operation, completions }: TrialRecord): GradedText[] {
  if (operation === 'system' || operation === 'cap') return [];
  const arm = operation === null ? 'alone' : armsOf[operation];
  return completions
    .filter(({ judged }) => judged)
    .map(({ prompt_id, index, text, stop, label, coherent }) => ({
      arm,
      side,
      latent,
      name: direction,
      id: jsonHash([id, prompt_id, index, text]).slice(0, 12),
      prompt_id,
      text,
      ended: stop !== 'length',
      said: coherent ? label : 'incoherent',
    }));
}

/**
 * The texts on evaluation prompts that the judge was asked about, in the order of the file; those that doses
 * were found on do not count. Throws InputError where the study has no causal test yet.
 */
export async function readGradedTexts(folder: string): Promise<GradedText[]> {
  const path = join(folder, resultFiles.steered);
  if (!(await isThere(path)))
    throw new InputError(
      `${path}: no such file: the judge's error is measured on steered texts, which \`culprit run\` makes`,
    );
  const texts: GradedText[] = [];
  for await (const { line, value } of readJsonl(path, z.looseObject(otherRecord.shape))) {
    if (value.kind !== 'trial') continue;
    const record = checked(trialRecord, value, `${path}:${line}`);
    if (record.part !== 'calibration') texts.push(...textsOf(record));
  }
  if (texts.length === 0)
    throw new NothingToWorkOn(`${path}: expected texts on evaluation prompts, found none`);
  return texts;
}

const promptList = z.object({ prompts: z.array(z.object({ id: z.string(), prompt: promptSchema })) });

/** The prompts of the causal test, by id. */
export async function readTestPrompts(folder: string): Promise<Map<string, Prompt>> {
  const path = join(folder, resultFiles.steeringSummary);
  const { prompts } = checked(promptList, await readJson(path), path);
  return new Map(prompts.map(({ id, prompt }) => [id, prompt]));
}
