/** Text laid out for the terminal it is shown on. */
import { stripVTControlCharacters } from 'node:util';

const widest = 100;

/**
 * The words of a text as lines that fit the terminal, `indent` before each: 80 columns where there is none.
 */
export function paragraph(text: string, indent = '', columns = process.stdout.columns ?? 80): string[] {
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
