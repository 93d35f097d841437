/** Functions that every template has: those of Jinja's sandbox, with transformers' dict and namespace. */
import { bound } from './arguments.ts';
import { JinjaError } from './errors.ts';
import { repr } from './text.ts';
import {
  Callable,
  type Dict,
  dictKey,
  type Keywords,
  listOf,
  Namespace,
  numberOf,
  Range,
  requiredLength,
  typeName,
  WithAttributes,
} from './values.ts';

/** Longest range that Jinja's sandbox makes. */
const maxRange = 100_000;

function dictOf(args: readonly unknown[], keywords: Keywords): Dict {
  const [given] = bound('dict', ['mapping'], args, new Map());
  const dict: Dict = new Map();
  if (given instanceof Map) for (const [key, value] of given) dict.set(key, value);
  else if (given !== undefined)
    for (const pair of listOf(given)) {
      const [key, value, ...more] = listOf(pair);
      if (value === undefined || more.length > 0)
        throw new JinjaError(`dict: expected pairs, found one of ${requiredLength(pair)}`);
      dict.set(dictKey(key, dict), value);
    }
  for (const [key, value] of keywords) dict.set(key, value);
  return dict;
}

function namespaceOf(args: readonly unknown[], keywords: Keywords): Namespace {
  const attributes = dictOf(args, keywords);
  for (const name of attributes.keys()) checkAttribute(name);
  return new Namespace(attributes);
}

/** Throws JinjaError for a name that transformers refuses in a namespace. */
export function checkAttribute(name: unknown): void {
  if (typeof name === 'string' && name.startsWith('_'))
    throw new JinjaError(
      `Chat templates cannot store underscore-prefixed attributes on a namespace, but got ${repr(name)}.`,
    );
}

function rangeOf(args: readonly unknown[]): Range {
  const numbers = args.map((value) => {
    const number = typeof value === 'object' ? undefined : numberOf(value);
    if (number === undefined)
      throw new JinjaError(`range: '${typeName(value)}' object cannot be interpreted as an integer`);
    return number;
  });
  if (numbers.length === 0 || numbers.length > 3)
    throw new JinjaError(`range: expected 1 to 3 arguments, found ${numbers.length}`);
  const [start = 0, stop = 0, step = 1] = numbers.length === 1 ? [0, ...numbers] : numbers;
  if (step === 0) throw new JinjaError('range() arg 3 must not be zero');
  const range = new Range(start, stop, step);
  if (range.length > maxRange)
    throw new JinjaError(`expected range() of at most ${maxRange}, found range(${numbers})`);
  return range;
}

function cyclerOf(items: readonly unknown[]): WithAttributes {
  if (items.length === 0) throw new JinjaError('at least one item has to be provided');
  let at = 0;
  const move = (to: number) => {
    const current = items[at];
    at = to % items.length;
    return current;
  };
  const reset = () => {
    at = 0;
    return null;
  };
  return new WithAttributes('Cycler', (name) => {
    if (name === 'current') return items[at];
    if (name === 'next') return new Callable(name, () => move(at + 1));
    return name === 'reset' ? new Callable(name, () => reset()) : undefined;
  });
}

function joinerOf(args: readonly unknown[], keywords: Keywords): WithAttributes {
  const [between = ', '] = bound('joiner', ['sep'], args, keywords);
  let used = false;
  return new WithAttributes(
    'Joiner',
    () => undefined,
    () => {
      if (used) return between;
      used = true;
      return '';
    },
  );
}

const functions: Readonly<Record<string, Callable['call']>> = {
  dict: dictOf,
  namespace: namespaceOf,
  range: rangeOf,
  cycler: cyclerOf,
  joiner: joinerOf,
};

export const globals: ReadonlyMap<string, Callable> = new Map(
  Object.entries(functions).map(([name, call]) => [name, new Callable(name, call)]),
);
