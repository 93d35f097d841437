/**
 * The units of a stage that are done so far: a file that only grows, a line a unit, `{id, seconds, record,
 * hash}`. A unit stands in it for good once `append` has returned; one whose line is not as it was written
 * is done again. The seconds, which differ from run to run, stay here: the final file holds the records
 * alone. Knows no stage.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { explained } from '../../files/bytes.ts';
import { ifThere, statIfThere } from '../../files/ifThere.ts';
import { appendJsonl, type Line, readJsonl } from '../../files/jsonl.ts';
import { checked } from '../../files/schema.ts';
import { syncFolder } from './folder.ts';
import type { Clock } from './runRecord.ts';

/** Of lines that an older version wrote, without a hash, only the form is known. */
const entrySchema = z.strictObject({
  id: z.string(),
  /** absent where the unit was made before, and is taken over */
  seconds: z.number().min(0).optional(),
  record: z.unknown(),
  hash: z.string().optional(),
});

/** The first 64 bits of the SHA-256 of a unit's line. */
const hashOf = (id: string, seconds: number | undefined, record: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify([id, seconds, record]))
    .digest('hex')
    .slice(0, 16);

export interface Journal<R> {
  readonly path: string;
  /** By id, as the schema outputs them. */
  readonly records: ReadonlyMap<string, R>;
  /** Time that the units took, of all runs: from opening, or the append before, to the append. */
  readonly seconds: number;
  /** Says that the units begin now: what came before, such as loading a model, is no unit's time. */
  begin(): void;
  /**
   * Adds records and waits until the disk has them; the last of an id counts. Calls may overlap: they are
   * written in the order of the calls. Throws InputError where the disk is full; then nothing of this call
   * is added, and the journal stays sound. `made`: `before` for records that are taken over from elsewhere,
   * which took no time here.
   */
  append(records: readonly R[], made?: Made): Promise<void>;
}

export type Made = 'now' | 'before';

export interface JournalOptions {
  readonly clock: Clock;
  /** Told in one line what a killed run left unfinished in the file, where it did. */
  readonly note: (line: string) => void;
  /** Called before units are kept; where it throws, none of them is. */
  readonly check?: (() => Promise<void>) | undefined;
}

/**
 * Opens a journal that no other process writes to; the file is made by the first append. The schema must
 * take what it outputs and output it unchanged. A line that was changed since it was written counts as not
 * there, and an unfinished last one is cut off; `note` is told of both. Throws InputError for a sound line
 * whose record does not fit the schema.
 */
export async function openJournal<S extends z.ZodType>(
  path: string,
  schema: S,
  idOf: (record: z.output<S>) => string,
  { clock, note, check }: JournalOptions,
): Promise<Journal<z.output<S>>> {
  const records = new Map<string, z.output<S>>();
  let seconds = 0;
  const { cut, size } = await cutUnfinishedLine(path);
  let end = size;
  let lines = 0;
  const onDamaged = (line: number, reason: string) =>
    note(`${path}:${line}: ${reason}: that unit will be done again`);
  await ifThere(path, async () => {
    for await (const { line, value } of entriesOf(path, schema, onDamaged)) {
      records.set(value.id, value.record);
      seconds += value.seconds ?? 0;
      lines = line;
    }
  });
  if (cut > 0)
    note(
      `${path}:${lines + 1}: removed ${cut} bytes of a line that a stopped run left unfinished; that unit will be done again`,
    );

  let before = clock().getTime();
  let last: Promise<unknown> = Promise.resolve();
  return {
    path,
    records,
    get seconds() {
      return seconds;
    },
    begin() {
      before = clock().getTime();
    },
    async append(added, made = 'now') {
      if (added.length === 0) return;
      await check?.();
      const now = clock().getTime();
      const each = made === 'now' ? Math.max(0, now - before) / 1000 / added.length : undefined;
      if (made === 'now') before = now;
      // As a run that goes on will read them, so that both write the same final file.
      const entries = added.map((record) => {
        const kept = schema.parse(JSON.parse(JSON.stringify(record)));
        const id = idOf(kept);
        return { id, seconds: each, record: kept, hash: hashOf(id, each, kept) };
      });
      const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
      const written = last.then(async () => {
        end = await appendWhole(path, text, end);
      });
      // A failure is its own caller's to hear; the next call tries anew.
      last = written.catch(() => {});
      await written;
      for (const { id, record } of entries) records.set(id, record);
      seconds += (each ?? 0) * entries.length;
    },
  };
}

