/**
 * A study's prompts from JSON Lines or CSV files: those to find latents with, those to test them on. Knows
 * no model.
 */

import { InputError } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';
import { shuffled } from '../../methods/statistics/groups.ts';
import { generatorOf } from '../../methods/statistics/random.ts';
import { counted, type Prompt } from '../../results.ts';
import type { PromptsConfig } from '../config/schema.ts';
import { promptHash } from '../store/contentHash.ts';
import { type FieldRow, fieldOf, fieldRows, idOf, promptIn } from './fieldRows.ts';

export interface StudyPrompt {
  /** the row's own, else `r` and its row, or `e` and its row in a file of prompts to test on */
  readonly id: string;
  readonly file: string;
  /** which row of the file, from 0 */
  readonly row: number;
  readonly prompt: Prompt;
}

/**
 * Prompts in the order that the seed gives: a greater count of one kind only adds to its end, and leaves
 * the others as they are where prompts are left.
 */
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
 * The prompts of a study, drawn from the rows that it names: discovery from the start of a shuffled list;
 * from its end evaluation and calibration, by turns. The three never overlap. Evaluation and calibration
 * never move for one another, nor for discovery as long as both have their turns behind it; discovery moves
 * for neither. Where they have a file of their own, they are drawn from that alone, by the same seed.
 * Throws InputError `file:line: ...` for a line without a prompt, an id or a prompt that another line has,
 * or where there are fewer than asked for.
 */
export async function readPrompts(config: PromptsConfig): Promise<StudyPrompts> {
  const { file, evaluation_file: apart, field, rows, seed } = config;
  const seen: Seen = { byId: new Map(), byContent: new Map() };
  const found = await readAll({ file, rows, field, letter: 'r', seen });
  const tested = apart === undefined ? undefined : await readAll({ file: apart, field, letter: 'e', seen });
  checkCounts(config, found.length, tested?.length);
  const drawn = shuffled(found, generatorOf(seed));
  const discovery = drawn.slice(0, config.discovery);
  const left = drawn.slice(config.discovery);
  const pool = tested === undefined ? left : shuffled(tested, generatorOf(seed));
  const [evaluation, calibration] = byTurns([...pool].reverse(), config.evaluation, config.calibration);
  const taken = new Set([...evaluation, ...calibration]);
  const rest = tested === undefined ? left : [...left, ...pool];
  return { discovery, evaluation, calibration, others: rest.filter((prompt) => !taken.has(prompt)) };
}

/**
 * Two counts of items, which are as many in all at most: each list takes every other one, then of the
 * other's turns the last ones first.
 */
function byTurns<T>(items: readonly T[], first: number, second: number): [T[], T[]] {
  const even = items.filter((_, i) => i % 2 === 0);
  const odd = items.filter((_, i) => i % 2 === 1);
  return [
    [...even, ...[...odd].reverse()].slice(0, first),
    [...odd, ...[...even].reverse()].slice(0, second),
  ];
}

/**
 * Throws InputError where a file has fewer prompts than are to be drawn from it; `tested`: how many the
 * file of prompts to test on has.
 */
function checkCounts(config: PromptsConfig, found: number, tested: number | undefined): void {
  const { file, evaluation_file: apart, discovery, evaluation, calibration } = config;
  if (apart === undefined) {
    const asked = `prompts.discovery ${discovery}, evaluation ${evaluation} and calibration ${calibration} ask`;
    if (found < discovery + evaluation + calibration)
      throw tooFew(file, config, discovery + evaluation + calibration, asked, found);
    return;
  }
  if (found < discovery) throw tooFew(file, config, discovery, `prompts.discovery ${discovery} asks`, found);
  const asked = `prompts.evaluation ${evaluation} and calibration ${calibration} ask`;
  if (tested! < evaluation + calibration) throw tooFew(apart, {}, evaluation + calibration, asked, tested!);
}

function tooFew(
  file: string,
  { rows }: Pick<PromptsConfig, 'rows'>,
  expected: number,
  asked: string,
  found: number,
): InputError {
  const where = rows === undefined ? '' : ` in prompts.rows ${rows.first}..${rows.last}`;
  const mend =
    found === 0 ? '' : `: lower these in study.yaml to at most ${found} in total, or give more prompts`;
  return new InputError(
    `${file}: expected ${counted(expected, 'prompt')}, as ${asked} for, found ${found || 'none'}${where}${mend}`,
  );
}

/** All prompts that were read. */
interface Seen {
  readonly byId: Map<string, StudyPrompt>;
  readonly byContent: Map<string, StudyPrompt>;
}

interface Source {
  readonly file: string;
  readonly rows?: PromptsConfig['rows'];
  readonly field: string | undefined;
  /** of the ids of rows that have none of their own */
  readonly letter: string;
  readonly seen: Seen;
}

/** Where a prompt stands, for a reader of `file`. */
const lineOf = (prompt: StudyPrompt, file: string) =>
  prompt.file === file ? `line ${prompt.row + 1}` : `${prompt.file}:${prompt.row + 1}`;

async function readAll({ file, rows, field, letter, seen }: Source): Promise<StudyPrompt[]> {
  const prompts: StudyPrompt[] = [];
  for await (const row of fieldRows(file, rows)) {
    const found = { id: idOf(row, letter), file, row: row.row, prompt: promptOf(row, field) };
    const sameId = seen.byId.get(found.id);
    if (sameId)
      throw new InputError(
        `${row.where}: id: ${quoted(found.id)} is already the id of ${lineOf(sameId, file)}`,
      );
    const hash = promptHash(found.prompt);
    const same = seen.byContent.get(hash);
    if (same)
      throw new InputError(
        `${row.where}: expected different prompts, found the prompt of ${lineOf(same, file)} again`,
      );
    seen.byId.set(found.id, found);
    seen.byContent.set(hash, found);
    prompts.push(found);
  }
  return prompts;
}

function promptOf(row: FieldRow, field: string | undefined): Prompt {
  const hint = field === undefined ? ': name the one to use in study.yaml as prompts.field' : '';
  const name = fieldOf(row, [field ?? 'prompt'], hint);
  return promptIn(row, name, field === undefined ? 'as it stands' : 'message');
}
