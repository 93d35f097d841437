/** The latents that are listed, as a file. */
import { type Cell, csvOf } from '../../csv.ts';
import type { ColumnInfo } from './columns.tsx';
import type { LatentTableRow } from './latentRows.ts';

/** As many digits as the files' 32-bit numbers have. */
const rounded = (value: Cell): Cell =>
  typeof value === 'number' && Number.isFinite(value) ? Number(value.toPrecision(7)) : (value ?? null);

function recordOf(row: LatentTableRow, columns: readonly ColumnInfo[]): Record<string, Cell> {
  const fields = columns.flatMap((column) => Object.entries(column.fields));
  return Object.fromEntries([
    ['latent', row.latent],
    ...fields.map(([name, of]) => [name, rounded(of(row))] as const),
  ]);
}

/** Their columns as fields; in JSON what is not known is null, in CSV empty. */
export function savedLatents(
  rows: readonly LatentTableRow[],
  columns: readonly ColumnInfo[],
  format: 'csv' | 'json',
): Blob {
  const records = rows.map((row) => recordOf(row, columns));
  const names = ['latent', ...columns.flatMap(({ fields }) => Object.keys(fields))];
  return format === 'csv'
    ? new Blob([csvOf(names, records)], { type: 'text/csv' })
    : new Blob([`${JSON.stringify(records, null, 1)}\n`], { type: 'application/json' });
}
