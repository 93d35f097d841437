/** The methods of Python's str, as far as a template may call them. */
import { bound } from './arguments.ts';
import { JinjaError } from './errors.ts';
import { braceFormat } from './percent.ts';
import { repr } from './text.ts';
import { Callable, characters, listOf, numberOf, Tuple, typeName } from './values.ts';
import { whiteSpace } from './whiteSpace.ts';

/** `text` without the white space at its ends, or without the characters of `chars` there. */
export function stripped(text: string, chars: unknown, left: boolean, right: boolean): string {
  let inside = (character: string) => spaces.test(character);
  if (chars !== undefined && chars !== null) {
    const set = new Set(characters(asText(chars, 'strip')));
    inside = (character) => set.has(character);
  }
  const all = characters(text);
  let start = 0;
  let end = all.length;
  if (left) while (start < end && inside(all[start]!)) start++;
  if (right) while (end > start && inside(all[end - 1]!)) end--;
  return typeof all === 'string' ? all.slice(start, end) : all.slice(start, end).join('');
}

const spaces = new RegExp(`^[${whiteSpace}]$`, 'u');

function asText(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw new JinjaError(`${what}: expected a str, found ${typeName(value)}`);
}

function asInteger(value: unknown, what: string): number {
  const number = typeof value === 'object' && value !== null ? undefined : numberOf(value);
  if (number === undefined) throw new JinjaError(`${what}: expected an int, found ${typeName(value)}`);
  return number;
}

const lineEnds = String.raw`\n\r\v\f\x1c-\x1e\x85\u2028\u2029`;
const line = new RegExp(`[^${lineEnds}]*(?:\\r\\n|[${lineEnds}]|$)`, 'g');
const lineEnd = new RegExp(`(?:\\r\\n|[${lineEnds}])$`);

/** The lines of `text` without their ends, as str.splitlines. */
export function splitLines(text: string, keepEnds = false): string[] {
  const lines = (text.match(line) ?? []).slice(0, -1);
  return keepEnds ? lines : lines.map((each) => each.replace(lineEnd, ''));
}

/** Python's capitalize. */
export function capitalised(text: string): string {
  const [first = ''] = characters(text);
  return titleCase(first) + text.slice(first.length).toLowerCase();
}

/** Letters of two whose title case is neither upper nor lower. */
const digraphs = ['\u01c4\u01c5\u01c6', '\u01c7\u01c8\u01c9', '\u01ca\u01cb\u01cc', '\u01f1\u01f2\u01f3'];

/** The title case of a first character; where its upper case is longer, only the first of it is upper. */
function titleCase(character: string): string {
  const digraph = digraphs.find((forms) => forms.includes(character));
  if (character !== '' && digraph !== undefined) return digraph[1]!;
  const [head = '', ...tail] = Array.from(character.toUpperCase());
  return head + tail.join('').toLowerCase();
}

function split(text: string, separator: unknown, most: number, fromRight: boolean): string[] {
  const pieces = separator === undefined || separator === null ? undefined : asText(separator, 'split');
  if (pieces === '') throw new JinjaError('empty separator');
  const limit = most < 0 ? Number.POSITIVE_INFINITY : most;
  if (pieces !== undefined) {
    const parts = text.split(pieces);
    if (parts.length - 1 <= limit) return parts;
    return fromRight
      ? [parts.slice(0, parts.length - limit).join(pieces), ...parts.slice(parts.length - limit)]
      : [...parts.slice(0, limit), parts.slice(limit).join(pieces)];
  }
  const found = [...text.matchAll(new RegExp(`[^${whiteSpace}]+`, 'gu'))];
  if (found.length <= limit) return found.map(([word]) => word);
  if (fromRight) {
    const first = found[found.length - limit - 1]!;
    const rest = found.slice(found.length - limit).map(([word]) => word);
    return [text.slice(0, first.index + first[0].length), ...rest];
  }
  const words = found.slice(0, limit).map(([word]) => word);
  return [...words, stripped(text.slice(found[limit]!.index), undefined, false, true)];
}

function partition(text: string, separator: string, at: number, missing: 'left' | 'right'): Tuple {
  if (separator === '') throw new JinjaError('empty separator');
  if (at < 0) return new Tuple(missing === 'right' ? [text, '', ''] : ['', '', text]);
  return new Tuple([text.slice(0, at), separator, text.slice(at + separator.length)]);
}

