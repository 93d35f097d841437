/**
 * The JSON in what a chat model replied, whole or what is left of it: fenced, after other text, or cut.
 * Knows no question. Takes time in proportion to the text, whatever it holds.
 */
import { jsonrepair } from 'jsonrepair';
import { parseJsonIf } from '../results.ts';

/** A reply with more objects than this is no answer. */
const mostObjects = 50;
/** Characters of an object that is mended. */
const longestMended = 8000;

/** The objects in a text, each mended where it can be, in their order; none where they are too many. */
export function objectsIn(text: string): unknown[] {
  const found = objectTexts(text);
  return found.length > mostObjects ? [] : found.map(({ own }) => repaired(own));
}

/**
 * Whether a text that was cut off is one object, fenced or not, and nothing beside: then what is in it is
 * the answer, as far as it goes.
 */
export function isOneObject(text: string): boolean {
  const [first, ...more] = objectTexts(text);
  return (
    first !== undefined &&
    more.length === 0 &&
    /^(?:```(?:json)?)?\s*$/i.test(text.slice(0, first.from)) &&
    /^[\s`]*$/.test(text.slice(first.to))
  );
}

/**
 * `text` as JSON, mended where it is not; undefined where it cannot be, or where it ends within a number.
 * Never mended without need: jsonrepair takes some strings with brackets in them apart.
 */
function repaired(text: string): unknown {
  const whole = parseJsonIf(text);
  if (whole !== undefined || text.length > longestMended || /:\s*["']?[-+.\deE]*$/.test(text)) return whole;
  try {
    return parseJsonIf(jsonrepair(text));
  } catch {
    return undefined;
  }
}

interface ObjectText {
  readonly own: string;
  readonly from: number;
  readonly to: number;
}

/**
 * What stands in curly brackets that are in no others, brackets in strings not counted; the last may lack
 * its end.
 */
function objectTexts(text: string): ObjectText[] {
  const found: ObjectText[] = [];
  let from = -1;
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === '\\') i++;
    else if (c === '"' && depth > 0) quoted = !quoted;
    else if (quoted) continue;
    else if (c === '{' && depth++ === 0) from = i;
    else if (c === '}' && depth > 0 && --depth === 0)
      found.push({ own: text.slice(from, i + 1), from, to: i + 1 });
  }
  if (depth > 0) found.push({ own: withoutFence(text.slice(from)), from, to: text.length });
  return found;
}

/** Without white space and a fence of up to three backticks at its end. */
function withoutFence(text: string): string {
  const end = text.trimEnd();
  const backticks = end.endsWith('```') ? 3 : end.endsWith('``') ? 2 : end.endsWith('`') ? 1 : 0;
  return end.slice(0, end.length - backticks).trimEnd();
}
