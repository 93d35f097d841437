/** Jinja's filters on lists. Source: jinja2/filters.py. */
import { memberAt, stepsOf } from './attributes.ts';
import { JinjaError } from './errors.ts';
import { binary } from './operators.ts';
import { str } from './text.ts';
import {
  areEqual,
  compare,
  Float,
  Group,
  isTrue,
  iterate,
  type Keywords,
  Lazy,
  listOf,
  numberOf,
  Tuple,
  typeName,
  Undefined,
} from './values.ts';

export interface ListContext {
  /** `value | name(args)` of map, select and their like. */
  each(name: string, value: unknown, args: readonly unknown[], keywords: Keywords): unknown;
}

type Given = readonly unknown[];
type Named = readonly [readonly string[], (value: unknown, args: Given) => unknown];

const folded = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);

/** What an item is sorted or told apart by. */
function key(attribute: unknown, caseSensitive: unknown): (item: unknown) => unknown {
  const steps = stepsOf(attribute);
  const sensitive = caseSensitive !== undefined && isTrue(caseSensitive);
  return (item) => {
    const found = memberAt(item, steps);
    return sensitive ? found : folded(found);
  };
}

/** The same for sort, whose attribute may name several, with commas. */
function keys(attribute: unknown, caseSensitive: unknown): (item: unknown) => unknown[] {
  const parts = typeof attribute === 'string' ? attribute.split(',') : [attribute];
  const each = parts.map((part) => key(part, caseSensitive));
  return (item) => each.map((one) => one(item));
}

/** `items` in the order of their keys; equal ones keep theirs, reversed too. */
function inOrder<T>(items: readonly T[], of: (item: T) => unknown, reverse: unknown): T[] {
  const sign = reverse !== undefined && isTrue(reverse) ? -1 : 1;
  return items
    .map((item) => ({ item, by: of(item) }))
    .sort((a, b) => sign * compare(a.by, b.by))
    .map(({ item }) => item);
}

const lazy = (items: Iterable<unknown>): Lazy => new Lazy(items[Symbol.iterator]());

function* distinct(value: unknown, of: (item: unknown) => unknown): Generator<unknown> {
  const seen: unknown[] = [];
  for (const item of iterate(value)) {
    const by = of(item);
    if (seen.some((before) => areEqual(before, by))) continue;
    seen.push(by);
    yield item;
  }
}

function extreme(value: unknown, of: (item: unknown) => unknown, sign: 1 | -1): unknown {
  const items = listOf(value).map((item) => ({ item, by: of(item) }));
  const first = items[0];
  if (first === undefined) return new Undefined('No aggregated item, sequence was empty.');
  return items.reduce((best, each) => (sign * compare(each.by, best.by) > 0 ? each : best)).item;
}

function groups(value: unknown, [attribute, otherwise, caseSensitive]: Given): Group[] {
  const steps = stepsOf(attribute);
  const sensitive = caseSensitive !== undefined && isTrue(caseSensitive);
  const shown = (item: unknown) => {
    const found = memberAt(item, steps);
    return found instanceof Undefined && otherwise !== undefined && otherwise !== null ? otherwise : found;
  };
  const by = (item: unknown) => (sensitive ? shown(item) : folded(shown(item)));
  const found: { by: unknown; items: unknown[] }[] = [];
  for (const item of inOrder(listOf(value), by, false)) {
    const last = found.at(-1);
    if (last !== undefined && areEqual(last.by, by(item))) last.items.push(item);
    else found.push({ by: by(item), items: [item] });
  }
  return found.map(({ items }) => new Group([shown(items[0]), items]));
}

function* batches(value: unknown, size: number, fill: unknown): Generator<unknown[]> {
  let batch: unknown[] = [];
  for (const item of iterate(value)) {
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
    batch.push(item);
  }
  if (batch.length === 0) return;
  const missing = fill === undefined || fill === null ? 0 : Math.max(0, size - batch.length);
  yield [...batch, ...Array.from({ length: missing }, () => fill)];
}

function* slices(value: unknown, count: number, fill: unknown): Generator<unknown[]> {
  const items = listOf(value);
  const size = Math.floor(items.length / count);
  const extra = items.length % count;
  let start = 0;
  for (let i = 0; i < count; i++) {
    const end = start + size + (i < extra ? 1 : 0);
    const slice = items.slice(start, end);
    if (fill !== undefined && fill !== null && i >= extra) slice.push(fill);
    yield slice;
    start = end;
  }
}

function counted(value: unknown, what: string): number {
  const number = numberOf(value);
  if (number === undefined || value instanceof Float || number < 1)
    throw new JinjaError(`${what}: expected a number of at least 1, found ${typeName(value)}`);
  return number;
}

