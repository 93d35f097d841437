/**
 * YAML text to a value, with the place of every part of it. Knows no field.
 */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  Parser,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import { InputError, inOneLine } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';

/** From 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

export interface Yaml {
  readonly value: unknown;
  /**
   * Where the part at `path` begins: a text or number itself, of a list or object its key; of what is not
   * there, that of what should hold it.
   */
  place(path: readonly PropertyKey[]): TextPlace;
  /** Where the key `key` of the object at `path` begins. */
  keyPlace(path: readonly PropertyKey[], key: string): TextPlace;
}

/** Each far above what a study needs, and far below what would take memory or time. */
const limits = { characters: 2 ** 20, depth: 64, aliases: 100 };

/**
 * Throws InputError `file:line:column: ...` where `text` is not one YAML document, has a key twice, or is
 * beyond the limits.
 */
export function parseYaml(text: string, file: string): Yaml {
  if (text.length > limits.characters)
    throw new InputError(`${file}: expected at most ${limits.characters} characters, found ${text.length}`);
  const source = text.replace(/^\uFEFF/, '');
  const refuse = (offset: number, what: string): never => {
    const { line, column } = placeIn(source, offset);
    throw new InputError(`${file}:${line}:${column}: ${what}`);
  };
  const deep = tooDeep(source);
  if (deep !== undefined) refuse(deep, `expected nesting of at most ${limits.depth} levels`);
  const document = parseDocument(source, { prettyErrors: false });
  // What the parser warns of, such as a tag that it does not know, is an error to us.
  const wrong = document.errors[0] ?? document.warnings[0];
  if (wrong) refuse(wrong.pos[0], told(wrong, source));
  const odd = oddKey(document);
  if (odd !== undefined) refuse(odd, 'expected a text as the name of a field, found a list or an object');
  const lost = lostAlias(document);
  if (lost) refuse(lost.offset, `expected an anchor &${lost.name} before it, found none`);
  return {
    value: plainValue(document, file),
    place: (path) => placeIn(source, partAt(document, path).offset),
    keyPlace: (path, key) => placeIn(source, partAt(document, [...path], key).offset),
  };
}

function placeIn(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/**
 * Where nesting passes the limit, if it does: the parser has a stack of its own, but what reads its tokens
 * calls itself.
 */
function tooDeep(text: string): number | undefined {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    if (parser.stack.length > limits.depth) return parser.offset;
  }
  return undefined;
}

function told({ code, message, pos }: YAMLError, text: string): string {
  if (code === 'MULTIPLE_DOCS') return 'expected one document, found a second';
  if (code !== 'DUPLICATE_KEY') return `not YAML: ${inOneLine(message)}`;
  const key = /^[^\s:]*/.exec(text.slice(pos[0], pos[0] + 100))![0];
  return `expected each field once, found ${quoted(key)} twice`;
}

function lostAlias(document: Document): { name: string; offset: number } | undefined {
  let found: { name: string; offset: number } | undefined;
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      found = { name: alias.source, offset: startOf(alias) ?? 0 };
      return visit.BREAK;
    },
  });
  return found;
}

/** Where the first key that is no text, number or the like begins. */
function oddKey(document: Document): number | undefined {
  let found: number | undefined;
  visit(document, {
    Pair(_, { key }) {
      const named = isAlias(key) ? key.resolve(document) : key;
      if (!isCollection(named)) return undefined;
      found = startOf(key) ?? 0;
      return visit.BREAK;
    },
  });
  return found;
}

function plainValue(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: limits.aliases });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new InputError(`${file}: expected fewer uses of anchors: ${error.message}`);
  }
}

const startOf = (part: unknown): number | undefined => (part as Node | null)?.range?.[0];

function pairIn(node: unknown, key: PropertyKey): Pair | undefined {
  const keyOf = ({ key }: Pair) => String(isScalar(key) ? key.value : key);
  return isMap(node) ? node.items.find((pair) => keyOf(pair) === String(key)) : undefined;
}

interface Part {
  readonly node: unknown;
  readonly offset: number;
}

/** What stands at a key of a map or an index of a list. */
function partIn(node: unknown, key: PropertyKey): Part | undefined {
  const found = isSeq(node) ? node.items[Number(key)] : pairIn(node, key);
  if (!isPair(found)) return found === undefined ? undefined : { node: found, offset: startOf(found) ?? 0 };
  const { key: name, value } = found;
  const written = isScalar(value) && value.source !== '';
  return { node: value, offset: startOf(written ? value : name) ?? 0 };
}

/** The part at `path`, as far as it is there; then the key `key` of it. */
function partAt(document: Document, path: readonly PropertyKey[], key?: string): Part {
  let part: Part = { node: document.contents, offset: startOf(document.contents) ?? 0 };
  for (const step of path) {
    const next = partIn(part.node, step);
    if (next === undefined) return part;
    part = { ...next, node: isAlias(next.node) ? next.node.resolve(document) : next.node };
  }
  const pair = key === undefined ? undefined : pairIn(part.node, key);
  return pair === undefined ? part : { node: pair, offset: startOf(pair.key) ?? part.offset };
}
