/** Arithmetic, indices and slices, as Python does them. */
import { JinjaError } from './errors.ts';
import type { Comparator, Operator } from './nodes.ts';
import { formatted } from './percent.ts';
import {
  areEqual,
  characters,
  compare,
  contains,
  Float,
  isInteger,
  numberOf,
  Range,
  sequenceOf,
  Tuple,
  typeName,
  Undefined,
} from './values.ts';

/** Most items that a list may be repeated to. */
const maxItems = 1e7;

export function binary(operator: Operator, left: unknown, right: unknown): unknown {
  for (const value of [left, right])
    if (value instanceof Undefined && !(operator === '%' && typeof left === 'string'))
      throw new JinjaError(value.hint);
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a !== undefined && b !== undefined)
    return arithmetic(operator, a, b, isInteger(left) && isInteger(right));
  if (operator === '%' && typeof left === 'string') return formatted(left, right);
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') return left + right;
    if (Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
    if (left instanceof Tuple && right instanceof Tuple) return new Tuple([...left.items, ...right.items]);
  }
  if (operator === '*') {
    const repeated = isInteger(right) ? repeat(left, Number(right)) : undefined;
    const other = isInteger(left) ? repeat(right, Number(left)) : undefined;
    if ((repeated ?? other) !== undefined) return repeated ?? other;
  }
  throw new JinjaError(
    `unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`,
  );
}

function repeat(value: unknown, times: number): unknown {
  const count = Math.max(0, times);
  if (typeof value === 'string') return value.repeat(count);
  const items = sequenceOf(value);
  if (items === undefined) return undefined;
  if (items.length * count > maxItems) throw new JinjaError(`a list of more than ${maxItems} items`);
  const all = Array.from({ length: count }, () => items).flat();
  return Array.isArray(value) ? all : new Tuple(all);
}

function arithmetic(operator: Operator, a: number, b: number, integers: boolean): unknown {
  if (b === 0 && (operator === '/' || operator === '//' || operator === '%'))
    throw new JinjaError('division by zero');
  if (operator === '**' && a === 0 && b < 0) throw new JinjaError('0.0 cannot be raised to a minus power');
  const result = computed(operator, a, b);
  const whole = integers && operator !== '/' && !(operator === '**' && b < 0);
  if (!whole) {
    if (operator === '**' && !Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b))
      throw new JinjaError('the result of ** is no float');
    return new Float(result);
  }
  if (!Number.isSafeInteger(result)) throw new JinjaError(`a number beyond 2^53, of ${operator}`);
  return result + 0;
}

function computed(operator: Operator, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '//':
      return Math.floor(a / b);
    case '%': {
      const rest = a % b;
      return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
    }
    case '**':
      return a ** b;
  }
}

export function minus(value: unknown): unknown {
  if (value instanceof Float) return new Float(-value.value);
  if (isInteger(value)) return 0 - Number(value);
  return noSign(value, '-');
}

export function plus(value: unknown): unknown {
  if (value instanceof Float) return value;
  return isInteger(value) ? Number(value) : noSign(value, '+');
}

function noSign(value: unknown, sign: string): never {
  if (value instanceof Undefined) throw new JinjaError(value.hint);
  throw new JinjaError(`bad operand type for unary ${sign}: '${typeName(value)}'`);
}

export function comparisonHolds(operator: Comparator, left: unknown, right: unknown): boolean {
  switch (operator) {
    case '==':
      return areEqual(left, right);
    case '!=':
      return !areEqual(left, right);
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
    case '<':
      return compare(left, right, operator) < 0;
    case '<=':
      return compare(left, right, operator) <= 0;
    case '>':
      return compare(left, right, operator) > 0;
    case '>=':
      return compare(left, right, operator) >= 0;
  }
}

/** `value[index]` of a list, a tuple, a range or a string; undefined where there is none. */
export function indexed(value: unknown, index: unknown): unknown {
  if (!isInteger(index)) return undefined;
  const at = Number(index);
  const items = typeof value === 'string' ? characters(value) : sequenceOf(value);
  if (items !== undefined) return items[at < 0 ? items.length + at : at];
  if (!(value instanceof Range)) return undefined;
  const i = at < 0 ? value.length + at : at;
  return i >= 0 && i < value.length ? value.at(i) : undefined;
}

/** `value[start:stop:step]`, undefined where Python has a TypeError: of what has no slices. */
export function sliced(value: unknown, bounds: readonly unknown[]): unknown {
  if (value instanceof Undefined) throw new JinjaError(value.hint);
  const nothing = new Undefined(`${typeName(value)} object has no such slice`);
  if (!bounds.every(isBound)) return nothing;
  const [start, stop, step] = bounds.map((bound) => (isInteger(bound) ? Number(bound) : undefined));
  if (typeof value === 'string') {
    const all = characters(value);
    return indices(all.length, start, stop, step)
      .map((i) => all[i]!)
      .join('');
  }
  const items = value instanceof Range ? value.items : sequenceOf(value);
  if (items === undefined) return nothing;
  const chosen = indices(items.length, start, stop, step).map((i) => items[i]);
  return value instanceof Tuple ? new Tuple(chosen) : chosen;
}

const isBound = (value: unknown) => value === undefined || value === null || isInteger(value);

/** Python's slice(start, stop, step).indices(length), as a list. */
function indices(length: number, start?: number, stop?: number, step = 1): number[] {
  if (step === 0) throw new JinjaError('slice step cannot be zero');
  const down = step < 0;
  const [least, most] = down ? [-1, length - 1] : [0, length];
  const clamped = (at: number | undefined, otherwise: number) => {
    if (at === undefined) return otherwise;
    return at < 0 ? Math.max(at + length, least) : Math.min(at, most);
  };
  const from = clamped(start, down ? most : least);
  const to = clamped(stop, down ? least : most);
  const count = Math.max(0, Math.ceil((to - from) / step));
  return Array.from({ length: count }, (_, i) => from + i * step);
}
