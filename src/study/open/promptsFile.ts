/** A study's prompts from a JSON Lines or CSV file: those to find latents with, those to test them on. Knows no model. */

import { InputError } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';
import { shuffled } from '../../methods/statistics/groups.ts';
import { generatorOf } from '../../methods/statistics/random.ts';
import type { Prompt } from '../../results.ts';
import type { PromptsConfig } from '../config/schema.ts';
import { promptHash } from '../store/contentHash.ts';
import { type FieldRow, fieldOf, fieldRows, idOf, promptIn } from './fieldRows.ts';

export interface StudyPrompt {
  /** the row's own, else `r` and its row */
  readonly id: string;
  /** which row of the file, from 0 */
  readonly row: number;
  readonly prompt: Prompt;
}

/** Prompts in the order that the seed gives: a greater count of one kind only adds to its end, and leaves the others as they are where prompts are left. */
export interface StudyPrompts {
  readonly discovery: readonly StudyPrompt[];
  /** to test the latents on; none where there is no causal test */
  readonly evaluation: readonly StudyPrompt[];
  /** to find doses of steering on; none where there is no causal test */
  readonly calibration: readonly StudyPrompt[];
  /** the rest of the rows */
  readonly others: readonly StudyPrompt[];
}

/**
 * The prompts of a study, drawn from the rows that it names: discovery from the start of a shuffled list; from its end evaluation and calibration,
 * by turns. The three never overlap. Evaluation and calibration never move for one another, nor for discovery as long as both have their turns behind
 * it; discovery moves for neither. Throws InputError `file:line: ...` for a line without a prompt, an id or a prompt that another line has, or where
 * there are fewer than asked for.
 */
export async function readPrompts(config: PromptsConfig): Promise<StudyPrompts> {
  const all = await readAll(config);
  const { discovery, evaluation, calibration } = config;
  if (all.length < discovery + evaluation + calibration) throw tooFew(config, all.length);
  const drawn = shuffled(all, generatorOf(config.seed));
  const rest = drawn.slice(discovery);
  const [first, second] = byTurns([...rest].reverse(), evaluation, calibration);
  const taken = new Set([...first, ...second]);
  return {
    discovery: drawn.slice(0, discovery),
    evaluation: first,
    calibration: second,
    others: rest.filter((prompt) => !taken.has(prompt)),
  };
}

/** Two counts of items, which are as many in all at most: each list takes every other one, then of the other's turns the last ones first. */
function byTurns<T>(items: readonly T[], first: number, second: number): [T[], T[]] {
  const even = items.filter((_, i) => i % 2 === 0);
  const odd = items.filter((_, i) => i % 2 === 1);
  return [
    [...even, ...[...odd].reverse()].slice(0, first),
    [...odd, ...[...even].reverse()].slice(0, second),
  ];
}

function tooFew(
  { file, rows, discovery, evaluation, calibration }: PromptsConfig,
  found: number,
): InputError {
  const where = rows === undefined ? '' : ` in prompts.rows ${rows.first}..${rows.last}`;
  const mend =
    found === 0 ? '' : `: lower these in study.yaml to at most ${found} in total, or give more prompts`;
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
        `${row.where}: expected different prompts, found the prompt of line ${same.row + 1} again`,
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
