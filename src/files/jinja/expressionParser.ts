/** Tokens to expressions, by the grammar of Jinja 3.1 (jinja2/parser.py). */
import { JinjaError } from './errors.ts';
import type { Arguments, Comparator, Expression, FilterNode, Operator, Signature } from './nodes.ts';
import type { TokenStream } from './tokenStream.ts';

export interface TupleOptions {
  /** Whether `a if b` may stand in it; default true. */
  readonly conditional?: boolean;
  /** A name before which it ends. */
  readonly end?: string;
  /** Whether it stands in brackets, so that it may be empty; default false. */
  readonly bracketed?: boolean;
}

/** An expression, or a tuple where commas follow. */
export function parseTuple(stream: TokenStream, options: TupleOptions = {}): Expression {
  const { conditional = true, end, bracketed = false } = options;
  const items: Expression[] = [];
  let several = false;
  while (!stream.isEnd(end)) {
    items.push(conditional ? parseExpression(stream) : or(stream));
    if (!stream.skipOperator(',')) break;
    several = true;
  }
  if (several || (bracketed && items.length === 0)) return { type: 'tuple', items };
  return items[0] ?? stream.unexpected('an expression');
}

export function parseExpression(stream: TokenStream): Expression {
  let expression = or(stream);
  while (stream.skipName('if')) {
    const test = or(stream);
    const no = stream.skipName('else') ? parseExpression(stream) : undefined;
    expression = { type: 'conditional', test, yes: expression, no };
  }
  return expression;
}

function or(stream: TokenStream): Expression {
  let left = and(stream);
  while (stream.skipName('or')) left = { type: 'or', left, right: and(stream) };
  return left;
}

function and(stream: TokenStream): Expression {
  let left = not(stream);
  while (stream.skipName('and')) left = { type: 'and', left, right: not(stream) };
  return left;
}

function not(stream: TokenStream): Expression {
  return stream.skipName('not') ? { type: 'not', operand: not(stream) } : comparison(stream);
}

const comparators = ['==', '!=', '<', '<=', '>', '>='];

function comparator(stream: TokenStream): Comparator | undefined {
  const { type, text } = stream.current;
  if (type === 'operator' && comparators.includes(text)) {
    stream.next();
    return text as Comparator;
  }
  if (stream.skipName('in')) return 'in';
  if (!stream.isName('not') || stream.following.text !== 'in' || stream.following.type !== 'name')
    return undefined;
  stream.next();
  stream.next();
  return 'not in';
}

function comparison(stream: TokenStream): Expression {
  const first = sum(stream);
  const rest: { operator: Comparator; operand: Expression }[] = [];
  for (;;) {
    const operator = comparator(stream);
    if (operator === undefined) break;
    rest.push({ operator, operand: sum(stream) });
  }
  return rest.length === 0 ? first : { type: 'comparison', first, rest };
}

/** A chain of operators of one rank, from the left. */
function chain(operators: readonly Operator[], operand: (stream: TokenStream) => Expression) {
  return (stream: TokenStream): Expression => {
    let left = operand(stream);
    for (;;) {
      const operator = operators.find((each) => stream.skipOperator(each));
      if (operator === undefined) return left;
      left = { type: 'binary', operator, left, right: operand(stream) };
    }
  };
}

const power = chain(['**'], (stream) => unary(stream, true));
const product = chain(['*', '/', '//', '%'], power);
const sum = chain(['+', '-'], concatenation);

function concatenation(stream: TokenStream): Expression {
  const parts = [product(stream)];
  while (stream.skipOperator('~')) parts.push(product(stream));
  return parts.length === 1 ? parts[0]! : { type: 'concatenation', parts };
}

function unary(stream: TokenStream, filtered: boolean): Expression {
  let node: Expression;
  if (stream.skipOperator('-')) node = { type: 'negative', operand: unary(stream, false) };
  else if (stream.skipOperator('+')) node = { type: 'positive', operand: unary(stream, false) };
  else node = primary(stream);
  node = postfix(stream, node);
  return filtered ? filtersAndTests(stream, node) : node;
}

