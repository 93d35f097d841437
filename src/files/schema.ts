/**
 * Values from outside checked against a zod schema, with one clear line when they do not fit. Knows no
 * format and no file.
 */
import type { z } from 'zod';
import { InputError } from '../errors.ts';
import { quoted } from './bytes.ts';

/**
 * `value` as `schema` outputs it. Throws InputError `where: field.path: expected ..., found ...` for the
 * first thing that does not fit.
 */
export function checked<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const result = parsedBy(schema, value, where);
  if (result.success) return result.data;
  const issue = deepest(result.error.issues);
  const at = issue.path.length > 0 ? `${pathText(issue.path)}: ` : '';
  const found = issue.code === 'custom' ? '' : `, found ${described(valueAt(value, issue.path))}`;
  throw new InputError(`${where}: ${at}${expectation(issue)}${found}`);
}

function parsedBy<S extends z.ZodType>(schema: S, value: unknown, where: string) {
  try {
    return schema.safeParse(value);
  } catch (error) {
    // Schemas of any JSON follow it by calls within calls.
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(`${where}: expected values that are not nested thousands deep`);
  }
}

type Issue = z.core.$ZodIssue;

/** The issue to tell: of a union, that of the alternative that came furthest into the value. */
function deepest(issues: readonly Issue[]): Issue {
  const first = issues[0]!;
  if (first.code !== 'invalid_union') return first;
  const inner = first.errors
    .filter((branch) => branch.length > 0)
    .map(deepest)
    .sort((a, b) => b.path.length - a.path.length)[0];
  if (inner === undefined || inner.path.length === 0) return first;
  return { ...inner, path: [...first.path, ...inner.path] };
}

function expectation(issue: Issue): string {
  // A message that the schema's author wrote; zod's own begin otherwise.
  if (issue.message.startsWith('expected ')) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${issue.expected === 'nonoptional' ? 'a value' : issue.expected}`;
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'invalid_union':
      return `expected ${alternatives(issue.errors)}`;
    case 'custom':
      return issue.message;
    default:
      return issue.message.replace(/^[^:]*: /, '');
  }
}

function alternatives(branches: readonly Issue[][]): string {
  const texts = branches.flatMap((branch) =>
    branch.slice(0, 1).map((issue) => expectation(issue).replace(/^expected /, '')),
  );
  return [...new Set(texts)].join(' or ');
}

/** `messages[0].content` for the path of a field. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${keyText(String(key))}`))
    .join('');
}

function keyText(key: string): string {
  return /^[\w-]{1,60}$/.test(key) ? key : quoted(key);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = Reflect.get(at, key);
  }
  return at;
}

/** What a value from a file is, short enough for a message. */
export function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}
