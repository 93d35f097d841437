/**
 * Completions to compare judges on, with what the file itself says of them; and grades that stand in a file
 * of their own. Knows no judge.
 */

import { z } from 'zod';
import { InputError, NothingToWorkOn } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import type { JudgeItem } from '../../judges/judge.ts';
import { type GradeRecord, gradeRecord, type Prompt } from '../../results.ts';
import {
  type FoundFields,
  findFields,
  importRow,
  importThresholds,
  withScales,
} from '../completions/importRow.ts';
import { type FieldRow, fieldRows, idOf } from '../open/fieldRows.ts';
import { contentOf } from '../store/contentHash.ts';

/** What one judge says of one completion. */
export interface Rating {
  readonly positive: boolean;
  /** 0 to 1; 0 or 1 where there is but a label */
  readonly score: number;
  readonly coherent: boolean;
}

export interface ComparedItem extends JudgeItem {
  readonly prompt: Prompt;
  /** by the file itself */
  readonly rating: Rating | undefined;
}

const ratingOf = ({ label, score, coherent }: Pick<GradeRecord, 'label' | 'score' | 'coherent'>): Rating => ({
  positive: label === 'positive',
  score,
  coherent,
});

/**
 * The fields of the first row: those that `culprit import` takes, or `text` as a study's own completions
 * have it.
 */
function fieldsOf(first: FieldRow): FoundFields {
  const usual = ['answer', 'completion', 'response'].some((name) => Object.hasOwn(first.fields, name));
  return findFields(first, !usual && Object.hasOwn(first.fields, 'text') ? { completion: 'text' } : {});
}

/**
 * The completions of a JSON Lines or CSV file; rows without a text, or with a field for a grade and none in
 * it, are left out. Throws InputError `file:line: ...` for a row without a prompt, a grade that is none, or
 * an id that another row has.
 */
export async function readCompared(file: string): Promise<ComparedItem[]> {
  const items = new Map<string, ComparedItem>();
  const rows: FieldRow[] = [];
  for await (const row of fieldRows(file)) rows.push(row);
  const fields = rows[0] && withScales(fieldsOf(rows[0]), rows, file);
  for (const row of rows) {
    const id = idOf(row);
    if (items.has(id)) throw new InputError(`${row.where}: id: ${quoted(id)} is in this file twice`);
    const found = importRow(row, fields!, importThresholds);
    if ('skipped' in found) continue;
    items.set(id, {
      id,
      prompt: found.prompt,
      completion: found.text,
      ended: row.fields.stop !== 'length',
      rating: found.grade && ratingOf(found.grade),
    });
  }
  if (items.size === 0) throw new NothingToWorkOn(`${file}: expected completions, found none`);
  return [...items.values()];
}

const grade = gradeRecord
  .pick({ id: true, score: true, label: true })
  .extend({ coherent: z.boolean().default(true), content: z.string().optional() });

/**
 * Ratings of items by the grades of a file, by id. Throws InputError for a grade that is of another text
 * than the item of its id.
 */
export async function readRatings(
  file: string,
  items: readonly ComparedItem[],
): Promise<Map<string, Rating>> {
  const grades = new Map((await readJsonlAll(file, grade)).map((one) => [one.id, one]));
  const ratings = new Map<string, Rating>();
  for (const { id, prompt, completion } of items) {
    const found = grades.get(id);
    if (found === undefined) continue;
    if (found.content !== undefined && found.content !== contentOf(prompt, completion))
      throw new InputError(
        `${file}: ${quoted(id)}: expected a grade of this completion, found one of another text`,
      );
    ratings.set(id, ratingOf(found));
  }
  return ratings;
}
