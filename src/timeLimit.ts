/**
 * A limit to how long something from outside holds this process: a regular expression, a template. While it
 * runs nothing else does, signals such as Ctrl-C among it; they are heard when it has ended, or was ended.
 */
import { createContext, Script } from 'node:vm';
import { InputError } from './errors.ts';

/** What did not end in time; the message says of what time. */
export class OverTime extends Error {}

const sandbox = createContext({ work: (): unknown => undefined });
const runWork = new Script('work()');

/**
 * `work()`, ended after `limitMs` (default 5000) wherever it is, within a regular expression too. Throws
 * OverTime then, and what `work` throws.
 */
export function withinTime<T>(work: () => T, limitMs = 5000): T {
  let result: T | undefined;
  sandbox.work = () => {
    result = work();
  };
  try {
    runWork.runInContext(sandbox, { timeout: limitMs });
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new OverTime(`it takes more than ${limitMs / 1000} s`);
  }
  return result as T;
}

/**
 * `work()`, which holds a regular expression from outside against `text`. Throws InputError, which begins with
 * `where` and shows the beginning of the text, where it takes more than `limitMs` (default 5000) or more memory
 * than there is, and what `work` throws.
 */
export function comesToAnEnd<T>(work: () => T, text: string, where: string, limitMs?: number): T {
  try {
    return withinTime(work, limitMs);
  } catch (error) {
    if (!(error instanceof OverTime || error instanceof RangeError)) throw error;
    const why = error instanceof OverTime ? error.message : 'it takes more memory than there is';
    const shown = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
    throw new InputError(`${where}: the regular expression does not come to an end: ${why}, on ${shown}`);
  }
}

/**
 * The first match of an expression that was given from outside; null for none. Throws InputError as
 * `comesToAnEnd` does.
 */
export const matchIn = (
  expression: RegExp,
  text: string,
  where: string,
  limitMs?: number,
): RegExpExecArray | null => comesToAnEnd(() => expression.exec(text), text, where, limitMs);
