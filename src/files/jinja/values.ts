/**
 * The values of a template as Python has them: None is null, an int a whole number, a str a string, a bool a
 * boolean, a list an array, a dict a Map; the rest are the classes below. Whole numbers are exact up to 2^53,
 * beyond which an error says so. Strings count by characters (code points).
 */
import { JinjaError } from './errors.ts';

export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** What was not there: prints nothing, is false, is empty; all else done with it fails. */
export class Undefined {
  readonly hint: string;
  constructor(hint: string) {
    this.hint = hint;
  }
}

export class Tuple {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** One group of the filter groupby. */
export class Group extends Tuple {}

/** A generator, as most filters give: true whatever it holds, without a length, read once. */
export class Lazy {
  readonly items: Iterator<unknown>;
  constructor(items: Iterator<unknown>) {
    this.items = items;
  }
}

/** keys(), values() or items() of a dict. */
export class DictView {
  readonly kind: 'keys' | 'values' | 'items';
  readonly of: Dict;
  constructor(kind: DictView['kind'], of: Dict) {
    this.kind = kind;
    this.of = of;
  }
  get items(): unknown[] {
    if (this.kind === 'keys') return [...this.of.keys()];
    if (this.kind === 'values') return [...this.of.values()];
    return [...this.of].map((entry) => new Tuple(entry));
  }
}

export class Range {
  readonly start: number;
  readonly step: number;
  readonly stop: number;
  readonly length: number;
  constructor(start: number, stop: number, step: number) {
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.length = Math.max(0, Math.ceil((stop - start) / step));
  }
  at(index: number): number {
    return this.start + index * this.step;
  }
  get items(): number[] {
    return Array.from({ length: this.length }, (_, i) => this.at(i));
  }
}

export class Namespace {
  readonly attributes: Dict;
  constructor(attributes: Dict) {
    this.attributes = attributes;
  }
}

export type Keywords = ReadonlyMap<string, unknown>;

/** A function of the template's world; a macro is one too. */
export class Callable {
  readonly name: string;
  readonly call: (args: readonly unknown[], keywords: Keywords) => unknown;
  constructor(name: string, call: Callable['call']) {
    this.name = name;
    this.call = call;
  }
}

export class Macro extends Callable {}

/** Something with attributes that is no dict: `loop`, a cycler, a joiner. */
export class WithAttributes {
  readonly kind: string;
  /** an attribute's value; undefined for none */
  readonly attribute: (name: string) => unknown;
  readonly call: Callable['call'] | undefined;
  constructor(kind: string, attribute: WithAttributes['attribute'], call?: Callable['call']) {
    this.kind = kind;
    this.attribute = attribute;
    this.call = call;
  }
}

export type Dict = Map<unknown, unknown>;

/** A value that came from JSON, as a template sees it. */
export function fromJson(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : new Float(value);
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value !== 'object' || value === null) return value;
  return new Map(Object.entries(value).map(([key, inner]) => [key, fromJson(inner)]));
}

/** Python's name of the type. */
export function typeName(value: unknown): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'int';
  if (value instanceof Float) return 'float';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Map) return 'dict';
  if (value instanceof Tuple) return 'tuple';
  if (value instanceof Lazy) return 'generator';
  if (value instanceof DictView) return `dict_${value.kind}`;
  if (value instanceof Range) return 'range';
  if (value instanceof Macro) return 'Macro';
  if (value instanceof Callable) return 'function';
  if (value instanceof WithAttributes) return value.kind;
  return (value as object).constructor.name;
}

export function isTrue(value: unknown): boolean {
  if (typeof value === 'string') return value !== '';
  if (typeof value === 'number') return value !== 0;
  if (value === null || typeof value === 'boolean') return value === true;
  if (value instanceof Undefined) return false;
  if (value instanceof Float) return value.value !== 0;
  return lengthOf(value) !== 0;
}

/** Length of what has one; undefined for the rest. */
export function lengthOf(value: unknown): number | undefined {
  if (typeof value === 'string') return characters(value).length;
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  if (value instanceof DictView) return value.of.size;
  if (value instanceof Tuple) return value.items.length;
  if (value instanceof Range) return value.length;
  if (value instanceof Undefined) return 0;
  return undefined;
}

