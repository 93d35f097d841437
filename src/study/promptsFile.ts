/** A study's prompts from a JSON Lines or CSV file: those to find latents with, those to prove them on. Knows no model. */

import { InputError } from '../errors.ts';
import { quoted } from '../files/bytes.ts';
import { shuffled } from '../methods/groups.ts';
import { generatorOf } from '../methods/random.ts';
import type { PromptsConfig } from './config/schema.ts';
import { type FieldRow, fieldOf, fieldRows, idOf, promptIn } from './fieldRows.ts';
import { type Prompt, promptHash } from './records.ts';

export interface StudyPrompt {
  /** the row's own, else `r` and its row */
  readonly id: string;
  /** which row of the file, from 0 */
  readonly row: number;
  readonly prompt: Prompt;
}

/** Prompts in the order that the seed gives: a greater count of either kind only adds to its end. */
export interface StudyPrompts {
  readonly discovery: readonly StudyPrompt[];
  /** to prove the latents on; none where there is no proof */
  readonly evaluation: readonly StudyPrompt[];
  /** to find doses of steering on; none where there is no proof */
  readonly calibration: readonly StudyPrompt[];
  /** the rest of the rows */
  readonly others: readonly StudyPrompt[];
}

/**
 * The prompts of a study, drawn from the rows that it names. Throws InputError `file:line: ...` for a line without a prompt, an id or a prompt that
 * another line has, or where there are fewer than asked for.
 */
export async function readPrompts(config: PromptsConfig): Promise<StudyPrompts> {
  const all = await readAll(config);
  const { discovery, evaluation, calibration } = config;
  if (all.length < discovery + evaluation + calibration) throw tooFew(config, all.length);
  const drawn = shuffled(all, generatorOf(config.seed));
  const end = drawn.length - evaluation;
  return {
    discovery: drawn.slice(0, discovery),
    evaluation: drawn.slice(end).reverse(),
    calibration: drawn.slice(end - calibration, end).reverse(),
    others: drawn.slice(discovery, end - calibration),
  };
}

function tooFew(
  { file, rows, discovery, evaluation, calibration }: PromptsConfig,
  found: number,
): InputError {
  const where = rows === undefined ? '' : ` in prompts.rows ${rows.first}..${rows.last}`;
  const mend =
    found === 0 ? '' : `: lower these in study.yaml, to ${found} in all at most, or give more prompts`;
  return new InputError(
    `${file}: expected ${discovery + evaluation + calibration} prompts, as prompts.discovery ${discovery}, evaluation ${evaluation} and calibration ${calibration} ask for, found ${found || 'none'}${where}${mend}`,
  );
}

async function readAll({ file, field, rows }: PromptsConfig): Promise<StudyPrompt[]> {
  const prompts: StudyPrompt[] = [];
  const ids = new Map<string, FieldRow>();
  const contents = new Map<string, FieldRow>();
  for await (const row of fieldRows(file, rows)) {
    const found = { id: idOf(row), row: row.row, prompt: promptOf(row, field) };
    const sameId = ids.get(found.id);
    if (sameId)
      throw new InputError(
        `${row.where}: id: ${quoted(found.id)} is already the id of line ${sameId.row + 1}`,
      );
    const hash = promptHash(found.prompt);
    const same = contents.get(hash);
    if (same)
      throw new InputError(
        `${row.where}: expected prompts that differ, found that of line ${same.row + 1} again`,
      );
    ids.set(found.id, row);
    contents.set(hash, row);
    prompts.push(found);
  }
  return prompts;
}

function promptOf(row: FieldRow, field: string | undefined): Prompt {
  const hint = field === undefined ? ': name the one to use in study.yaml as prompts.field' : '';
  const name = fieldOf(row, [field ?? 'prompt'], hint);
  return promptIn(row, name, field === undefined ? 'as it stands' : 'message');
}
