/**
 * Texts side by side, each under its heading, on the terminal they are shown on. The texts may hold
 * anything: nothing of them reaches the terminal but letters.
 */
import { pc } from './table.ts';

export interface Card {
  readonly heading: string;
  readonly text: string;
}

/** Columns where standard output is no terminal. */
const unknownWidth = 100;
/** Below this texts stand one under the other. */
const leastTogether = 90;
const leastColumn = 43;
const widestColumn = 72;
const divider = ' │ ';

/** Control characters, and those that turn the direction of what follows. */
const commanding = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;

/** A text of unknown origin without anything that a terminal obeys; its lines stay. */
export const harmless = (text: string): string =>
  text
    .replaceAll(/\r\n?|[\u2028\u2029\u0085\v\f]/g, '\n')
    .replaceAll('\t', '  ')
    .replaceAll(commanding, (found) => (found === '\n' ? found : ''));

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const wide =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|^\p{Emoji_Presentation}|\uFE0F|^[\u{20000}-\u{3FFFD}]/u;
const noWidth = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

const clusters = (text: string) => Array.from(graphemes.segment(text), ({ segment }) => segment);

function clusterWidth(cluster: string): number {
  if (noWidth.test(cluster)) return 0;
  return wide.test(cluster) ? 2 : 1;
}

/** Cells that a harmless text of one line takes. */
const cells = (text: string) => clusters(text).reduce((sum, cluster) => sum + clusterWidth(cluster), 0);

/** A word in pieces of at most `width` cells. */
function pieces(word: string, width: number): string[] {
  const found = [''];
  let used = 0;
  for (const cluster of clusters(word)) {
    const more = clusterWidth(cluster);
    if (used + more > width) {
      found.push('');
      used = 0;
    }
    found.push(found.pop()! + cluster);
    used += more;
  }
  return found;
}

/**
 * A harmless text as lines of at most `width` cells, broken between words where that can be; a paragraph
 * keeps its indent on its first line.
 */
function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const rest = paragraph.trimStart();
    const lines = [' '.repeat(Math.min(paragraph.length - rest.length, width >> 1))];
    for (const word of rest.trimEnd().split(' ')) {
      const line = lines.at(-1)!;
      const joined = line.trim() === '' ? line + word : `${line} ${word}`;
      if (cells(joined) <= width) lines[lines.length - 1] = joined;
      else lines.splice(line.trim() === '' ? -1 : lines.length, 1, ...pieces(word, width));
    }
    return lines;
  });
}

const padded = (text: string, width: number) => text + ' '.repeat(Math.max(0, width - cells(text)));

/** Cards of one row, as lines. */
function row(cards: readonly Card[], width: number): string[] {
  const heads = cards.map(({ heading }) => wrapped(harmless(heading), width));
  const bodies = cards.map(({ text }) => wrapped(harmless(text), width));
  const height = (columns: readonly string[][]) => Math.max(...columns.map(({ length }) => length));
  const lines = (columns: readonly string[][], shown: (cell: string) => string) =>
    Array.from({ length: height(columns) }, (_, i) =>
      columns
        .map((column) => shown(padded(column[i] ?? '', width)))
        .join(pc.dim(divider))
        .trimEnd(),
    );
  return [...lines(heads, pc.bold), ...lines(bodies, (cell) => cell)];
}

/**
 * Cards in rows of as many as fit, the first row's first one first; one under the other on fewer than 90
 * columns. `columns`: the terminal's, 100 where there is none.
 */
export function sideBySide(cards: readonly Card[], columns = process.stdout.columns ?? unknownWidth): string {
  const fitting =
    columns < leastTogether ? 1 : Math.floor((columns + divider.length) / (leastColumn + divider.length));
  const together = Math.min(cards.length, fitting);
  const width = Math.min(widestColumn, Math.floor((columns + divider.length) / together) - divider.length);
  const rows: string[] = [];
  for (let i = 0; i < cards.length; i += together)
    rows.push(row(cards.slice(i, i + together), Math.max(1, width)).join('\n'));
  return rows.join('\n\n');
}