export function requiredLength(value: unknown): number {
  const length = lengthOf(value);
  if (length === undefined) throw new JinjaError(`object of type '${typeName(value)}' has no len()`);
  return length;
}

/** The characters of a string; a surrogate pair is one. */
export function characters(text: string): readonly string[] | string {
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
}

/** What a loop over `value` gives; undefined where it is not iterable. */
export function iteratorOf(value: unknown): Iterator<unknown> | undefined {
  if (typeof value === 'string' || Array.isArray(value)) return value[Symbol.iterator]();
  if (value instanceof Map) return value.keys();
  if (value instanceof Lazy) return value.items;
  if (value instanceof Tuple || value instanceof DictView || value instanceof Range)
    return value.items[Symbol.iterator]();
  return value instanceof Undefined ? [][Symbol.iterator]() : undefined;
}

export function* iterate(value: unknown): Generator<unknown> {
  const items = iteratorOf(value);
  if (items === undefined) throw new JinjaError(`'${typeName(value)}' object is not iterable`);
  for (let item = items.next(); !item.done; item = items.next()) yield item.value;
}

export const listOf = (value: unknown): unknown[] => [...iterate(value)];

/** The number of an int, a bool or a float; undefined for what is none. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  return value instanceof Float ? value.value : undefined;
}

export const isInteger = (value: unknown): value is number | boolean =>
  typeof value === 'number' || typeof value === 'boolean';

/**
 * A key as `dict` has it: a whole float is that int, and true is 1 where that is there. Throws JinjaError for
 * what no dict here can have.
 */
export function dictKey(value: unknown, dict: Dict): unknown {
  const key = value instanceof Float && Number.isSafeInteger(value.value) ? value.value : value;
  const twin = typeof key === 'boolean' ? Number(key) : key === 0 || key === 1 ? key === 1 : undefined;
  if (twin !== undefined && !dict.has(key) && dict.has(twin)) return twin;
  if (key === null || ['string', 'number', 'boolean'].includes(typeof key)) return key;
  throw new JinjaError(`a ${typeName(key)} as a dict's key is not supported`);
}

export function areEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return x === y;
  if (a instanceof Undefined) return b instanceof Undefined;
  if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b);
  if (a instanceof Tuple) return b instanceof Tuple && sameItems(a.items, b.items);
  if (a instanceof Map)
    return (
      b instanceof Map &&
      a.size === b.size &&
      [...a].every(([key, v]) => b.has(key) && areEqual(v, b.get(key)))
    );
  return a instanceof Range && b instanceof Range && sameItems(a.items, b.items);
}

const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => areEqual(item, b[i]));

/** Below 0 where a < b, 0 where neither is less, above 0 where a > b. Throws for what has no order. */
export function compare(a: unknown, b: unknown, operator = '<'): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return x - y;
  const [xs, ys] = [sequenceOf(a), sequenceOf(b)];
  if (xs && ys && typeName(a) === typeName(b)) {
    const differs = xs.findIndex((item, i) => i >= ys.length || !areEqual(item, ys[i]));
    if (differs < 0) return xs.length - ys.length;
    return differs >= ys.length ? 1 : compare(xs[differs], ys[differs], operator);
  }
  for (const value of [a, b]) if (value instanceof Undefined) throw new JinjaError(value.hint);
  throw new JinjaError(
    `'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  );
}

/** Items of a list or a tuple. */
export function sequenceOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  return value instanceof Tuple ? value.items : undefined;
}

/** By code points, as Python has it; JavaScript's own order is by UTF-16. */
function compareText(a: string, b: string): number {
  const [xs, ys] = [characters(a), characters(b)];
  for (let i = 0; i < xs.length && i < ys.length; i++)
    if (xs[i] !== ys[i]) return xs[i]!.codePointAt(0)! - ys[i]!.codePointAt(0)!;
  return xs.length - ys.length;
}

/** Whether `item in container` holds. */
export function contains(container: unknown, item: unknown): boolean {
  if (typeof container === 'string') {
    if (typeof item === 'string') return container.includes(item);
    throw new JinjaError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
  }
  if (container instanceof Map) return container.has(dictKey(item, container));
  const items = iteratorOf(container);
  if (items === undefined) throw new JinjaError(`argument of type '${typeName(container)}' is not iterable`);
  for (const each of iterate(container)) if (areEqual(each, item)) return true;
  return false;
}
