/**
 * A template's text as tokens, as Jinja 3.1's lexer splits it with `trim_blocks` and `lstrip_blocks`: every
 * line end becomes a line feed, the last one of the text goes, and so does one after a block, and white space
 * before a block that begins its line. Source: jinja2/lexer.py.
 */
import { JinjaError } from './errors.ts';
import { stripped } from './strings.ts';
import { whiteSpace } from './whiteSpace.ts';

export interface Token {
  /** an operator is its own type */
  readonly type:
    | 'data'
    | 'block_begin'
    | 'block_end'
    | 'variable_begin'
    | 'variable_end'
    | 'name'
    | 'string'
    | 'integer'
    | 'float'
    | 'operator'
    | 'eof';
  readonly text: string;
}

const s = `[${whiteSpace}]`;
const sticky = (source: string) => new RegExp(source, 'suy');

const opening = new RegExp(String.raw`\{%[-+]?${s}*raw${s}*(?:-%\}${s}*|%\})|\{[{%#][-+]?`, 'gu');
const endRaw = new RegExp(String.raw`\{%([-+]?)${s}*endraw${s}*(?:\+%\}|-%\}${s}*|%\}\n?)`, 'gu');
const endComment = new RegExp(String.raw`\+#\}|-#\}${s}*|#\}\n?`, 'gu');
const endBlock = sticky(String.raw`\+%\}|-%\}${s}*|%\}\n?`);
const endVariable = sticky(String.raw`-\}\}${s}*|\}\}`);

const digits = String.raw`(?:\d+_)*\d+`;
const words: readonly (readonly [Token['type'] | 'space', RegExp])[] = [
  ['space', sticky(`${s}+`)],
  ['float', sticky(String.raw`(?<!\.)${digits}(?:(?:\.${digits})?[eE][+-]?${digits}|\.${digits})`)],
  [
    'integer',
    sticky(String.raw`0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|[1-9](?:_?\d)*|0(?:_?0)*`),
  ],
  ['name', sticky(String.raw`[\p{L}\p{M}\p{Nd}\p{Pc}]+`)],
  ['string', sticky(String.raw`'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"`)],
  ['operator', sticky(String.raw`//|\*\*|[=!<>]=|[-+/*%~[\](){}<>=.:|,;]`)],
];

const closerOf: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** The tokens of a template; throws JinjaError where it is none. */
export function lexed(template: string): Token[] {
  const source = template.replace(/\r\n?/g, '\n').replace(/\n$/, '');
  const tokens: Token[] = [];
  let at = 0;
  let lineStarts = true;
  const data = (text: string) => {
    if (text !== '') tokens.push({ type: 'data', text });
  };
  /** `text` before a tag, whose sign is - or + or none. */
  const before = (text: string, sign: string, isBlock: boolean): string => {
    if (sign === '-') return stripped(text, undefined, false, true);
    const line = text.lastIndexOf('\n') + 1;
    const strips = sign !== '+' && isBlock && (line > 0 || lineStarts);
    return strips && onlyWhiteSpace.test(text.slice(line)) ? text.slice(0, line) : text;
  };
  /** Moves behind what `pattern` finds next. */
  const find = (pattern: RegExp, missing: string): RegExpExecArray => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found === null) throw new JinjaError(missing);
    return found;
  };
  const past = (found: RegExpExecArray) => {
    at = found.index + found[0].length;
    lineStarts = found[0].endsWith('\n');
  };

  while (at < source.length) {
    opening.lastIndex = at;
    const found = opening.exec(source);
    if (found === null) {
      data(source.slice(at));
      break;
    }
    const tag = found[0];
    const sign = /^..[-+]/.test(tag) ? tag[2]! : '';
    data(before(source.slice(at, found.index), sign, tag[1] !== '{'));
    const start = found.index + tag.length;
    past(found);
    if (at === source.length && tag[1] !== '{' && (tag[1] === '#' || tag.includes('raw'))) break;
    if (tag.includes('raw')) {
      const end = find(endRaw, 'Missing end of raw directive');
      data(before(source.slice(start, end.index), end[1]!, true));
      past(end);
    } else if (tag[1] === '#') past(find(endComment, 'Missing end of comment tag'));
    else {
      const kind = tag[1] === '{' ? 'variable' : 'block';
      tokens.push({ type: `${kind}_begin`, text: tag });
      const { end, inner } = tagTokens(source, at, kind === 'block' ? endBlock : endVariable);
      tokens.push(...inner, { type: `${kind}_end`, text: end[0] });
      past(end);
    }
  }
  return [...tokens, { type: 'eof', text: 'end of template' }];
}

const onlyWhiteSpace = new RegExp(`^${s}+$`, 'u');

/** The tokens from `start` to the `ending` that stands outside all brackets. */
function tagTokens(source: string, start: number, ending: RegExp) {
  const inner: Token[] = [];
  const open: string[] = [];
  let at = start;
  for (;;) {
    if (open.length === 0) {
      ending.lastIndex = at;
      const end = ending.exec(source);
      if (end !== null) return { end, inner };
    }
    if (at >= source.length) throw new JinjaError('unexpected end of template, within a tag');
    const [type, text] = wordAt(source, at);
    at += text.length;
    if (type === 'space') continue;
    if (type === 'operator') balance(open, text);
    inner.push({ type, text: type === 'string' ? unescaped(text.slice(1, -1)) : text });
  }
}

function wordAt(source: string, at: number): readonly [Token['type'] | 'space', string] {
  for (const [type, pattern] of words) {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found !== null) return [type, found[0]];
  }
  throw new JinjaError(`unexpected char ${JSON.stringify(source[at])} at ${at}`);
}

function balance(open: string[], operator: string): void {
  const closer = closerOf[operator];
  if (closer !== undefined) open.push(closer);
  else if (operator === ')' || operator === ']' || operator === '}') {
    const expected = open.pop();
    if (expected === undefined) throw new JinjaError(`unexpected '${operator}'`);
    if (expected !== operator) throw new JinjaError(`unexpected '${operator}', expected '${expected}'`);
  }
}

const escapes: Readonly<Record<string, string>> = {
  '\n': '',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

const escapeSequence = /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([\s\S]))/gu;

/** A string literal's text, by Python's escapes; an unknown one stands for itself. */
function unescaped(text: string): string {
  return text.replace(escapeSequence, (whole, octal, x, u, U, letter: string) => {
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    const hex = x ?? u ?? U;
    if (hex !== undefined) {
      const point = Number.parseInt(hex, 16);
      if (point > 0x10ffff) throw new JinjaError(`illegal Unicode character ${whole}`);
      return String.fromCodePoint(point);
    }
    if ('xuUN'.includes(letter)) throw new JinjaError(`the escape ${whole} is not supported or cut short`);
    return escapes[letter] ?? whole;
  });
}