const constants: Readonly<Record<string, Expression>> = {
  true: { type: 'boolean', value: true },
  True: { type: 'boolean', value: true },
  false: { type: 'boolean', value: false },
  False: { type: 'boolean', value: false },
  none: { type: 'none' },
  None: { type: 'none' },
};

/** A name, a literal, or what stands in brackets. */
export function primary(stream: TokenStream): Expression {
  const { type, text } = stream.next();
  if (type === 'name') {
    if (Object.hasOwn(constants, text)) return constants[text]!;
    if (/^\p{Nd}/u.test(text))
      throw new JinjaError(`Invalid character in identifier ${JSON.stringify(text)}`);
    return { type: 'name', name: text };
  }
  if (type === 'string') {
    let value = text;
    while (stream.current.type === 'string') value += stream.next().text;
    return { type: 'string', value };
  }
  if (type === 'integer') return { type: 'integer', value: integer(text) };
  if (type === 'float') return { type: 'float', value: Number(text.replaceAll('_', '')) };
  if (type === 'operator') {
    if (text === '(') {
      const inner = parseTuple(stream, { bracketed: true });
      stream.expectOperator(')');
      return inner;
    }
    if (text === '[') return { type: 'list', items: listed(stream, ']', parseExpression) };
    if (text === '{') return { type: 'dict', pairs: listed(stream, '}', pair) };
  }
  throw new JinjaError(`unexpected ${JSON.stringify(text)}`);
}

function integer(text: string): number {
  const value = Number(text.replaceAll('_', '').toLowerCase());
  if (!Number.isSafeInteger(value)) throw new JinjaError(`the number ${text} is beyond 2^53`);
  return value;
}

function pair(stream: TokenStream): readonly [Expression, Expression] {
  const key = parseExpression(stream);
  stream.expectOperator(':');
  return [key, parseExpression(stream)];
}

/** Items with commas between them, the last of which may end in one, up to `closer`. */
function listed<T>(stream: TokenStream, closer: string, item: (stream: TokenStream) => T): T[] {
  const items: T[] = [];
  while (!stream.isOperator(closer)) {
    items.push(item(stream));
    if (!stream.skipOperator(',')) break;
  }
  stream.expectOperator(closer);
  return items;
}

/** Attributes, items and calls on `node`. */
function postfix(stream: TokenStream, node: Expression): Expression {
  let found = node;
  for (;;) {
    if (stream.skipOperator('.')) found = attribute(stream, found);
    else if (stream.skipOperator('[')) {
      const items = listed(stream, ']', subscript);
      if (items.length === 0) stream.unexpected('an index');
      found = {
        type: 'item',
        object: found,
        index: items.length === 1 ? items[0]! : { type: 'tuple', items },
      };
    } else if (stream.isOperator('(')) found = { type: 'call', callee: found, args: parseArguments(stream) };
    else return found;
  }
}

function attribute(stream: TokenStream, object: Expression): Expression {
  const { type, text } = stream.next();
  if (type === 'name') return { type: 'attribute', object, name: text };
  if (type !== 'integer') throw new JinjaError(`expected name or number, found ${JSON.stringify(text)}`);
  return { type: 'item', object, index: { type: 'integer', value: integer(text) } };
}

function subscript(stream: TokenStream): Expression {
  const bounds: (Expression | undefined)[] = [];
  const bound = () =>
    stream.isOperator(':') || stream.isOperator(']') || stream.isOperator(',')
      ? undefined
      : parseExpression(stream);
  bounds.push(bound());
  while (bounds.length < 3 && stream.skipOperator(':')) bounds.push(bound());
  if (bounds.length > 1) return { type: 'slice', bounds };
  return bounds[0] ?? stream.unexpected('an index');
}

