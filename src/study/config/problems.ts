/**
 * What does not fit a schema, one problem at a time: where, and in words. Knows neither fields nor files:
 * each field of the schema says itself what it expects.
 */
import type { z } from 'zod';
import { described } from '../../files/schema.ts';

type Issue = z.core.$ZodIssue;

export interface Problem {
  readonly path: readonly PropertyKey[];
  /** a field of the object at `path` that should not be there */
  readonly key?: string;
  /** `field.path: expected ..., found ...` */
  readonly text: string;
}

/**
 * The problems of `value`, which gave `error`. A field that is missing is left out where another was taken
 * for it.
 */
export function problemsOf(error: z.ZodError, value: unknown): Problem[] {
  const problems = error.issues.flatMap(alternative).flatMap((issue) => problemOf(issue, value));
  const meant = new Set(problems.flatMap(({ path, text }) => meantBy(path, text)));
  return problems.filter(({ path, key }) => key !== undefined || !meant.has(pathText(path)));
}

/** The path of the field that a problem says was meant. */
function meantBy(path: readonly PropertyKey[], text: string): string[] {
  const [, name] = /\(did you mean (\w+)\?\)$/.exec(text) ?? [];
  return name === undefined ? [] : [pathText([...path, name])];
}

/**
 * Of a union, the issues of the alternative that was meant, where it can be told: the one that fewest
 * things are wrong with.
 */
function alternative(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const isOther = ({ path, code }: Issue) => path.length === 0 && code !== 'unrecognized_keys';
  const branches = issue.errors
    .filter((branch) => branch.length > 0 && !branch.some(isOther))
    .sort((a, b) => a.length - b.length);
  const [best, next] = branches;
  if (best === undefined || best.length === next?.length) return [issue];
  return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(alternative);
}

function problemOf(issue: Issue, value: unknown): Problem[] {
  const { path, message } = issue;
  const where = path.length > 0 ? `${pathText(path)}: ` : '';
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path, key, text: `${where}${message}` }));
  const found = issue.code === 'custom' ? '' : `, found ${described(at(value, path))}`;
  return [{ path, text: `${where}${message}${found}` }];
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? Reflect.get(inner, key)
        : undefined,
    value,
  );
}

/** `sampling.stop[0]` */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`))
    .join('');
}
