/** int, float and round, as Python's own functions make them. */
import { JinjaError } from './errors.ts';
import { Float, isInteger, numberOf, typeName, Undefined } from './values.ts';

const decimal =
  /^[+-]?(?:(?:\d+(?:_\d+)*)(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/;

/** float(text); undefined where Python raises ValueError. */
function floatIn(text: string): number | undefined {
  const bare = text.trim();
  const word = /^([+-]?)(inf|infinity|nan)$/i.exec(bare);
  if (word) return /nan/i.test(bare) ? Number.NaN : word[1] === '-' ? -Infinity : Infinity;
  return decimal.test(bare) ? Number(bare.replaceAll('_', '')) : undefined;
}

/** int(text, base); undefined where Python raises ValueError. */
function intIn(text: string, base: number): number | undefined {
  const found = /^([+-]?)(?:0([bBoOxX])_?)?([\da-zA-Z]+(?:_[\da-zA-Z]+)*)$/.exec(text.trim());
  if (found === null) return undefined;
  const [, sign, prefix, digits = ''] = found;
  const named = prefix === undefined ? undefined : { b: 2, o: 8, x: 16 }[prefix.toLowerCase()];
  if (named !== undefined && base !== 0 && base !== named) return intOf(sign!, `0${prefix}${digits}`, base);
  return intOf(sign!, digits, named ?? (base === 0 ? 10 : base));
}

function intOf(sign: string, digits: string, base: number): number | undefined {
  let value = 0;
  for (const digit of digits.replaceAll('_', '').toLowerCase()) {
    const worth = Number.parseInt(digit, 36);
    if (!(worth < base)) return undefined;
    value = value * base + worth;
  }
  return sign === '-' ? 0 - value : value;
}

const exact = (value: number, what: string): number => {
  if (!Number.isSafeInteger(value)) throw new JinjaError(`${what}: a number beyond 2^53`);
  return value;
};

export function asWhole(value: unknown, otherwise: unknown, base: number): unknown {
  if (value instanceof Undefined) throw new JinjaError(value.hint);
  if (typeof value === 'string') {
    const found = intIn(value, base) ?? floatIn(value);
    return found === undefined || !Number.isFinite(found) ? otherwise : exact(Math.trunc(found), 'int') + 0;
  }
  const number = numberOf(value);
  if (number === undefined || !Number.isFinite(number)) return otherwise;
  return exact(Math.trunc(number), 'int') + 0;
}

export function asFloat(value: unknown, otherwise: unknown = new Float(0)): unknown {
  if (value instanceof Undefined) throw new JinjaError(value.hint);
  const found = typeof value === 'string' ? floatIn(value) : numberOf(value);
  return found === undefined ? otherwise : new Float(found);
}

/** Python's round(value, precision), which takes the even one of two that are as near, and its relatives. */
export function rounded(value: unknown, precision: number, method: string): unknown {
  const number = numberOf(value);
  if (number === undefined) throw new JinjaError(`type ${typeName(value)} doesn't define __round__ method`);
  if (method === 'ceil' || method === 'floor') {
    const factor = 10 ** precision;
    return new Float(Math[method](number * factor) / factor);
  }
  if (method !== 'common') throw new JinjaError('method must be common, ceil or floor');
  if (precision < 0) throw new JinjaError('round: a precision below 0 is not supported');
  if (isInteger(value)) return number;
  return new Float(precision > 20 || !Number.isFinite(number) ? number : halfEven(number, precision));
}

function halfEven(number: number, precision: number): number {
  if (Math.abs(number) >= 1e21) return number;
  const digits = Math.abs(number).toFixed(100);
  const cut = digits.length - 100 + precision;
  if (!/^50*$/.test(digits.slice(cut).replace('.', ''))) return Number(number.toFixed(precision));
  const kept = digits.slice(0, cut).replace(/\.$/, '');
  const even = Number(kept.at(-1)) % 2 === 0;
  const nearest = even ? Number(kept) : Number(Math.abs(number).toFixed(precision));
  return number < 0 ? -nearest : nearest;
}