/** `old` by `fresh`, the first `count` of them; all for a negative one. */
export function replaced(text: string, old: string, fresh: string, count: number): string {
  if (count < 0) return old === '' ? ['', ...characters(text), ''].join(fresh) : text.split(old).join(fresh);
  const parts = old === '' ? ['', ...characters(text), ''] : text.split(old);
  const joined = parts.slice(0, count + 1).join(fresh);
  return parts.length <= count + 1
    ? joined
    : joined + (old === '' ? '' : old) + parts.slice(count + 1).join(old);
}

/** What str.startswith and endswith take: one text, or a tuple of them. */
function anyOf(value: unknown, what: string, holds: (text: string) => boolean): boolean {
  if (value instanceof Tuple) return value.items.some((item) => holds(asText(item, what)));
  return holds(asText(value, what));
}

/** Where `sought` begins, counted in characters; -1 for nowhere. */
function position(text: string, unit: number): number {
  return unit < 0 ? -1 : characters(text.slice(0, unit)).length;
}

/** `text[start:end]` of find, count and the like. */
function part(text: string, start: unknown, end: unknown): { readonly text: string; readonly from: number } {
  const all = characters(text);
  const at = (value: unknown, otherwise: number) => {
    if (value === undefined || value === null) return otherwise;
    const given = asInteger(value, 'str');
    return given < 0 ? Math.max(0, all.length + given) : Math.min(given, all.length);
  };
  const [from, to] = [at(start, 0), at(end, all.length)];
  return { text: [...all].slice(from, to).join(''), from };
}

const cased = (text: string) => /\p{Lu}|\p{Ll}|\p{Lt}/u.test(text);
const every = (pattern: RegExp) => (text: string) => pattern.test(text);

type Method = (text: string, args: readonly unknown[]) => unknown;

/** A method with the names of its parameters. */
const methods: Readonly<Record<string, readonly [readonly string[], Method]>> = {
  upper: [[], (text) => text.toUpperCase()],
  lower: [[], (text) => text.toLowerCase()],
  casefold: [[], (text) => text.toUpperCase().toLowerCase()],
  capitalize: [[], capitalised],
  swapcase: [
    [],
    (text) => text.replace(/\p{Lu}|\p{Ll}/gu, (c) => (/\p{Lu}/u.test(c) ? c.toLowerCase() : c.toUpperCase())),
  ],
  title: [[], (text) => text.replace(/[\p{Lu}\p{Ll}\p{Lt}]+/gu, capitalised)],
  strip: [['chars'], (text, [chars]) => stripped(text, chars, true, true)],
  lstrip: [['chars'], (text, [chars]) => stripped(text, chars, true, false)],
  rstrip: [['chars'], (text, [chars]) => stripped(text, chars, false, true)],
  split: [
    ['sep', 'maxsplit'],
    (text, [sep, most]) => split(text, sep, asInteger(most ?? -1, 'split'), false),
  ],
  rsplit: [
    ['sep', 'maxsplit'],
    (text, [sep, most]) => split(text, sep, asInteger(most ?? -1, 'rsplit'), true),
  ],
  splitlines: [['keepends'], (text, [keep]) => splitLines(text, keep === true)],
  replace: [
    ['old', 'new', 'count'],
    (text, [old, fresh, count]) =>
      replaced(text, asText(old, 'replace'), asText(fresh, 'replace'), asInteger(count ?? -1, 'replace')),
  ],
  startswith: [
    ['prefix', 'start', 'end'],
    (text, [prefix, start, end]) =>
      anyOf(prefix, 'startswith', (sought) => part(text, start, end).text.startsWith(sought)),
  ],
  endswith: [
    ['suffix', 'start', 'end'],
    (text, [suffix, start, end]) =>
      anyOf(suffix, 'endswith', (sought) => part(text, start, end).text.endsWith(sought)),
  ],
  find: [['sub', 'start', 'end'], (text, args) => found(text, args, 'find', (t, sub) => t.indexOf(sub))],
  rfind: [
    ['sub', 'start', 'end'],
    (text, args) => found(text, args, 'rfind', (t, sub) => t.lastIndexOf(sub)),
  ],
  index: [
    ['sub', 'start', 'end'],
    (text, args) => required(found(text, args, 'index', (t, s) => t.indexOf(s))),
  ],
  rindex: [
    ['sub', 'start', 'end'],
    (text, args) => required(found(text, args, 'rindex', (t, s) => t.lastIndexOf(s))),
  ],
  count: [
    ['sub', 'start', 'end'],
    (text, [sub, start, end]) => {
      const inside = part(text, start, end).text;
      const sought = asText(sub, 'count');
      return sought === '' ? characters(inside).length + 1 : inside.split(sought).length - 1;
    },
  ],
  join: [
    ['iterable'],
    (text, [items]) =>
      listOf(items)
        .map((item) => asText(item, 'join'))
        .join(text),
  ],
  removeprefix: [
    ['prefix'],
    (text, [prefix]) => {
      const lead = asText(prefix, 'removeprefix');
      return text.startsWith(lead) ? text.slice(lead.length) : text;
    },
  ],
  removesuffix: [
    ['suffix'],
    (text, [suffix]) => {
      const tail = asText(suffix, 'removesuffix');
      return tail !== '' && text.endsWith(tail) ? text.slice(0, -tail.length) : text;
    },
  ],
  partition: [
    ['sep'],
    (text, [sep]) => partition(text, asText(sep, 'partition'), text.indexOf(sep as string), 'right'),
  ],
  rpartition: [
    ['sep'],
    (text, [sep]) => partition(text, asText(sep, 'rpartition'), text.lastIndexOf(sep as string), 'left'),
  ],
  ljust: [['width', 'fillchar'], (text, args) => justified(text, args, (room) => [0, room])],
  rjust: [['width', 'fillchar'], (text, args) => justified(text, args, (room) => [room, 0])],
  center: [
    ['width', 'fillchar'],
    (text, args) => justified(text, args, (room, width) => centre(room, width)),
  ],
  zfill: [
    ['width'],
    (text, [width]) => {
      const lead = /^[+-]/.exec(text)?.[0] ?? '';
      const room = asInteger(width, 'zfill') - characters(text).length;
      return lead + '0'.repeat(Math.max(0, room)) + text.slice(lead.length);
    },
  ],
  isdigit: [[], every(/^[\p{Nd}²³¹⁰⁴-⁹₀-₉]+$/u)],
  isdecimal: [[], every(/^\p{Nd}+$/u)],
  isnumeric: [[], every(/^\p{N}+$/u)],
  isalpha: [[], every(/^\p{L}+$/u)],
  isalnum: [[], every(/^[\p{L}\p{N}]+$/u)],
  isspace: [[], every(new RegExp(`^[${whiteSpace}]+$`, 'u'))],
  isascii: [[], every(/^[\0-\x7f]*$/)],
  isidentifier: [[], every(/^[\p{XIDS}_]\p{XIDC}*$/u)],
  islower: [[], isLower],
  isupper: [[], isUpper],
  istitle: [[], (text) => cased(text) && text === text.replace(/[\p{Lu}\p{Ll}\p{Lt}]+/gu, capitalised)],
};

