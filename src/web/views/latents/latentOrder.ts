/** Latents in the order of a column. Its values are read once: a sort of many compares a million times. */
import type { ColumnInfo } from './columns.tsx';
import type { LatentQuery } from './latentQuery.ts';
import type { LatentTableRow } from './latentRows.ts';

type Known = readonly [value: number | string, place: number];

/** Equal ones as they were before, those without a value last, whichever way; as they are where no column is so named. */
export function sortedRows(
  rows: readonly LatentTableRow[],
  columns: readonly ColumnInfo[],
  { id, desc }: LatentQuery['sort'],
): readonly LatentTableRow[] {
  const column = columns.find((one) => one.id === id);
  if (!column) return rows;
  const known: Known[] = [];
  const unknown: LatentTableRow[] = [];
  rows.forEach((row, place) => {
    const value = column.value(row);
    if (value === undefined) unknown.push(row);
    else known.push([value, place]);
  });
  const greaterFirst = desc ? -1 : 1;
  known.sort(([a], [b]) => (a === b ? 0 : a > b ? greaterFirst : -greaterFirst));
  return [...known.map(([, place]) => rows[place]!), ...unknown];
}

/** Whether a first click has the greatest first. */
export const firstDesc = ({ id, numeric, leastFirst = id.startsWith('rank') }: ColumnInfo): boolean =>
  numeric && !leastFirst;
