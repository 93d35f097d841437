/**
 * JSON Lines files, read line by line (so that they may be larger than memory; a name in .gz is unzipped on
 * the way) and appended to in whole lines. Knows no schema of its own.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { z } from 'zod';
import { InputError, inOneLine } from '../errors.ts';
import { parseJson } from '../results.ts';
import { explained, readInto, withFile } from './bytes.ts';
import { checked } from './schema.ts';

/**
 * Longest line read, in bytes: longer ones would not fit one string safely, and no record of ours comes
 * near.
 */
export const maxLineBytes = 2 ** 26;

const lineFeed = 10;

/** Bytes read at once. */
const chunkBytes = 2 ** 18;

export interface Line<T> {
  /** From 1, blank lines counted. */
  readonly line: number;
  readonly value: T;
}

export interface JsonlOptions {
  /**
   * What to do with a last line that has no line end and is no JSON, as a crash leaves it. Default 'error'.
   */
  readonly cutLastLine?: 'error' | 'drop';
  /** Told of a line that is no JSON, which is then passed over. Default: an error. */
  readonly onDamaged?: (line: number, reason: string) => void;
}

/**
 * The lines of a UTF-8 text file without their ends; \n and \r\n end a line, a byte order mark is skipped.
 * Throws InputError for a file that cannot be read, a line above `maxLineBytes`, or bytes that are not UTF-8.
 */
export async function* readLines(path: string): AsyncGenerator<Line<string>> {
  for await (const { line, bytes } of rawLines(path)) {
    const text = decoded(bytes, line);
    if (text === undefined) throw new InputError(`${path}:${line}: ${notUtf8}`);
    yield { line, value: text };
  }
}

const notUtf8 = 'expected UTF-8, found invalid bytes';
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a line, or undefined where it is not UTF-8. */
function decoded(bytes: Buffer, line: number): string | undefined {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return undefined;
  }
  return (line === 1 ? text.replace(/^\uFEFF/, '') : text).replace(/\r$/, '');
}

interface RawLine {
  readonly line: number;
  readonly bytes: Buffer;
  /** Whether a line end follows. */
  readonly ended: boolean;
}

async function* rawLines(path: string): AsyncGenerator<RawLine> {
  // The checks of withFile (a regular file, readable) come first: to open a named pipe would wait for its
  // writer.
  await withFile(path, async () => undefined);
  yield* linesOf(path.endsWith('.gz') ? unzipped(path) : chunksOf(path), path);
}

/** The file's bytes in pieces, each good until the next. */
async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  const handle = await openForReading(path);
  const chunk = Buffer.alloc(chunkBytes);
  try {
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunkBytes, null);
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function* unzipped(path: string): AsyncGenerator<Buffer> {
  const unzip = createGunzip();
  // What goes wrong on the way comes out of `unzip`, which is read below.
  pipeline(createReadStream(path), unzip, () => {});
  try {
    yield* unzip as AsyncIterable<Buffer>;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw code.startsWith('Z_')
      ? new InputError(`${path}: expected gzip: ${message}`)
      : explained(error, path);
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw explained(error, path);
  }
}

async function* linesOf(chunks: AsyncIterable<Buffer>, path: string): AsyncGenerator<RawLine> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let line = 1;
  for await (const chunk of chunks) {
    let start = 0;
    while (start < chunk.length) {
      const found = chunk.indexOf(lineFeed, start);
      const end = found < 0 ? chunk.length : found;
      pendingBytes += end - start;
      if (pendingBytes > maxLineBytes)
        throw new InputError(`${path}:${line}: expected a line of at most ${maxLineBytes} bytes`);
      pending.push(Buffer.from(chunk.subarray(start, end)));
      start = end + 1;
      if (found < 0) continue;
      yield { line, bytes: Buffer.concat(pending), ended: true };
      pending = [];
      pendingBytes = 0;
      line++;
    }
  }
  if (pendingBytes > 0) yield { line, bytes: Buffer.concat(pending), ended: false };
}

/**
 * The records of a JSON Lines file, each as `schema` outputs it; blank lines are skipped. Throws InputError
 * `file:line: ...` for a line that is not JSON or does not fit the schema.
 */
export async function* readJsonl<S extends z.ZodType>(
  path: string,
  schema: S,
  { cutLastLine = 'error', onDamaged }: JsonlOptions = {},
): AsyncGenerator<Line<z.output<S>>> {
  for await (const { line, bytes, ended } of rawLines(path)) {
    const where = `${path}:${line}`;
    const text = decoded(bytes, line);
    if (text?.trim() === '') continue;
    const json = parse(text);
    if (json.error === undefined) yield { line, value: checked(schema, json.value, where) };
    else if (ended && onDamaged) onDamaged(line, json.error);
    else if (ended || cutLastLine === 'error')
      throw new InputError(`${where}: ${json.error}${ended ? '' : ' (the file ends within this line)'}`);
  }
}

/** All records of `readJsonl`, in order. */
export async function readJsonlAll<S extends z.ZodType>(
  path: string,
  schema: S,
  options: JsonlOptions = {},
): Promise<z.output<S>[]> {
  const values: z.output<S>[] = [];
  for await (const { value } of readJsonl(path, schema, options)) values.push(value);
  return values;
}

type Parsed = { readonly value: unknown; readonly error?: undefined } | { readonly error: string };

function parse(text: string | undefined): Parsed {
  if (text === undefined) return { error: notUtf8 };
  try {
    return { value: parseJson(text) };
  } catch (error) {
    return { error: `not JSON: ${inOneLine((error as SyntaxError).message)}` };
  }
}

/**
 * Appends one line for each value and waits until the disk has them; makes the file where there is none. A
 * last line without a line end is completed if it is JSON; if not, it is an InputError or dropped, as
 * `cutLastLine` says.
 */
export async function appendJsonl(
  path: string,
  values: readonly object[],
  { cutLastLine = 'error' }: JsonlOptions = {},
): Promise<void> {
  const lines = values.map((value) => `${JSON.stringify(value)}\n`).join('');
  try {
    const handle = await open(path, 'a+');
    try {
      const lead = await mendEnd(handle, path, cutLastLine);
      await handle.appendFile(lead + lines);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw explained(error, path);
  }
}

/** Leaves the file at the end of a whole line, or returns the line end that is missing. */
async function mendEnd(handle: FileHandle, path: string, cutLastLine: 'error' | 'drop'): Promise<'' | '\n'> {
  const { size } = await handle.stat();
  const start = await startOfLastLine(handle, size, path);
  if (start === size) return '';
  const bytes = Buffer.alloc(size - start);
  await readInto({ path, size, handle }, bytes, start);
  if (parse(decoded(bytes, start === 0 ? 1 : 2)).error === undefined) return '\n';
  if (cutLastLine === 'error') throw new InputError(`${path}: the file ends within a line`);
  await handle.truncate(start);
  return '';
}

/** Byte after the last line end before `size`. */
async function startOfLastLine(handle: FileHandle, size: number, path: string): Promise<number> {
  const chunk = Buffer.alloc(chunkBytes);
  for (let end = size; end > 0; end -= chunkBytes) {
    if (size - end > maxLineBytes)
      throw new InputError(`${path}: the last line is longer than ${maxLineBytes} bytes`);
    const begin = Math.max(0, end - chunkBytes);
    const read = chunk.subarray(0, end - begin);
    await readInto({ path, size, handle }, read, begin);
    const found = read.lastIndexOf(lineFeed);
    if (found >= 0) return begin + found + 1;
  }
  return 0;
}
