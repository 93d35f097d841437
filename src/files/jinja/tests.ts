/** What stands behind `is`: Jinja's tests by name. Source: jinja2/tests.py. */
import { JinjaError } from './errors.ts';
import type { Comparator } from './nodes.ts';
import { binary, comparisonHolds } from './operators.ts';
import { isLower, isUpper } from './strings.ts';
import { str } from './text.ts';
import {
  areEqual,
  Callable,
  DictView,
  Float,
  iteratorOf,
  lengthOf,
  numberOf,
  Undefined,
  WithAttributes,
} from './values.ts';

type Test = (value: unknown, other: unknown) => boolean;

const by =
  (operator: Comparator): Test =>
  (a, b) =>
    comparisonHolds(operator, a, b);

const remainder = (value: unknown, divisor: unknown) => numberOf(binary('%', value, divisor));

const comparisons: Readonly<Record<string, Test>> = {
  '==': by('=='),
  eq: by('=='),
  equalto: by('=='),
  '!=': by('!='),
  ne: by('!='),
  '>': by('>'),
  gt: by('>'),
  greaterthan: by('>'),
  '>=': by('>='),
  ge: by('>='),
  '<': by('<'),
  lt: by('<'),
  lessthan: by('<'),
  '<=': by('<='),
  le: by('<='),
  in: by('in'),
};

const ofTwo: Readonly<Record<string, Test>> = {
  ...comparisons,
  divisibleby: (value, divisor) => remainder(value, divisor) === 0,
  sameas: (a, b) => a === b || (isPlain(a) && isPlain(b) && typeof a === typeof b && areEqual(a, b)),
};

const isPlain = (value: unknown) => value === null || typeof value !== 'object';

const ofOne: Readonly<Record<string, (value: unknown) => boolean>> = {
  odd: (value) => remainder(value, 2) === 1,
  even: (value) => remainder(value, 2) === 0,
  defined: (value) => !(value instanceof Undefined),
  undefined: (value) => value instanceof Undefined,
  none: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  true: (value) => value === true,
  false: (value) => value === false,
  integer: (value) => typeof value === 'number',
  float: (value) => value instanceof Float,
  number: (value) => numberOf(value) !== undefined,
  string: (value) => typeof value === 'string',
  mapping: (value) => value instanceof Map,
  sequence: (value) => lengthOf(value) !== undefined && !(value instanceof DictView),
  iterable: (value) => iteratorOf(value) !== undefined,
  callable: (value) =>
    value instanceof Callable ||
    value instanceof Undefined ||
    (value instanceof WithAttributes && value.call !== undefined),
  lower: (value) => isLower(str(value)),
  upper: (value) => isUpper(str(value)),
  escaped: () => false,
};

export const isTest = (name: unknown): boolean =>
  typeof name === 'string' &&
  (Object.hasOwn(ofOne, name) || Object.hasOwn(ofTwo, name) || name === 'filter' || name === 'test');

/** `value is name(args)`. Throws JinjaError for an unknown test or a wrong number of arguments. */
export function runTest(
  name: string,
  value: unknown,
  args: readonly unknown[],
  isFilter: (name: unknown) => boolean,
): boolean {
  const takes = Object.hasOwn(ofTwo, name) ? 1 : 0;
  if (!isTest(name)) throw new JinjaError(`No test named '${name}'.`);
  if (args.length !== takes)
    throw new JinjaError(`the test ${name} takes ${takes} arguments, found ${args.length}`);
  if (takes === 1) return ofTwo[name]!(value, args[0]);
  if (name === 'filter') return isFilter(value);
  return name === 'test' ? isTest(value) : ofOne[name]!(value);
}
