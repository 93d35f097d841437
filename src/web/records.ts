/** Bytes of JSON and JSON Lines files as checked values. */
import { z } from 'zod';
import { InputError } from '../errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

export const textOfBytes = (bytes: ArrayBuffer): string => utf8.decode(bytes);

/** A value that keeps to the schema; throws InputError that names `place`. */
export function checkedRecord<S extends z.ZodType>(schema: S, value: unknown, place: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new InputError(`${place}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function parsedJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${place}: expected JSON; ${(error as Error).message}`);
  }
}

export function jsonOf<S extends z.ZodType>(schema: S, bytes: ArrayBuffer, path: string): z.output<S> {
  return checkedRecord(schema, parsedJson(textOfBytes(bytes), path), path);
}

/** Each line's value, not yet checked, with its place for errors; blank lines are skipped. */
export function linesOf(bytes: ArrayBuffer, path: string): { value: unknown; place: string }[] {
  return textOfBytes(bytes)
    .split('\n')
    .flatMap((line, i) => {
      const place = `${path}:${i + 1}`;
      return line.trim() === '' ? [] : [{ value: parsedJson(line, place), place }];
    });
}

export function recordsOf<S extends z.ZodType>(schema: S, bytes: ArrayBuffer, path: string): z.output<S>[] {
  return linesOf(bytes, path).map(({ value, place }) => checkedRecord(schema, value, place));
}
