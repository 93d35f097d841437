/** Which texts are read side by side in one run. Knows no model. */
import type { Text } from '../../models/sideBySide.ts';

/**
 * Most tokens of a run, as long as it has one text. Products of fewer than 64 rows are slower for each row, and
 * of more than 400 again: their activations leave the processor's caches.
 */
const runTokens = 256;
/** Most texts of a run: each takes memory for all that it sees. */
const runTexts = 16;

/** Runs of texts of about the same length, shortest first. Throws RangeError for a text without tokens. */
export function* runsOf<T>(texts: readonly T[], textOf: (one: T) => Text): Generator<T[]> {
  const length = (one: T) => textOf(one).ids.length;
  if (texts.some((one) => length(one) === 0)) throw new RangeError('runsOf: a text has no tokens');
  let run: T[] = [];
  let tokens = 0;
  for (const one of [...texts].sort((a, b) => length(a) - length(b))) {
    if (run.length === runTexts || (run.length > 0 && tokens + length(one) > runTokens)) {
      yield run;
      run = [];
      tokens = 0;
    }
    run.push(one);
    tokens += length(one);
  }
  if (run.length > 0) yield run;
}
