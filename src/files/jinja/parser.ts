/** Tokens to statements, by the grammar of Jinja 3.1 (jinja2/parser.py) with its loop controls. */
import { JinjaError } from './errors.ts';
import { parseExpression, parseFilters, parseTuple, primary, signature } from './expressionParser.ts';
import { lexed } from './lexer.ts';
import type { CallNode, FilterNode, Statement, Statements, Target } from './nodes.ts';
import { TokenStream } from './tokenStream.ts';

/** The statements of a template's text. Throws JinjaError where it does not parse. */
export function parseTemplate(template: string): Statements {
  return statements(new TokenStream(lexed(template)), []);
}

/** Statements up to a tag of one of `ends`, whose name is then the current token; to the end for none. */
function statements(stream: TokenStream, ends: readonly string[]): Statement[] {
  const body: Statement[] = [];
  for (;;) {
    const { type, text } = stream.current;
    if (type === 'eof') {
      if (ends.length > 0) throw new JinjaError(`Unexpected end of template: expected ${ends.join(' or ')}`);
      return body;
    }
    stream.next();
    if (type === 'data') body.push({ type: 'text', text });
    else if (type === 'variable_begin') {
      body.push({ type: 'output', value: parseTuple(stream) });
      stream.expectType('variable_end');
    } else {
      if (ends.some((end) => stream.isName(end))) return body;
      body.push(...statement(stream, ends));
      stream.expectType('block_end');
    }
  }
}

/** The body of a statement whose tag ends here, up to the tag of one of `ends`. */
function bodyTo(stream: TokenStream, ...ends: string[]): Statement[] {
  stream.skipOperator(':');
  stream.expectType('block_end');
  return statements(stream, ends);
}

/** The same, past the name of the one tag that ends it. */
function wholeBody(stream: TokenStream, end: string): Statement[] {
  const body = bodyTo(stream, end);
  stream.next();
  return body;
}

const alone = ['include', 'import', 'from', 'extends', 'autoescape'];

function statement(stream: TokenStream, ends: readonly string[]): Statement[] {
  const name = stream.expectType('name').text;
  switch (name) {
    case 'for':
      return [forLoop(stream)];
    case 'if':
      return [conditional(stream)];
    case 'set':
      return [assignment(stream)];
    case 'macro':
      return [
        {
          type: 'macro',
          name: stream.expectType('name').text,
          signature: signature(stream),
          body: wholeBody(stream, 'endmacro'),
        },
      ];
    case 'call':
      return [callBlock(stream)];
    case 'filter': {
      const filter = parseFilters(stream, undefined, true)!;
      return [{ type: 'filterBlock', filter, body: wholeBody(stream, 'endfilter') }];
    }
    case 'with':
      return [withBlock(stream)];
    case 'block': {
      const own = stream.expectType('name').text;
      stream.skipName('scoped');
      const body = wholeBody(stream, 'endblock');
      stream.skipName(own);
      return [{ type: 'block', body }];
    }
    case 'generation':
      return [{ type: 'generation', body: wholeBody(stream, 'endgeneration') }];
    case 'print':
      return printed(stream);
    case 'break':
    case 'continue':
      return [{ type: name }];
  }
  if (alone.includes(name)) throw new JinjaError(`the tag ${name} is not supported`);
  const expected = ends.length === 0 ? '' : `, expected ${ends.join(' or ')}`;
  throw new JinjaError(`Encountered unknown tag '${name}'${expected}`);
}

function printed(stream: TokenStream): Statement[] {
  const parts: Statement[] = [];
  while (stream.current.type !== 'block_end') {
    if (parts.length > 0) stream.expectOperator(',');
    parts.push({ type: 'output', value: parseExpression(stream) });
  }
  return parts;
}

function forLoop(stream: TokenStream): Statement {
  const target = assignTarget(stream, 'in');
  stream.expectName('in');
  const iterable = parseTuple(stream, { conditional: false, end: 'recursive' });
  const test = stream.skipName('if') ? parseExpression(stream) : undefined;
  const recursive = stream.skipName('recursive');
  const body = bodyTo(stream, 'endfor', 'else');
  const otherwise = stream.next().text === 'else' ? wholeBody(stream, 'endfor') : [];
  return { type: 'for', target, iterable, test, recursive, body, otherwise };
}

function conditional(stream: TokenStream): Statement {
  const branches: { test: ReturnType<typeof parseTuple>; body: Statements }[] = [];
  for (;;) {
    const test = parseTuple(stream, { conditional: false });
    branches.push({ test, body: bodyTo(stream, 'elif', 'else', 'endif') });
    const tag = stream.next().text;
    if (tag === 'elif') continue;
    const otherwise = tag === 'else' ? wholeBody(stream, 'endif') : [];
    return { type: 'if', branches, otherwise };
  }
}

function assignment(stream: TokenStream): Statement {
  const target = assignTarget(stream, undefined, true);
  if (stream.skipOperator('=')) return { type: 'set', target, value: parseTuple(stream) };
  const filter: FilterNode | undefined = parseFilters(stream, undefined, false);
  return { type: 'setBlock', target, filter, body: wholeBody(stream, 'endset') };
}

function callBlock(stream: TokenStream): Statement {
  const own = stream.isOperator('(') ? signature(stream) : { names: [], defaults: [] };
  const call = parseExpression(stream);
  if (call.type !== 'call') throw new JinjaError('expected call');
  return { type: 'callBlock', call: call as CallNode, signature: own, body: wholeBody(stream, 'endcall') };
}

function withBlock(stream: TokenStream): Statement {
  const assignments: [Target, ReturnType<typeof parseExpression>][] = [];
  while (stream.current.type !== 'block_end') {
    if (assignments.length > 0) stream.expectOperator(',');
    const target = assignTarget(stream);
    stream.expectOperator('=');
    assignments.push([target, parseExpression(stream)]);
  }
  return { type: 'with', assignments, body: wholeBody(stream, 'endwith') };
}

/** Names, with commas between them, that end before `=`, a tag's end or the name `end`. */
function assignTarget(stream: TokenStream, end?: string, namespaces = false): Target {
  const targets: Target[] = [];
  let several = false;
  for (;;) {
    if (targets.length > 0 && stream.isEnd(end)) break;
    targets.push(oneTarget(stream, namespaces));
    if (!stream.skipOperator(',')) break;
    several = true;
  }
  return several ? { type: 'names', targets } : targets[0]!;
}

function oneTarget(stream: TokenStream, namespaces: boolean): Target {
  if (stream.skipOperator('(')) {
    const inner = assignTarget(stream, undefined, namespaces);
    stream.expectOperator(')');
    return inner;
  }
  const node = primary(stream);
  if (node.type !== 'name') throw new JinjaError(`can't assign to ${node.type}`);
  if (!namespaces || !stream.skipOperator('.')) return node;
  return { type: 'namespace', name: node.name, attribute: stream.expectType('name').text };
}
