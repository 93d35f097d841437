/**
 * CSV files with a head, record by record, so that they may be larger than memory. Knows no column by name.
 */
import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { CsvError, type Options, parse } from 'csv-parse';
import { InputError, inOneLine } from '../errors.ts';
import { explained, quoted, withFile } from './bytes.ts';
import { type Line, maxLineBytes } from './jsonl.ts';

/** What csv-parse gives of a record with the options below. */
interface Parsed {
  readonly record: readonly string[];
  /** the record as it stands in the file, with the blank lines before it */
  readonly raw: string;
}

/**
 * The records of a CSV file in UTF-8, each as a text by column and with the line that it begins at; the
 * first record is the head. Records end with any line end, blank lines are skipped. Throws InputError
 * `file:line: ...` where a record has other columns than the head, a quote is out of place or open at the
 * end, or the head has a name twice.
 */
export async function* readCsv(path: string): AsyncGenerator<Line<Readonly<Record<string, string>>>> {
  let head: readonly string[] | undefined;
  for await (const { line, value } of records(path)) {
    if (head === undefined) head = checkedHead(value, `${path}:${line}`);
    else yield { line, value: Object.fromEntries(head.map((name, i) => [name, value[i]!])) };
  }
  if (head === undefined)
    throw new InputError(`${path}: expected a head with the names of the columns, found nothing`);
}

function checkedHead(names: readonly string[], where: string): readonly string[] {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined)
    throw new InputError(`${where}: expected each column once, found ${quoted(twice)} twice`);
  return names;
}

async function* records(path: string): AsyncGenerator<Line<readonly string[]>> {
  // The checks of withFile (a regular file, readable) come first: to open a named pipe would wait for its
  // writer.
  await withFile(path, async () => undefined);
  let next = 1;
  const options: Options<Line<readonly string[]>, Parsed> = {
    bom: true,
    raw: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    max_record_size: maxLineBytes,
    // Called as each record is parsed, unlike the reader below. csv-parse's own count of lines takes \r\n
    // within quotes for two.
    on_record({ record, raw }: Parsed): Line<readonly string[]> {
      const line = next + lineEnds(/^[\r\n]*/.exec(raw)![0]);
      next += lineEnds(raw);
      return { line, value: record };
    },
  };
  // Its types have records as they are without `raw` and `on_record`.
  const parser = parse(options as unknown as Options);
  // What goes wrong on the way comes out of the parser, which is read below.
  pipeline(Readable.from(texts(path)), parser, () => {});
  try {
    yield* parser as AsyncIterable<Line<readonly string[]>>;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const what = error.message.replace(/ (on|at) line \d+/, '');
    throw new InputError(`${path}:${next}: not CSV: ${inOneLine(what)}`);
  }
}

const lineEnds = (text: string) => text.match(/\r\n|\n|\r/g)?.length ?? 0;

/** The file's text in pieces. */
async function* texts(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decoded = (bytes?: Buffer) => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw new InputError(`${path}: expected UTF-8, found invalid bytes`);
    }
  };
  try {
    for await (const bytes of createReadStream(path)) yield decoded(bytes as Buffer);
  } catch (error) {
    throw explained(error, path);
  }
  yield decoded();
}
