/** Text laid out for the terminal it is shown on. */
import { stripVTControlCharacters } from 'node:util';

const widest = 100;

/** Columns of the terminal; where there is none, what COLUMNS says, or 80. */
export function terminalColumns(): number {
  const said = Number(process.env.COLUMNS);
  return process.stdout.columns ?? (Number.isSafeInteger(said) && said > 0 ? said : 80);
}

/** The words of a text as lines that fit the terminal, `indent` before each. */
export function paragraph(text: string, indent = '', columns = terminalColumns()): string[] {
  const width = Math.min(widest, columns) - indent.length;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && stripVTControlCharacters(longer).length > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((words) => indent + words);
}

const indentOf = (line: string) => line.length - line.trimStart().length;

/** Where the text of an entry begins, such as `  name   what it is`; its indent where it is no entry. */
const textColumn = (line: string) => /^ *\S+(?: \S+)* {2,}(?=\S)/.exec(line)?.[0].length ?? indentOf(line);

const isCommand = (line: string) => /^ +(?:culprit|npm) /.test(line);

/** A command over as many lines as it takes, each but the last continued by a backslash. */
function fittedCommand(lines: readonly string[], columns: number): string[] {
  const words = lines.map((line) => line.trim().replace(/ *\\$/, '')).join(' ');
  // a flag keeps its value
  const units = words.replaceAll(/(--[a-z-]+) (?=[^-\s])/g, '$1\u00a0');
  const indent = ' '.repeat(indentOf(lines[0]!));
  const [first, ...more] = paragraph(units, `${indent}  `, columns - 2).map((line) =>
    line.replaceAll('\u00a0', ' '),
  );
  return [`${indent}${first!.trim()}`, ...more].map((line, i) => (i < more.length ? `${line} \\` : line));
}

/** Lines that are one paragraph, entry or command: how many of them, from the first. */
function together(lines: readonly string[]): number {
  const [first, ...more] = lines as [string, ...string[]];
  if (first === '') return 1;
  const goesOn = (line: string, before: string) => {
    if (line.trim() === '') return false;
    if (isCommand(first)) return before.endsWith('\\');
    const column = textColumn(first);
    return indentOf(line) === column && (column > indentOf(first) || textColumn(line) === column);
  };
  const end = more.findIndex((line, i) => !goesOn(line, lines[i]!));
  return 1 + (end < 0 ? more.length : end);
}

/** Help as it was written, its lines broken anew where the terminal is narrower than they are. */
export function fitted(text: string, columns = terminalColumns()): string {
  const lines = text.split('\n');
  const laid: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const block = lines.slice(at, at + together(lines.slice(at)));
    at += block.length;
    if (block.every((line) => line.length <= columns)) {
      laid.push(...block);
    } else if (isCommand(block[0]!)) {
      laid.push(...fittedCommand(block, columns));
    } else {
      const head = block[0]!.slice(0, textColumn(block[0]!));
      const narrow = head.length > columns / 2;
      const indent = ' '.repeat(narrow ? indentOf(head) + 4 : head.length);
      const words = block.map((line) => line.slice(head.length)).join(' ');
      const [first, ...more] = paragraph(words, indent, columns);
      laid.push(
        ...(narrow && head.trim() !== '' ? [head.trimEnd(), first!] : [head + first!.trimStart()]),
        ...more,
      );
    }
  }
  return laid.join('\n');
}