function filtersAndTests(stream: TokenStream, node: Expression): Expression {
  let found = node;
  for (;;) {
    if (stream.isOperator('|')) found = parseFilters(stream, found, false)!;
    else if (stream.skipName('is')) found = test(stream, found);
    else if (stream.isOperator('(')) found = { type: 'call', callee: found, args: parseArguments(stream) };
    else return found;
  }
}

const dotted = (stream: TokenStream): string => {
  let name = stream.expectType('name').text;
  while (stream.skipOperator('.')) name += `.${stream.expectType('name').text}`;
  return name;
};

const noArguments: Arguments = { positional: [], keywords: [], rest: undefined, options: undefined };

/** Filters on `operand`, each after a `|`; the first without one where `begun`. Undefined for none. */
export function parseFilters(
  stream: TokenStream,
  operand: Expression | undefined,
  begun: boolean,
): FilterNode | undefined {
  let found: FilterNode | undefined;
  let first = begun;
  while (first || stream.skipOperator('|')) {
    first = false;
    const name = dotted(stream);
    const args = stream.isOperator('(') ? parseArguments(stream) : noArguments;
    found = { type: 'filter', name, operand: found ?? operand, args };
  }
  return found;
}

const ends = ['else', 'or', 'and'];

function test(stream: TokenStream, operand: Expression): Expression {
  const negated = stream.skipName('not');
  const name = dotted(stream);
  const node: Expression = { type: 'test', name, operand, args: testArguments(stream) };
  return negated ? { type: 'not', operand: node } : node;
}

function testArguments(stream: TokenStream): Arguments {
  if (stream.isOperator('(')) return parseArguments(stream);
  const { type, text } = stream.current;
  const begins =
    type === 'operator'
      ? text === '[' || text === '{'
      : ['name', 'string', 'integer', 'float'].includes(type);
  if (!begins || (type === 'name' && ends.includes(text))) return noArguments;
  if (stream.isName('is')) throw new JinjaError('You cannot chain multiple tests with is');
  return { ...noArguments, positional: [postfix(stream, primary(stream))] };
}

function parseArguments(stream: TokenStream): Arguments {
  stream.expectOperator('(');
  const positional: Expression[] = [];
  const keywords: [string, Expression][] = [];
  let rest: Expression | undefined;
  let options: Expression | undefined;
  const ensure = (holds: boolean) => {
    if (!holds) throw new JinjaError('invalid syntax for function call expression');
  };
  while (!stream.isOperator(')')) {
    if (stream.skipOperator('*')) {
      ensure(rest === undefined && options === undefined);
      rest = parseExpression(stream);
    } else if (stream.skipOperator('**')) {
      ensure(options === undefined);
      options = parseExpression(stream);
    } else if (stream.current.type === 'name' && isAssignment(stream)) {
      ensure(options === undefined);
      const { text } = stream.next();
      stream.next();
      keywords.push([text, parseExpression(stream)]);
    } else {
      ensure(rest === undefined && options === undefined && keywords.length === 0);
      positional.push(parseExpression(stream));
    }
    if (!stream.skipOperator(',')) break;
  }
  stream.expectOperator(')');
  return { positional, keywords, rest, options };
}

const isAssignment = ({ following }: TokenStream) => following.type === 'operator' && following.text === '=';

/** The arguments that a macro or a caller takes. */
export function signature(stream: TokenStream): Signature {
  stream.expectOperator('(');
  const names: string[] = [];
  const defaults: Expression[] = [];
  while (!stream.isOperator(')')) {
    if (names.length > 0) stream.expectOperator(',');
    names.push(stream.expectType('name').text);
    if (stream.skipOperator('=')) defaults.push(parseExpression(stream));
    else if (defaults.length > 0) throw new JinjaError('non-default argument follows default argument');
  }
  stream.expectOperator(')');
  return { names, defaults };
}