export function isLower(text: string): boolean {
  return cased(text) && !/\p{Lu}|\p{Lt}/u.test(text);
}

export function isUpper(text: string): boolean {
  return cased(text) && !/\p{Ll}|\p{Lt}/u.test(text);
}

function found(
  text: string,
  [sub, start, end]: readonly unknown[],
  what: string,
  where: (text: string, sub: string) => number,
): number {
  const inside = part(text, start, end);
  const at = position(inside.text, where(inside.text, asText(sub, what)));
  return at < 0 ? -1 : at + inside.from;
}

function required(at: number): number {
  if (at < 0) throw new JinjaError('substring not found');
  return at;
}

function justified(
  text: string,
  [width, fill = ' ']: readonly unknown[],
  sides: (room: number, width: number) => readonly [number, number],
): string {
  const whole = asInteger(width, 'width');
  const filler = asText(fill, 'fillchar');
  if (characters(filler).length !== 1)
    throw new JinjaError(`fillchar: expected one character, found ${repr(filler)}`);
  const room = Math.max(0, whole - characters(text).length);
  const [left, right] = sides(room, whole);
  return filler.repeat(left) + text + filler.repeat(right);
}

/** Where an odd room goes, CPython's way: left where the width is odd. */
export function centre(room: number, width: number): readonly [number, number] {
  const left = Math.floor(room / 2) + (room & width & 1);
  return [left, room - left];
}

/** The method `name` of `text`; undefined where str has none. */
export function stringMethod(text: string, name: string): Callable | undefined {
  if (name === 'format') return new Callable(name, (args, keywords) => braceFormat(text, args, keywords));
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) return undefined;
  const [names, run] = method;
  return new Callable(name, (args, keywords) => run(text, bound(name, names, args, keywords)));
}
