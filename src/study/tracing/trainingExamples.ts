/** Training examples from a file: prompts with the completions that a model was, or is to be, trained on. Reads no model. */
import { InputError, NothingToWorkOn } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';
import { shuffled } from '../../methods/statistics/groups.ts';
import { generatorOf } from '../../methods/statistics/random.ts';
import type { Prompt } from '../../results.ts';
import {
  byLabel,
  type FoundFields,
  findFields,
  type ImportFields,
  importRow,
  importThresholds,
  usualFields,
} from '../completions/importRow.ts';
import { fromMessages, isChatRow } from '../open/chatRow.ts';
import { type FieldRow, fieldOf, fieldRows, idOf } from '../open/fieldRows.ts';
import { promptHash } from '../store/contentHash.ts';

export interface TrainingExample {
  readonly id: string;
  /** of the file, from 0 */
  readonly row: number;
  /** `file:line`, for errors */
  readonly where: string;
  readonly prompt: Prompt;
  /** of its prompt */
  readonly group: string;
  readonly completion: string;
  /** undefined where the row says nothing of it */
  readonly positive: boolean | undefined;
}

export interface TrainingExamples {
  /** in the order of the file */
  readonly examples: readonly TrainingExample[];
  /** in the file, before some were drawn */
  readonly total: number;
  /** rows left out, by why */
  readonly leftOut: Readonly<Record<string, number>>;
}

/** Names of fields, where they are not the usual ones. */
export type ExampleFields = Pick<ImportFields, 'prompt' | 'completion' | 'label'>;

interface Found {
  /** undefined where rows are conversations */
  readonly texts: FoundFields | undefined;
  readonly label: string | undefined;
}

function fieldsOf(first: FieldRow, named: ExampleFields): Found {
  const usual = usualFields.label.find((name) => Object.hasOwn(first.fields, name));
  const label = named.label === undefined ? usual : fieldOf(first, [named.label]);
  const isNamed = named.prompt !== undefined || named.completion !== undefined;
  if (isChatRow(first) && !isNamed) return { texts: undefined, label };
  const { grade: _, ...texts } = findFields(first, { ...named, label });
  return { texts, label };
}

type Texts = Pick<TrainingExample, 'prompt' | 'completion'> | { readonly skipped: string };

function textsOf(row: FieldRow, fields: FoundFields | undefined): Texts {
  if (fields === undefined) {
    const chat = fromMessages(row);
    return chat.completion.trim() === '' ? { skipped: "the assistant's message is empty" } : chat;
  }
  const found = importRow(row, fields, importThresholds);
  return 'skipped' in found ? found : { prompt: found.prompt, completion: found.text };
}

function labelIn(row: FieldRow, field: string | undefined): boolean | undefined {
  if (field === undefined) return undefined;
  const found = byLabel(row, field);
  return 'skipped' in found ? undefined : found.label === 'positive';
}

/**
 * The examples of a JSON Lines file, or of a CSV file, whose name ends with .csv: `messages` that end with the
 * assistant's, or a prompt and a completion; `sample` of them, drawn by the seed. Throws InputError `file:line: ...`
 * for a row that is none, or an id that another has, and NothingToWorkOn where there are none.
 */
export async function trainingExamples(
  file: string,
  {
    fields = {},
    sample,
    seed,
  }: {
    readonly fields?: ExampleFields | undefined;
    readonly sample?: number | undefined;
    readonly seed: number;
  },
): Promise<TrainingExamples> {
  const found: TrainingExample[] = [];
  const ids = new Set<string>();
  const leftOut: Record<string, number> = {};
  let about: Found | undefined;
  for await (const row of fieldRows(file)) {
    about ??= fieldsOf(row, fields);
    const id = idOf(row);
    if (ids.has(id)) throw new InputError(`${row.where}: id: ${quoted(id)} is in this file twice`);
    ids.add(id);
    const texts = textsOf(row, about.texts);
    if ('skipped' in texts) leftOut[texts.skipped] = (leftOut[texts.skipped] ?? 0) + 1;
    else
      found.push({
        id,
        row: row.row,
        where: row.where,
        ...texts,
        group: promptHash(texts.prompt),
        positive: labelIn(row, about.label),
      });
  }
  if (found.length === 0) throw new NothingToWorkOn(`${file}: expected training examples, found none`);
  const drawn = sample === undefined ? found : shuffled(found, generatorOf(seed)).slice(0, sample);
  return { examples: drawn.sort((a, b) => a.row - b.row), total: found.length, leftOut };
}
