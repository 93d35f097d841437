/** JSON that nests no deeper than its readers, which recur, can follow. Knows no file. */

/** Far above what any file of ours or of a published model has. */
const deepest = 200;

function checkDepth(value: unknown, left: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (left === 0) throw new SyntaxError(`it nests more than ${deepest} deep`);
  for (const inner of Array.isArray(value) ? value : Object.values(value)) checkDepth(inner, left - 1);
}

/** The value that `text` holds. Throws SyntaxError where it is not JSON, or nests more than 200 deep. */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  checkDepth(value, deepest);
  return value;
}

/** The value that `text` holds; undefined where there is none, or `parseJson` refuses it. */
export function parseJsonIf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : parseJson(text);
  } catch {
    return undefined;
  }
}
