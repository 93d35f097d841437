/**
 * Fields of study.yaml as zod schemas, each with what it expects in words, its description and an example.
 * Knows no field by name.
 */
import { resolve } from 'node:path';
import { z } from 'zod';
import { quoted } from '../../files/bytes.ts';
import { hubForm, isHub, isHubForm } from '../../files/hub/reference.ts';
import { nearest } from './nearest.ts';

/** `schema` with what the field is for, and a value that it may have where it has no default. */
export function about<S extends z.ZodType>(schema: S, description: string, example?: unknown): S {
  return schema.meta({ description, ...(example === undefined ? {} : { example }) });
}

function unknownField(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === undefined
    ? `expected one of the fields ${known.join(', ')}, found ${quoted(key)}`
    : `expected a known field, found ${quoted(key)} (did you mean ${near}?)`;
}

/** An object of these fields and no others. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? unknownField(String((issue.keys as readonly string[])[0]), known)
        : `expected the fields ${known.join(', ')}`,
  });
}

const notBlank = /\S/;

/** A text with more than white space; `expected` says what it is. */
export function text(expected: string, pattern: RegExp = notBlank) {
  const error = `expected ${expected}`;
  return z.string({ error }).regex(pattern, { error });
}

/** `given` with each `${NAME}` replaced by the environment's variable of that name, which has to be set. */
function withVariables(given: string, context: z.RefinementCtx): string {
  return given.replaceAll(/\$\{(\w+)\}/g, (written, name: string) => {
    const value = process.env[name];
    if (!value) context.addIssue(`expected the environment to have ${name} for ${written}, found none`);
    return value ?? written;
  });
}

/** A path, made absolute: it is relative to `folder`. `${NAME}` in it is a variable of the environment. */
export function path(folder: string, expected = 'a path') {
  return text(expected)
    .transform(withVariables)
    .transform((given) => resolve(folder, given));
}

/** A path as `path` takes it, or a reference to the hub as it stands. */
export function pathOrHub(folder: string) {
  return text('a path or hf:ORG/NAME')
    .transform(withVariables)
    .refine((given) => !isHub(given) || isHubForm(given), {
      error: ({ input }) => `expected a path or ${hubForm}, found ${quoted(String(input))}`,
    })
    .transform((given) => (isHub(given) ? given : resolve(folder, given)));
}

/** A whole number of at least `least`, and of at most `most`. */
export function whole(least: number, most?: number) {
  const error = `expected a whole number ${most === undefined ? `of at least ${least}` : `from ${least} to ${most}`}`;
  return z
    .int({ error })
    .min(least, { error })
    .max(most ?? Number.MAX_SAFE_INTEGER, { error });
}

/** The seed of a generator. */
export const seed = () => whole(0, 2 ** 31 - 1);

interface Bounds {
  readonly from?: number;
  readonly above?: number;
  readonly to?: number;
  readonly below?: number;
}

function boundsText({ from, above, to, below }: Bounds): string {
  const low = from === undefined ? `above ${above}` : `of at least ${from}`;
  if (to === undefined && below === undefined) return low;
  return `${low} and ${to === undefined ? `below ${below}` : `at most ${to}`}`;
}

/** A number within bounds. */
export function real(bounds: Bounds) {
  const error = `expected a number ${boundsText(bounds)}`;
  const { from, above, to, below } = bounds;
  let schema = z.number({ error });
  if (from !== undefined) schema = schema.min(from, { error });
  if (above !== undefined) schema = schema.gt(above, { error });
  if (to !== undefined) schema = schema.max(to, { error });
  if (below !== undefined) schema = schema.lt(below, { error });
  return schema;
}

/** One of these words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `expected ${words.join(' or ')}` });
}

/** Rows of a file, the first being 0, both ends included. */
export interface FileRows {
  readonly first: number;
  readonly last: number;
}

/** `first..last`. */
export function rows() {
  const expected = 'expected rows as FIRST..LAST, such as 0..99';
  return z
    .string({ error: expected })
    .regex(/^\d{1,9}\.\.\d{1,9}$/, { error: expected })
    .transform((given): FileRows => {
      const [first, last] = given.split('..').map(Number) as [number, number];
      return { first, last };
    })
    .refine(({ first, last }) => first <= last, {
      error: 'expected rows as FIRST..LAST, found a last row before the first',
    });
}
