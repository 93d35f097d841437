/** Values as text: Python's str and repr, and JSON as its json.dumps writes it. */
import { JinjaError } from './errors.ts';
import {
  characters,
  compare,
  DictView,
  Float,
  Lazy,
  Macro,
  Namespace,
  Range,
  Tuple,
  typeName,
  Undefined,
  WithAttributes,
} from './values.ts';

export function str(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof Undefined ? '' : repr(value);
}

export function repr(value: unknown): string {
  if (value === null) return 'None';
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (value instanceof Float) return floatText(value.value);
  if (value instanceof Undefined) return 'Undefined';
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  if (value instanceof Tuple)
    return `(${value.items.map(repr).join(', ')}${value.items.length === 1 ? ',' : ''})`;
  if (value instanceof Map)
    return `{${[...value].map(([key, item]) => `${repr(key)}: ${repr(item)}`).join(', ')}}`;
  if (value instanceof DictView) return `dict_${value.kind}(${repr(value.items)})`;
  if (value instanceof Namespace) return `<Namespace ${repr(value.attributes)}>`;
  if (value instanceof Macro) return `<Macro ${quoted(value.name)}>`;
  if (value instanceof Range)
    return `range(${value.start}, ${value.stop}${value.step === 1 ? '' : `, ${value.step}`})`;
  if (value instanceof WithAttributes) {
    const text = value.attribute('__repr__');
    if (typeof text === 'string') return text;
  }
  const kind = value instanceof Lazy ? 'generator (put the filter list behind it)' : typeName(value);
  throw new JinjaError(`prints a ${kind}, whose text in Python holds an address`);
}

/** A float as Python's repr writes it: the shortest digits that give it back. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [, sign = '', first = '', rest = '', power = ''] = /^(-?)(\d)\.?(\d*)e([+-]\d+)$/.exec(
    value.toExponential(),
  )!;
  const exponent = Number(power);
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    const written = `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
    return `${sign}${first}${rest === '' ? '' : `.${rest}`}e${written}`;
  }
  const plain = String(value);
  return plain.includes('.') ? plain : `${plain}.0`;
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text.replace(/[^ -~]|[\\'"]/gu, (character) => {
    if (character === quote) return `\\${character}`;
    if (Object.hasOwn(named, character)) return named[character]!;
    if (/['"]|[^\p{C}\p{Z}]/u.test(character)) return character;
    const point = character.codePointAt(0)!;
    if (point < 0x100) return `\\x${hex(point, 2)}`;
    return point < 0x10000 ? `\\u${hex(point, 4)}` : `\\U${hex(point, 8)}`;
  });
  return quote + inner + quote;
}

const hex = (point: number, width: number): string => point.toString(16).padStart(width, '0');

export interface JsonOptions {
  readonly ascii: boolean;
  /** what a level is indented by; undefined for one line */
  readonly indent: string | undefined;
  readonly separators: readonly [string, string];
  readonly sorted: boolean;
}

/** JSON of `value`, as json.dumps writes it. */
export function json(value: unknown, options: JsonOptions, lead = '\n'): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return jsonText(value, options.ascii);
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (value instanceof Float) return jsonNumber(value.value);
  const inner = lead + (options.indent ?? '');
  const joined = (open: string, parts: readonly string[], close: string): string => {
    if (parts.length === 0) return open + close;
    const [between] = options.separators;
    if (options.indent === undefined) return open + parts.join(between) + close;
    return open + inner + parts.join(between + inner) + lead + close;
  };
  if (Array.isArray(value) || value instanceof Tuple) {
    const items = Array.isArray(value) ? value : value.items;
    return joined(
      '[',
      items.map((item) => json(item, options, inner)),
      ']',
    );
  }
  if (value instanceof Map) {
    const entries = [...value];
    if (options.sorted) entries.sort(([a], [b]) => compare(a, b));
    const written = entries.map(
      ([key, item]) =>
        jsonText(jsonKey(key), options.ascii) + options.separators[1] + json(item, options, inner),
    );
    return joined('{', written, '}');
  }
  throw new JinjaError(`Object of type ${typeName(value)} is not JSON serializable`);
}

function jsonNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return floatText(value);
}

function jsonKey(key: unknown): string {
  if (typeof key === 'string') return key;
  if (key === null) return 'null';
  return key instanceof Float ? jsonNumber(key.value) : String(key);
}

function jsonText(text: string, ascii: boolean): string {
  const written = JSON.stringify(text);
  return ascii ? written.replace(/[\x7f-\uffff]/g, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`) : written;
}

/** `text` reversed, by characters. */
export const reversedText = (text: string): string => [...characters(text)].reverse().join('');