/**
 * Writes the records of `order`, all of which must be done, a line each: the same bytes whatever order they
 * were done in.
 */
export async function writeInOrder<R>(
  { path: from, records }: Pick<Journal<R>, 'path' | 'records'>,
  order: Iterable<string>,
  path: string,
): Promise<void> {
  await replaceFile(path, async (file) => {
    let text = '';
    for (const id of order) {
      if (!records.has(id)) throw new Error(`${from}: unit ${id} is not done`);
      text += `${JSON.stringify(records.get(id))}\n`;
      if (text.length < 2 ** 20) continue;
      await file.writeFile(text);
      text = '';
    }
    await file.writeFile(text);
  });
}

/** How many units a record is; undefined where it is no part of any, and its time none of theirs. */
export type UnitsIn = (record: unknown) => number | undefined;

/**
 * How many units a journal holds and how long they took, those that were done again each time and none that
 * were taken over, for one who only looks on: another process may be writing to it. A record is one unit
 * where `unitsIn` does not say otherwise.
 */
export async function journalProgress(
  path: string,
  unitsIn: UnitsIn = () => 1,
): Promise<{ done: number; seconds: number; timed: number }> {
  const units = new Map<string, number>();
  let seconds = 0;
  let timed = 0;
  // a run removes it at the end of the stage, perhaps while this looks
  await ifThere(path, async () => {
    for await (const { value } of entriesOf(path, z.unknown())) {
      const own = unitsIn(value.record);
      if (own === undefined) continue;
      units.set(value.id, own);
      if (value.seconds === undefined) continue;
      seconds += value.seconds;
      timed += own;
    }
  });
  return { done: [...units.values()].reduce((sum, own) => sum + own, 0), seconds, timed };
}

const sizeOf = async (path: string): Promise<number | undefined> => (await statIfThere(path))?.size;

interface Entry<R> {
  readonly id: string;
  readonly seconds?: number | undefined;
  readonly record: R;
}

async function* entriesOf<S extends z.ZodType>(
  path: string,
  schema: S,
  onDamaged: (line: number, reason: string) => void = () => {},
): AsyncGenerator<Line<Entry<z.output<S>>>> {
  const lines = readJsonl(path, z.unknown(), { cutLastLine: 'drop', onDamaged });
  for await (const { line, value } of lines) {
    const { data: entry } = entrySchema.safeParse(value);
    if (entry === undefined) onDamaged(line, 'expected {id, seconds, record, hash}, found something else');
    else if (entry.hash !== undefined && entry.hash !== hashOf(entry.id, entry.seconds, entry.record))
      onDamaged(line, 'was changed after it was written');
    else yield { line, value: { ...entry, record: recordOf(schema, entry.record, `${path}:${line}`) } };
  }
}

function recordOf<S extends z.ZodType>(schema: S, record: unknown, where: string): z.output<S> {
  try {
    return checked(schema, record, where);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${error.message}; if you delete that line, its unit is done again`);
  }
}

/**
 * Leaves the file, where there is one, at the end of a whole line; says how many bytes that took off it,
 * and its size.
 */
async function cutUnfinishedLine(path: string): Promise<{ cut: number; size: number }> {
  const before = await sizeOf(path);
  if (before === undefined) return { cut: 0, size: 0 };
  await appendJsonl(path, [], { cutLastLine: 'drop' });
  const size = (await sizeOf(path)) ?? 0;
  return { cut: before - size, size };
}

/**
 * Appends all of a text after `end`, the end of the last whole line, or nothing of it where that fails.
 * Returns the new end.
 */
async function appendWhole(path: string, text: string, end: number): Promise<number> {
  try {
    const file = await open(path, 'a');
    try {
      // More than the end is there where an earlier failure could not be undone at once.
      if ((await file.stat()).size > end) await file.truncate(end);
      try {
        await file.appendFile(text);
        await file.sync();
      } catch (error) {
        await file.truncate(end);
        throw error;
      }
      if (end === 0) await syncFolder(dirname(path));
      return (await file.stat()).size;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw explained(error, path);
  }
}
