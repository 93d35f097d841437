/** Tables without lines, as the commands print them. */
import Table from 'cli-table3';
import { createColors } from 'picocolors';
import { counted, isEcho, type LatentRow } from '../results.ts';

const taken = () => (process.stdout.isTTY ? process.stdout.hasColors() : false);

/** Colours where standard output takes them, and they are wanted. */
export const pc = createColors(taken());

/** Whether colours are wanted from now on. */
export function colour(wanted: boolean): void {
  Object.assign(pc, createColors(wanted && taken()));
}

export const number = (x: number) => x.toLocaleString('en-US');
export const percentText = (share: number) =>
  Number.isNaN(share) ? '' : `${Math.round(100 * share)} %`.replace('-', '−');
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

const qText = (q: number | null) => (q === null ? 'never active' : q < 0.001 ? '< .001' : q.toPrecision(2));

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
  const first = latents[0]?.latent;
  const measured = (['exact', 'integrated'] as const).filter((name) => latents[0]?.[name] !== undefined);
  return table(
    [
      ['rank', 'right'],
      ['latent', 'right'],
      ['delta', 'right'],
      ['std. error', 'right'],
      ['q', 'right'],
      ['same sign', 'right'],
      ['acts by', 'left'],
      ['silent', 'right'],
      ['echo of', 'right'],
      ...measured.map((name) => [name, 'right'] as const),
    ],
    latents
      .slice(0, rows)
      .map((row) => [
        `${row.rank}`,
        pc.cyan(`${row.latent}`),
        signedDelta(row.delta),
        Number.isNaN(row.standard_error) ? '' : row.standard_error.toExponential(1),
        qText(row.q),
        percentText(row.same_sign),
        row.sign === -1 ? 'absence' : '',
        percentText(row.silent_share ?? Number.NaN),
        isEcho(row) ? `${first}` : '',
        ...measured.map((name) => (Number.isNaN(row[name]) ? '' : signedDelta(row[name]!))),
      ]),
  );
}

/** What the columns of the table of latents mean. */
export const latentTableLegend = [
  'delta: nats per token; std. error and q (share of false findings) count prompts, not pairs',
  'same sign: share of pairs whose own delta has the sign of the mean',
  'acts by absence: its activation is below the baseline; adding it works against the behaviour',
  'silent: share of delta from tokens at which the latent is not active',
  'echo of: less than half of delta is left once that latent is projected out',
].join('\n');

/** How sure the order of the latents is, by a manifest's counts; empty where they do not say. */
export function certaintyText(counts: Readonly<Record<string, number>>): string {
  const { clusters, alive, q_below_05, first_max_p, split_half_overlap, split_half_chance } = counts;
  if (clusters === undefined || first_max_p === undefined) return '';
  const halves =
    split_half_overlap === undefined
      ? ''
      : `; halves of the prompts share ${percentText(split_half_overlap)} of their first 100 (by chance ${percentText(split_half_chance!)})`;
  return `${counted(clusters, 'prompt')}: q < .05 for ${number(q_below_05!)} of ${counted(alive!, 'living latent')}; a first delta as great comes by chance with p = ${first_max_p.toPrecision(2)}${halves}`;
}
