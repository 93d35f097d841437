/**
 * Rows of named fields from a file, JSON Lines or CSV, and the prompt or text in one of their fields. Knows
 * no field but `id`.
 */

import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';
import { readCsv } from '../../files/csv.ts';
import { localPath } from '../../files/hub/cache.ts';
import { readJsonl } from '../../files/jsonl.ts';
import { checked } from '../../files/schema.ts';
import { messageText, type Prompt, promptSchema } from '../../results.ts';
import type { FileRows } from '../config/fields.ts';

export interface FieldRow {
  /**
   * from 0: the line of a JSON Lines file, blank ones counted; the record of a CSV file, its head not
   * counted
   */
  readonly row: number;
  /** `file:line`, for errors */
  readonly where: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * The rows within `range`, in order, of a CSV file where the name ends with .csv, else of a JSON Lines
 * file. Throws InputError where the file is damaged, one of the rows no object, or the file ends before the
 * last of them.
 */
export async function* fieldRows(given: string, range?: FileRows): AsyncGenerator<FieldRow> {
  const path = await localPath(given);
  let rows = 0;
  for await (const { row, where, fields } of path.toLowerCase().endsWith('.csv')
    ? csvRows(path)
    : jsonRows(path)) {
    rows = row + 1;
    if (range !== undefined && (row < range.first || row > range.last)) continue;
    yield { row, where, fields: checked(anyObject, fields, where) };
  }
  if (range !== undefined && range.last >= rows)
    throw new InputError(`${path}: expected rows ${range.first}..${range.last}, found ${rows} rows`);
}

const anyObject = z.record(z.string(), z.unknown(), { error: 'expected an object' });

interface RawRow {
  readonly row: number;
  readonly where: string;
  readonly fields: unknown;
}

async function* jsonRows(path: string): AsyncGenerator<RawRow> {
  for await (const { line, value } of readJsonl(path, z.unknown()))
    yield { row: line - 1, where: `${path}:${line}`, fields: value };
}

async function* csvRows(path: string): AsyncGenerator<RawRow> {
  let row = 0;
  for await (const { line, value } of readCsv(path))
    yield { row: row++, where: `${path}:${line}`, fields: value };
}

const shownFields = 12;

/** The first of `names` that the row has. Throws InputError with the fields that it does have, and `hint`. */
export function fieldOf({ fields, where }: FieldRow, names: readonly string[], hint = ''): string {
  const found = names.find((name) => Object.hasOwn(fields, name));
  if (found !== undefined) return found;
  const there = Object.keys(fields).map((name) => (/^[\w-]{1,60}$/.test(name) ? name : quoted(name)));
  const shown = there.slice(0, shownFields).join(', ') + (there.length > shownFields ? ', ...' : '');
  throw new InputError(
    `${where}: expected the field ${names.join(' or ')}, found ${shown === '' ? 'none' : shown}${hint}`,
  );
}

/** The prompt in a field; a text is taken as one user message, or as it stands. */
export function promptIn(
  { fields, where }: FieldRow,
  name: string,
  taken: 'message' | 'as it stands',
): Prompt {
  const prompt = checked(promptSchema, fields[name], `${where}: ${name}`);
  const texts = typeof prompt === 'string' ? [prompt] : prompt.map(messageText);
  if (texts.every((text) => text.trim() === ''))
    throw new InputError(`${where}: ${name}: expected a prompt, found none but white space`);
  return typeof prompt === 'string' && taken === 'message' ? [{ role: 'user', content: prompt }] : prompt;
}

/** The text in a field. */
export function textIn({ fields, where }: FieldRow, name: string): string {
  return checked(z.string(), fields[name], `${where}: ${name}`);
}

const expectedId = { error: 'expected a text of a character or more, or a whole number' };
const anyId = z.union([z.string().min(1, expectedId), z.int().transform(String)], expectedId);

/** The row's `id`, a whole number as its digits; else `letter` and the row. */
export function idOf({ fields, row, where }: FieldRow, letter = 'r'): string {
  if (!Object.hasOwn(fields, 'id')) return `${letter}${row}`;
  return checked(anyId, fields.id, `${where}: id`);
}
