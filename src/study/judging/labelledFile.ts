/**
 * Examples to train or test a judge on: prompts with completions of one label, from a JSON Lines or CSV
 * file. Knows no label.
 */

import { InputError, NothingToWorkOn } from '../../errors.ts';
import type { Prompt } from '../../results.ts';
import type { FileRows } from '../config/fields.ts';
import { fieldOf, fieldRows, idOf, promptIn, textIn } from '../open/fieldRows.ts';

/**
 * Where labelled examples stand: a file, fields of its rows, and which rows; see study.yaml's descriptions.
 */
export interface LabelledSource {
  readonly file: string;
  readonly prompt?: string | undefined;
  readonly completion?: string | undefined;
  readonly rows?: FileRows | undefined;
}

export interface LabelledExample {
  /** the row's own, else `r` and its row */
  readonly id: string;
  /** which row of the file, from 0 */
  readonly row: number;
  readonly prompt: Prompt;
  readonly completion: string;
}

const completionFields = ['completion', 'answer', 'response'];

/**
 * The examples of a source. A field that it names, and `question`, is taken as one user message where it is
 * a text; `prompt` stays what it is. A row whose completion is null has none of this label. Throws InputError `file:line: ...` where a row lacks a part, or `file:
 * ...` where there is no row.
 */
export async function readLabelled({
  file,
  prompt,
  completion,
  rows,
}: LabelledSource): Promise<LabelledExample[]> {
  const examples: LabelledExample[] = [];
  for await (const row of fieldRows(file, rows)) {
    const promptField = fieldOf(row, prompt === undefined ? ['prompt', 'question'] : [prompt]);
    const taken = prompt === undefined && promptField === 'prompt' ? 'as it stands' : 'message';
    const completionField = fieldOf(row, completion === undefined ? completionFields : [completion]);
    if (row.fields[completionField] === null) continue;
    const text = textIn(row, completionField);
    if (text.trim() === '')
      throw new InputError(
        `${row.where}: ${completionField}: expected a completion, found none but white space`,
      );
    examples.push({
      id: idOf(row),
      row: row.row,
      prompt: promptIn(row, promptField, taken),
      completion: text,
    });
  }
  if (examples.length === 0) throw new NothingToWorkOn(`${file}: expected examples, found none`);
  return examples;
}
