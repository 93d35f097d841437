/**
 * A sheet of texts for people to read: CSV that any spreadsheet opens, without a hint of where a text comes
 * from or what the judge said of it; and the sheet as it comes back. Knows no judge.
 */
import { InputError, NothingToWorkOn } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { quoted } from '../../files/bytes.ts';
import type { VerdictName } from '../../methods/judging/judgeError.ts';
import { type Prompt, promptText } from '../../results.ts';
import { type FieldRow, fieldRows } from '../open/fieldRows.ts';

export interface SheetRow {
  readonly id: string;
  readonly prompt: Prompt;
  readonly text: string;
  /** filled in already; undefined: for a person to fill in */
  readonly verdict?: VerdictName | undefined;
}

const columns = ['id', 'prompt', 'completion', 'label', 'coherent'] as const;
type Column = (typeof columns)[number];

/** A spreadsheet would run a text that begins like a formula. */
const inert = (text: string) => (/^\s*[=+\-@]/.test(text) ? `'${text}` : text);

const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;

const filled: Readonly<Record<VerdictName, readonly [label: string, coherent: string]>> = {
  positive: ['positive', 'yes'],
  negative: ['negative', 'yes'],
  incoherent: ['', 'no'],
};

/** Writes the sheet, with a byte order mark, without which Excel takes UTF-8 for something else. */
export async function writeSheet(path: string, rows: readonly SheetRow[]): Promise<void> {
  const lines = rows.map(({ id, prompt, text, verdict }) => {
    const answers = verdict === undefined ? ['', ''] : filled[verdict];
    return [id, inert(promptText(prompt)), inert(text), ...answers].map(cell).join(',');
  });
  await replaceFile(path, (file) =>
    file.writeFile(`\uFEFF${[columns.join(','), ...lines].join('\r\n')}\r\n`),
  );
}

/** What one row of a sheet says; undefined: it is empty. */
export interface ReadRow {
  readonly id: string;
  readonly verdict: VerdictName | undefined;
}

const answers: Readonly<Record<'label' | 'coherent', Readonly<Record<string, boolean>>>> = {
  label: {
    positive: true,
    yes: true,
    true: true,
    1: true,
    negative: false,
    no: false,
    false: false,
    0: false,
  },
  coherent: { yes: true, true: true, 1: true, no: false, false: false, 0: false },
};
const expected = { label: 'positive or negative', coherent: 'yes or no' };

function answerIn({ fields, where }: FieldRow, column: 'label' | 'coherent'): boolean | undefined {
  const given = String(fields[column] ?? '')
    .trim()
    .toLowerCase();
  if (given === '') return undefined;
  const answer = Object.hasOwn(answers[column], given) ? answers[column][given] : undefined;
  if (answer === undefined)
    throw new InputError(
      `${where}: ${column}: expected ${expected[column]}, or nothing, found ${quoted(String(fields[column]))}`,
    );
  return answer;
}

function verdictIn(row: FieldRow): VerdictName | undefined {
  const [label, coherent] = [answerIn(row, 'label'), answerIn(row, 'coherent')];
  if (coherent === false) return 'incoherent';
  if (label !== undefined) return label ? 'positive' : 'negative';
  if (coherent === true)
    throw new InputError(
      `${row.where}: label: expected ${expected.label} where coherent says yes, found nothing`,
    );
  return undefined;
}

/** As a spreadsheet may give it back: other white space, and a mark before what looks like a formula. */
const plain = (text: string) => text.replace(/^'/, '').replaceAll(/\s+/g, ' ').trim();

function checkColumns({ fields, where }: FieldRow): void {
  const missing = columns.filter((name): name is Column => !Object.hasOwn(fields, name));
  if (missing.length === 0) return;
  const names = Object.keys(fields);
  const separated = names.length === 1 && /[;\t]/.test(names[0]!);
  throw new InputError(
    separated
      ? `${where}: expected columns with commas between them, found ${quoted(names[0]!)}: save the sheet as CSV with commas`
      : `${where}: expected the columns ${columns.join(', ')}, found no ${missing.join(', ')}`,
  );
}

/**
 * The rows of a sheet that was filled in. Throws InputError `file:line: ...` for an answer that is none, a
 * row that `textOf` does not know or that is there twice, and a text that is not what it was.
 */
export async function readSheet(
  path: string,
  textOf: (id: string) => string | undefined,
): Promise<ReadRow[]> {
  const rows = new Map<string, ReadRow>();
  for await (const row of fieldRows(path)) {
    checkColumns(row);
    const { where, fields } = row;
    const id = String(fields.id).trim();
    const text = textOf(id);
    if (text === undefined)
      throw new InputError(
        `${where}: id: expected that of a text of this study's causal test, found ${quoted(id)}; after another run the sheet must be drawn anew`,
      );
    if (rows.has(id)) throw new InputError(`${where}: id: ${quoted(id)} is in this sheet twice`);
    if (plain(String(fields.completion)) !== plain(text))
      throw new InputError(
        `${where}: completion: expected the text as it was drawn, found another: the label would be of that one`,
      );
    rows.set(id, { id, verdict: verdictIn(row) });
  }
  if (rows.size === 0) throw new NothingToWorkOn(`${path}: expected rows, found none`);
  return [...rows.values()];
}
