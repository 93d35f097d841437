/** What a check came to, as the command line tells it. */
import { type CheckLine, type CheckStatus, checkNumbers, checkTroubles } from '../results.ts';
import { pc, table } from './table.ts';
import { paragraph } from './wrap.ts';

const colours: Readonly<Record<CheckStatus, (text: string) => string>> = {
  pass: pc.green,
  warn: pc.yellow,
  fail: pc.red,
  skipped: pc.dim,
};

/** The lines as a table, and under it what to do about each that does not pass. */
export function checkTable(lines: readonly CheckLine[]): string[] {
  const rows = lines.map((line) => [
    colours[line.status](line.status),
    line.name,
    line.status === 'skipped' ? '' : checkNumbers(line),
  ]);
  const told = checkTroubles(lines);
  const left = lines.filter(({ status }) => status === 'skipped');
  return [
    table(
      [
        ['', 'left'],
        ['check', 'left'],
        ['found', 'left'],
      ],
      rows,
    ),
    ...told.flatMap(({ status, name, about, expected, what_to_do }) => [
      '',
      `${colours[status](status)}  ${pc.bold(name)}`,
      ...paragraph(`${about} Expected: ${expected}.`, '  '),
      ...paragraph(`What to do: ${what_to_do}.`, '  '),
    ]),
    ...(left.length > 0 ? ['', pc.dim('Not looked at:')] : []),
    ...left.flatMap(({ name, what_to_do }) => paragraph(`${name}: ${what_to_do}.`, '  ').map(pc.dim)),
  ];
}

/** How many lines came to what, in a sentence. */
export function checkSummary(lines: readonly CheckLine[]): string {
  const count = (status: CheckStatus) => lines.filter((line) => line.status === status).length;
  const parts = [
    `${count('pass')} of ${lines.length} checks pass`,
    ...(count('warn') > 0 ? [pc.yellow(`${count('warn')} to be careful of`)] : []),
    ...(count('fail') > 0 ? [pc.red(`${count('fail')} failed`)] : []),
    ...(count('skipped') > 0 ? [`${count('skipped')} could not be looked at`] : []),
  ];
  return parts.join(', ');
}
