/** Python's `format % values` and `'...'.format(...)`, without the specifications that prompts have no use for. */
import { JinjaError } from './errors.ts';
import { repr, str } from './text.ts';
import { dictKey, Float, type Keywords, numberOf, Tuple, typeName } from './values.ts';

const directive = /%(?:\(([^)]*)\))?([-+ 0]*)(\d+)?(?:\.(\d+))?([\s\S]?)/g;

/** `format % values`: %s, %r, %d, %i, %f, %x and %%, with flags, width and precision. */
export function formatted(format: string, values: unknown): string {
  const given = values instanceof Tuple ? values.items : [values];
  let used = 0;
  const text = format.replace(directive, (whole, name, flags, width, precision, kind) => {
    if (kind === '%') return '%';
    let value: unknown;
    if (name === undefined) {
      if (used >= given.length) throw new JinjaError('not enough arguments for format string');
      value = given[used++];
    } else {
      if (!(values instanceof Map)) throw new JinjaError('format requires a mapping');
      if (!values.has(dictKey(name, values))) throw new JinjaError(`KeyError: ${repr(name)}`);
      value = values.get(dictKey(name, values));
    }
    return padded(converted(whole, kind, value, precision), flags, Number(width ?? 0), kind);
  });
  if (used < given.length && !(values instanceof Map))
    throw new JinjaError('not all arguments converted during string formatting');
  return text;
}

function converted(whole: string, kind: string, value: unknown, precision: string | undefined): string {
  if (kind === 's' || kind === 'r') {
    const text = kind === 's' ? str(value) : repr(value);
    return precision === undefined ? text : Array.from(text).slice(0, Number(precision)).join('');
  }
  const number = numberOf(value);
  if ('dixf'.includes(kind) && kind !== '') {
    if (number === undefined) throw new JinjaError(`${whole}: a number is required, not ${typeName(value)}`);
    if (kind === 'f') return number.toFixed(Number(precision ?? 6));
    if (kind === 'x' && value instanceof Float) throw new JinjaError(`${whole}: an integer is required`);
    const rounded = Math.trunc(number);
    const digits = Math.abs(rounded).toString(kind === 'x' ? 16 : 10);
    return (rounded < 0 ? '-' : '') + digits.padStart(Number(precision ?? 0), '0');
  }
  throw new JinjaError(`the format ${JSON.stringify(whole)} is not supported`);
}

function padded(text: string, flags: string, width: number, kind: string): string {
  const numeric = 'dixf'.includes(kind);
  const sign = numeric && !text.startsWith('-') ? (/[+ ]/.exec(flags)?.[0] ?? '') : '';
  const whole = sign + text;
  if (flags.includes('-')) return whole.padEnd(width);
  if (!flags.includes('0') || !numeric) return whole.padStart(width);
  const lead = /^[-+ ]?/.exec(whole)![0];
  return lead + whole.slice(lead.length).padStart(width - lead.length, '0');
}

/** `text.format(...)`: {}, {0}, {name}, each without a specification, and {{ and }}. */
export function braceFormat(text: string, args: readonly unknown[], keywords: Keywords): string {
  let next = 0;
  return text.replace(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g, (whole, field: string | undefined) => {
    if (whole === '{{' || whole === '}}') return whole[0]!;
    if (field === undefined) throw new JinjaError(`Single '${whole}' encountered in format string`);
    if (!/^\w*$/.test(field)) throw new JinjaError(`the format field ${whole} is not supported`);
    const found = /^\d*$/.test(field) ? args[field === '' ? next++ : Number(field)] : keywords.get(field);
    if (found === undefined) throw new JinjaError(`format: no value for ${whole}`);
    return str(found);
  });
}
