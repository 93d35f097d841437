/** Bytes of JSON and JSON Lines files as checked values. */
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { parseJson } from '../results.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Throws InputError, which names `place`, for bytes that are not UTF-8. */
export function textOfBytes(bytes: ArrayBuffer, place: string): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new InputError(`${place}: expected UTF-8, found invalid bytes`);
  }
}

/** A value that keeps to the schema; throws InputError that names `place`. */
export function checkedRecord<S extends z.ZodType>(schema: S, value: unknown, place: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new InputError(`${place}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Throws InputError, which names `place`, for text that is no JSON or nests too deep. */
export function parsedJson(text: string, place: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new InputError(`${place}: expected JSON; ${(error as Error).message}`);
  }
}

export function jsonOf<S extends z.ZodType>(schema: S, bytes: ArrayBuffer, path: string): z.output<S> {
  return checkedRecord(schema, parsedJson(textOfBytes(bytes, path), path), path);
}

/** Each line's value, not yet checked, with its place for errors; blank lines are skipped. */
export function linesOf(bytes: ArrayBuffer, path: string): { value: unknown; place: string }[] {
  return textOfBytes(bytes, path)
    .split('\n')
    .flatMap((line, i) => {
      const place = `${path}:${i + 1}`;
      return line.trim() === '' ? [] : [{ value: parsedJson(line, place), place }];
    });
}

export function recordsOf<S extends z.ZodType>(schema: S, bytes: ArrayBuffer, path: string): z.output<S>[] {
  return linesOf(bytes, path).map(({ value, place }) => checkedRecord(schema, value, place));
}
