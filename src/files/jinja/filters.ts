/**
 * Jinja's filters by name, with the tojson that transformers puts in place of Jinja's own. Source:
 * jinja2/filters.py. What prompts have no use for is refused by name: filesizeformat, pprint, random,
 * striptags, urlize, wordwrap, xmlattr. escape and safe give plain text.
 */
import { bound } from './arguments.ts';
import { attributeOf } from './attributes.ts';
import { JinjaError } from './errors.ts';
import { type ListContext, listFilters } from './listFilters.ts';
import { asFloat, asWhole, rounded } from './numberFilters.ts';
import { formatted } from './percent.ts';
import { capitalised, centre, replaced, splitLines, stripped } from './strings.ts';
import { json, repr, reversedText, str } from './text.ts';
import {
  characters,
  Float,
  isTrue,
  iteratorOf,
  type Keywords,
  Lazy,
  listOf,
  numberOf,
  requiredLength,
  Tuple,
  typeName,
  Undefined,
} from './values.ts';
import { whiteSpace } from './whiteSpace.ts';

/** Runs a filter or a test by name, for those that take another's name. */
export type FilterContext = ListContext;

type Given = readonly unknown[];
type Filter = (value: unknown, args: Given, context: FilterContext) => unknown;

const whole = (value: unknown, what: string): number => {
  const number = numberOf(value);
  if (number === undefined || value instanceof Float)
    throw new JinjaError(`${what}: expected an int, found ${typeName(value)}`);
  return number;
};

