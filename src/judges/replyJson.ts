/**
 * The JSON in what a chat model replied, whole or what is left of it: fenced, after other text, or cut.
 * Knows no question.
 */
import { jsonrepair } from 'jsonrepair';

/** What the model says after it has thought: what stands before `</think>` does not count. */
export function spoken(text: string): string {
  return text
    .slice(text.lastIndexOf('</think>') + 1)
    .replace(/^\/think>/, '')
    .trim();
}

/** The objects in a text, each mended where it can be, in their order. */
export const objectsIn = (text: string): unknown[] => objectTexts(text).map(repaired);

/** `text` as JSON; undefined where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * `text` as JSON, mended where it is not; undefined where it cannot be, or where it ends within a number.
 * Never mended without need: jsonrepair takes some strings with brackets in them apart.
 */
function repaired(text: string): unknown {
  const whole = parsed(text);
  if (whole !== undefined || /:\s*["']?[-+.\deE]*$/.test(text)) return whole;
  try {
    return parsed(jsonrepair(text));
  } catch {
    return undefined;
  }
}

/**
 * What stands in curly brackets that are in no others, brackets in strings not counted; the last may lack
 * its end.
 */
function objectTexts(text: string): string[] {
  const found: string[] = [];
  let from = -1;
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === '\\') i++;
    else if (c === '"' && depth > 0) quoted = !quoted;
    else if (quoted) continue;
    else if (c === '{' && depth++ === 0) from = i;
    else if (c === '}' && depth > 0 && --depth === 0) found.push(text.slice(from, i + 1));
  }
  if (depth > 0) found.push(text.slice(from).replace(/\s*`{0,3}\s*$/, ''));
  return found;
}