function last(value: unknown): unknown {
  if (value instanceof Lazy) throw new JinjaError("'generator' object is not reversible");
  const items = listOf(value);
  return items.length > 0 ? items.at(-1) : new Undefined('No last item, sequence was empty.');
}

function first(value: unknown): unknown {
  for (const item of iterate(value)) return item;
  return new Undefined('No first item, sequence was empty.');
}

function* entries(value: unknown): Generator<unknown> {
  if (value instanceof Undefined) return;
  if (!(value instanceof Map)) throw new JinjaError('Can only get item pairs from a mapping.');
  for (const entry of value) yield new Tuple(entry);
}

export const listFilters: Readonly<Record<string, Named>> = {
  batch: [
    ['linecount', 'fill_with'],
    (value, [size, fill]) => lazy(batches(value, counted(size, 'batch'), fill)),
  ],
  slice: [
    ['slices', 'fill_with'],
    (value, [count, fill]) => lazy(slices(value, counted(count, 'slice'), fill)),
  ],
  dictsort: [
    ['case_sensitive', 'by', 'reverse'],
    (value, [caseSensitive, by = 'key', reverse]) => {
      if (!(value instanceof Map))
        throw new JinjaError(`dictsort: expected a dict, found ${typeName(value)}`);
      if (by !== 'key' && by !== 'value')
        throw new JinjaError('You can only sort by either "key" or "value"');
      const of = key(by === 'key' ? 0 : 1, caseSensitive);
      return inOrder(
        [...value].map((entry) => new Tuple(entry)),
        of,
        reverse,
      );
    },
  ],
  first: [[], first],
  groupby: [['attribute', 'default', 'case_sensitive'], groups],
  items: [[], (value) => lazy(entries(value))],
  join: [
    ['d', 'attribute'],
    (value, [between = '', attribute]) => {
      const steps = stepsOf(attribute);
      return listOf(value)
        .map((item) => str(memberAt(item, steps)))
        .join(str(between));
    },
  ],
  last: [[], last],
  list: [[], listOf],
  max: [['case_sensitive', 'attribute'], (value, [sensitive, by]) => extreme(value, key(by, sensitive), 1)],
  min: [['case_sensitive', 'attribute'], (value, [sensitive, by]) => extreme(value, key(by, sensitive), -1)],
  sort: [
    ['reverse', 'case_sensitive', 'attribute'],
    (value, [reverse, sensitive, by]) => inOrder(listOf(value), keys(by, sensitive), reverse),
  ],
  sum: [
    ['attribute', 'start'],
    (value, [attribute, start = 0]) => {
      const steps = stepsOf(attribute);
      return listOf(value).reduce((sum, item) => binary('+', sum, memberAt(item, steps)), start);
    },
  ],
  unique: [
    ['case_sensitive', 'attribute'],
    (value, [sensitive, by]) => lazy(distinct(value, key(by, sensitive))),
  ],
};

/** What map, select, reject, selectattr and rejectattr give. */
export function* eachOf(
  name: string,
  value: unknown,
  args: Given,
  keywords: Keywords,
  run: {
    filter(name: string, value: unknown, args: Given, keywords: Keywords): unknown;
    test(name: string, value: unknown, args: Given): boolean;
  },
): Generator<unknown> {
  if (!isTrue(value)) return;
  if (name === 'map') {
    const by = mapping(args, keywords, run.filter);
    for (const item of iterate(value)) yield by(item);
    return;
  }
  const ofAttribute = name.endsWith('attr');
  if (ofAttribute && args.length === 0) throw new JinjaError('Missing parameter for attribute name');
  const steps = ofAttribute ? stepsOf(args[0]) : [];
  const [test, ...rest] = args.slice(ofAttribute ? 1 : 0);
  const wanted = name.startsWith('select');
  for (const item of iterate(value)) {
    const found = memberAt(item, steps);
    const holds = test === undefined ? isTrue(found) : run.test(str(test), found, rest);
    if (holds === wanted) yield item;
  }
}

function mapping(
  args: Given,
  keywords: Keywords,
  filter: (name: string, value: unknown, args: Given, keywords: Keywords) => unknown,
): (item: unknown) => unknown {
  if (args.length > 0) {
    const [name, ...rest] = args;
    return (item) => filter(str(name), item, rest, keywords);
  }
  if (!keywords.has('attribute')) throw new JinjaError('map requires a filter argument');
  const unexpected = [...keywords.keys()].find((each) => each !== 'attribute' && each !== 'default');
  if (unexpected !== undefined) throw new JinjaError(`Unexpected keyword argument '${unexpected}'`);
  const steps = stepsOf(keywords.get('attribute'));
  const otherwise = keywords.get('default') ?? undefined;
  return (item) =>
    steps.reduce<unknown>((found, step) => {
      const next = memberAt(found, [step]);
      return next instanceof Undefined && otherwise !== undefined ? otherwise : next;
    }, item);
}