const flag = (value: unknown, otherwise: boolean): boolean =>
  value === undefined ? otherwise : isTrue(value);

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&#39;',
  '"': '&#34;',
};
const escaped = (value: unknown) => str(value).replace(/[&<>'"]/g, (character) => entities[character]!);

const beginnings = new RegExp(`([${whiteSpace}({[<\\-]+)`, 'u');

function titled(value: unknown): string {
  const parts = str(value).split(beginnings);
  return parts.map((part) => (part === '' ? '' : capitalLead(part))).join('');
}

function capitalLead(part: string): string {
  const [first = ''] = characters(part);
  return first.toUpperCase() + part.slice(first.length).toLowerCase();
}

function indented(value: unknown, [width = 4, first, blank]: Given): string {
  if (typeof value !== 'string') throw new JinjaError(`indent: expected a str, found ${typeName(value)}`);
  const lead = typeof width === 'string' ? width : ' '.repeat(whole(width, 'indent'));
  const lines = splitLines(`${value}\n`);
  const later = lines.slice(1).map((line) => (flag(blank, false) || line !== '' ? lead + line : line));
  return (flag(first, false) ? lead : '') + [lines[0]!, ...later].join('\n');
}

function truncated(value: unknown, [length = 255, killWords, end = '...', leeway = 5]: Given): string {
  const text = [...characters(str(value))];
  const most = whole(length, 'truncate');
  const tail = str(end);
  const kept = most - characters(tail).length;
  if (kept < 0) throw new JinjaError(`truncate: expected a length of at least that of ${repr(tail)}`);
  if (text.length <= most + whole(leeway, 'truncate')) return text.join('');
  const cut = text.slice(0, kept).join('');
  if (flag(killWords, false) || !cut.includes(' ')) return cut + tail;
  return cut.slice(0, cut.lastIndexOf(' ')) + tail;
}

function toJson(value: unknown, [ascii, indent, separators, sorted]: Given): string {
  const level = indent === undefined || indent === null ? undefined : indentOf(indent);
  return json(value, {
    ascii: flag(ascii, false),
    indent: level,
    separators: separatorsOf(separators) ?? [level === undefined ? ', ' : ',', ': '],
    sorted: flag(sorted, false),
  });
}

const indentOf = (indent: unknown): string =>
  typeof indent === 'string' ? indent : ' '.repeat(Math.max(0, whole(indent, 'tojson: indent')));

function separatorsOf(value: unknown): [string, string] | undefined {
  if (value === undefined || value === null) return undefined;
  const [between, after, ...more] = listOf(value);
  if (typeof between !== 'string' || typeof after !== 'string' || more.length > 0)
    throw new JinjaError(`tojson: separators: expected two texts, found ${repr(value)}`);
  return [between, after];
}

const quotedUrl = (value: unknown, plus: boolean): string => {
  const kept = encodeURIComponent(str(value)).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return plus ? kept.replaceAll('%20', '+') : kept.replaceAll('%2F', '/');
};

function urlEncoded(value: unknown): string {
  if (typeof value === 'string' || iteratorOf(value) === undefined) return quotedUrl(value, false);
  const pairs = value instanceof Map ? [...value] : listOf(value).map((pair) => listOf(pair));
  return pairs.map(([key, item]) => `${quotedUrl(key, true)}=${quotedUrl(item, true)}`).join('&');
}

function reversed(value: unknown): unknown {
  if (typeof value === 'string') return reversedText(value);
  if (iteratorOf(value) === undefined || value instanceof Undefined)
    throw new JinjaError('reverse: argument must be iterable');
  const items = listOf(value).reverse();
  return value instanceof Lazy ? items : new Lazy(items[Symbol.iterator]());
}

function absolute(value: unknown): unknown {
  if (value instanceof Float) return new Float(Math.abs(value.value));
  const number = numberOf(value);
  if (number === undefined) throw new JinjaError(`bad operand type for abs(): '${typeName(value)}'`);
  return Math.abs(number);
}

/** A filter with the names of its parameters. */
const filters: Readonly<Record<string, readonly [readonly string[], Filter]>> = {
  abs: [[], absolute],
  attr: [
    ['name'],
    (value, [name]) => {
      const text = str(name);
      if (value instanceof Map && value.has(text))
        return new Undefined(`'dict object' has no attribute ${repr(text)}`);
      return attributeOf(value, text);
    },
  ],
  capitalize: [[], (value) => capitalised(str(value))],
  center: [
    ['width'],
    (value, [width = 80]) => {
      const text = str(value);
      const all = whole(width, 'center');
      const [left, right] = centre(Math.max(0, all - characters(text).length), all);
      return ' '.repeat(left) + text + ' '.repeat(right);
    },
  ],
  count: [[], requiredLength],
  length: [[], requiredLength],
  default: [
    ['default_value', 'boolean'],
    (value, [otherwise = '', boolean]) =>
      value instanceof Undefined || (flag(boolean, false) && !isTrue(value)) ? otherwise : value,
  ],
  escape: [[], escaped],
  forceescape: [[], escaped],
  safe: [[], str],
  string: [[], str],
  float: [['default'], (value, [otherwise]) => asFloat(value, otherwise)],
  int: [
    ['default', 'base'],
    (value, [otherwise = 0, base = 10]) => asWhole(value, otherwise, whole(base, 'int')),
  ],
  round: [
    ['precision', 'method'],
    (value, [precision = 0, method = 'common']) => rounded(value, whole(precision, 'round'), str(method)),
  ],
  indent: [['width', 'first', 'blank'], indented],
  lower: [[], (value) => str(value).toLowerCase()],
  upper: [[], (value) => str(value).toUpperCase()],
  replace: [
    ['old', 'new', 'count'],
    (value, [old, fresh, count]) =>
      replaced(
        str(value),
        str(old),
        str(fresh),
        count === undefined || count === null ? -1 : whole(count, 'replace'),
      ),
  ],
  reverse: [[], reversed],
  title: [[], titled],
  tojson: [['ensure_ascii', 'indent', 'separators', 'sort_keys'], toJson],
  trim: [['chars'], (value, [chars]) => stripped(str(value), chars, true, true)],
  truncate: [['length', 'killwords', 'end', 'leeway'], truncated],
  urlencode: [[], urlEncoded],
  wordcount: [[], (value) => str(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0],
  ...listFilters,
};

const aliases: Readonly<Record<string, string>> = { d: 'default', e: 'escape' };

/** Filters that take what follows as it comes, by name or not. */
const open = ['format', 'map', 'select', 'reject', 'selectattr', 'rejectattr'];

export const isFilter = (name: unknown): boolean =>
  typeof name === 'string' &&
  (Object.hasOwn(filters, name) || Object.hasOwn(aliases, name) || open.includes(name));

/** `value | name(args, ...)`. Throws JinjaError for an unknown filter or wrong arguments. */
export function runFilter(
  name: string,
  value: unknown,
  args: Given,
  keywords: Keywords,
  context: FilterContext,
): unknown {
  if (name === 'format') {
    if (args.length > 0 && keywords.size > 0)
      throw new JinjaError("format: can't handle positional and keyword arguments at the same time");
    return formatted(str(value), keywords.size > 0 ? new Map(keywords) : new Tuple(args));
  }
  if (open.includes(name)) return context.each(name, value, args, keywords);
  const own = Object.hasOwn(aliases, name) ? aliases[name]! : name;
  const filter = Object.hasOwn(filters, own) ? filters[own] : undefined;
  if (filter === undefined) throw new JinjaError(`No filter named '${name}'.`);
  const [names, run] = filter;
  return run(value, bound(name, names, args, keywords), context);
}
