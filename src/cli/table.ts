/** Tables without lines, as the commands print them. */
import Table from 'cli-table3';
import { createColors } from 'picocolors';
import type { LatentRow } from '../results.ts';

/** Colours where standard output takes them. */
export const pc = createColors(process.stdout.isTTY ? process.stdout.hasColors() : false);

export const number = (x: number) => x.toLocaleString('en-US');
export const percentText = (share: number) => (Number.isNaN(share) ? '' : `${Math.round(100 * share)} %`);
export const signedDelta = (x: number) => `${x < 0 ? '-' : '+'}${Math.abs(x).toExponential(2)}`;

export type Align = 'left' | 'right';

const lines = ['top', 'bottom', 'left', 'right', 'mid'];
const noLines = Object.fromEntries(
  lines.flatMap((line) => [line, `${line}-mid`, `${line}-left`, `${line}-right`]).map((name) => [name, '']),
);

/** Rows under bold heads, two spaces between columns. */
export function table(
  columns: readonly (readonly [head: string, align: Align])[],
  rows: readonly (readonly string[])[],
): string {
  const drawn = new Table({
    head: columns.map(([head]) => pc.bold(head)),
    colAligns: columns.map(([, align]) => align),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
    chars: { ...noLines, middle: '   ' },
  });
  for (const row of rows) drawn.push([...row]);
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** What the first rows are in the order of. */
export function rankedBy([first]: readonly LatentRow[]): string {
  if (first?.exact !== undefined)
    return 'the first by the exact effect of their removal, the others by delta';
  return first?.integrated === undefined
    ? 'by delta'
    : 'the first by integrated gradients of their removal, the others by delta';
}

/** The first latents of an attribution. */
export function latentTable(latents: readonly LatentRow[], rows: number): string {
  const measured = (['exact', 'integrated'] as const).filter((name) => latents[0]?.[name] !== undefined);
  return table(
    [
      ['rank', 'right'],
      ['latent', 'right'],
      ['delta', 'right'],
      ['std. error', 'right'],
      ['same sign', 'right'],
      ...measured.map((name) => [name, 'right'] as const),
    ],
    latents
      .slice(0, rows)
      .map(({ rank, latent, delta, standard_error, same_sign, ...row }) => [
        `${rank}`,
        pc.cyan(`${latent}`),
        signedDelta(delta),
        Number.isNaN(standard_error) ? '' : standard_error.toExponential(1),
        percentText(same_sign),
        ...measured.map((name) => (Number.isNaN(row[name]) ? '' : signedDelta(row[name]!))),
      ]),
  );
}

/** A share's change in percentage points, signed; empty for null. */
export const signedPoints = (x: number | null) =>
  x === null ? '' : `${x < 0 ? '−' : '+'}${Math.abs(100 * x).toFixed(0)}`;
