/**
 * JSON from a file that may be hostile: valid UTF-8, one object, no key twice in one object (JSON.parse
 * keeps the last silently), no deep nesting (whose objects would cost far more memory than their bytes).
 * Knows no format.
 */
import { InputError } from '../errors.ts';
import { quoted } from './bytes.ts';

export type JsonObject = Record<string, unknown>;

/**
 * Most keys of one object. The largest models published have 100,000 tensors; an object costs far more than
 * its bytes.
 */
const maxKeys = 2 ** 20;

/** Whether `value`, which came from JSON, is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The object that `bytes` hold. Objects nest at most `depth` deep (the outermost is 1), an array within
 * them counts too, and an array holds neither. Throws InputError, which begins with `where`.
 */
export function parseObject(bytes: Uint8Array, where: string, depth: number): JsonObject {
  const text = decode(bytes, where);
  checkStructure(text, where, depth);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${where}: expected JSON: ${quoted(String(error))}`);
  }
  if (!isObject(json)) throw new InputError(`${where}: expected a JSON object`);
  return json;
}

function decode(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new InputError(`${where}: expected JSON in UTF-8, found invalid bytes`);
  }
}

/**
 * Throws at too deep nesting and at a key that stands twice; what else is wrong in `text` is left to
 * JSON.parse.
 */
function checkStructure(text: string, where: string, depth: number): void {
  const open: (Set<string> | 'array')[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{' || character === '[') {
      if (open.length === depth || open.at(-1) === 'array')
        throw new InputError(`${where}: the JSON is nested too deeply at character ${i}`);
      open.push(character === '{' ? new Set() : 'array');
    } else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const start = i;
      i = endOfString(text, start);
      const keys = open.at(-1);
      if (keys instanceof Set && isKey(text, i + 1)) addKey(keys, text.slice(start, i + 1), where);
    }
  }
}

/** Index of the quote that closes the string opened at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}

function isKey(text: string, after: number): boolean {
  let i = after;
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++;
  return text[i] === ':';
}

function addKey(keys: Set<string>, literal: string, where: string): void {
  let key: string;
  try {
    key = JSON.parse(literal);
  } catch {
    throw new InputError(`${where}: expected JSON, found the key ${quoted(literal)}`);
  }
  if (keys.size === maxKeys) throw new InputError(`${where}: more than ${maxKeys} keys in one object`);
  if (keys.has(key)) throw new InputError(`${where}: the key ${quoted(key)} stands twice in one object`);
  keys.add(key);
}
