/** The rows of the latents' table, of which only those in sight are drawn; arrow keys go from row to row. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { count } from '../../format.ts';
import { useKeptScroll } from '../../historyEntry.ts';
import type { ColumnInfo } from './columns.tsx';
import type { DeltaScale } from './deltaBar.tsx';
import type { LatentQuery } from './latentQuery.ts';
import type { LatentTableRow } from './latentRows.ts';

interface LatentTableProps {
  readonly rows: readonly LatentTableRow[];
  readonly columns: readonly ColumnInfo[];
  readonly scale: DeltaScale;
  readonly sort: LatentQuery['sort'];
  readonly onSort: (column: ColumnInfo) => void;
  readonly hrefOf: (latent: number) => string;
  /** what is listed and how: another begins at its top */
  readonly listing: string;
}

const rowHeight = 32;
const headHeight = 52;
const latentWidth = 70;
/** Rows that a page key skips. */
const page = 12;

/** The column that takes the room that is left. */
const free = 'meaning';

/** At least what the columns need. */
function tableWidth(columns: readonly ColumnInfo[]): string {
  const needed = columns.reduce((sum, { width }) => sum + width, latentWidth);
  return columns.some(({ id }) => id === free) ? `max(100%, ${needed}px)` : `${needed}px`;
}

/** Where a key leads from row `at` of `count`; undefined for keys that lead nowhere. */
function moved(key: string, at: number, count: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + page,
    PageUp: at - page,
    Home: 0,
    End: count - 1,
  };
  const to = steps[key];
  return to === undefined ? undefined : Math.max(0, Math.min(count - 1, to));
}

function Head({ columns, sort, onSort }: Pick<LatentTableProps, 'columns' | 'sort' | 'onSort'>) {
  return (
    <thead>
      <tr style={{ height: headHeight }}>
        <th>latent</th>
        {columns.map((column) => {
          const sorted = sort.id === column.id;
          return (
            <th
              key={column.id}
              className={column.numeric ? 'num' : undefined}
              aria-sort={sorted ? (sort.desc ? 'descending' : 'ascending') : 'none'}
            >
              <button type="button" onClick={() => onSort(column)} title={column.name}>
                {column.name}
                <span aria-hidden="true">{sorted ? (sort.desc ? ' ↓' : ' ↑') : ''}</span>
              </button>
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

export function LatentTable(props: LatentTableProps) {
  const { rows, columns, scale, sort, onSort, hrefOf, listing } = props;
  const place = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<number>();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => place.current,
    estimateSize: () => rowHeight,
    overscan: 10,
    scrollPaddingStart: headHeight,
  });
  const items = virtual.getVirtualItems();
  const drawn = items.some(({ index }) => index === active);
  useEffect(() => {
    if (drawn)
      place.current!.querySelector<HTMLElement>(`[data-row="${active}"] a`)?.focus({ preventScroll: true });
  }, [active, drawn]);

  useKeptScroll('latents', place, []);
  const listed = useRef(listing);
  useEffect(() => {
    if (listed.current === listing) return;
    listed.current = listing;
    setActive(undefined);
    place.current!.scrollTop = 0;
  }, [listing]);

  function onKeyDown(event: KeyboardEvent) {
    const to = moved(event.key, active ?? -1, rows.length);
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    virtual.scrollToIndex(to);
    setActive(to);
  }

  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and takes the arrow keys
    <section ref={place} className="latent-table" aria-label="Latents" tabIndex={0} onKeyDown={onKeyDown}>
      <table aria-rowcount={rows.length + 1} style={{ width: tableWidth(columns) }}>
        <colgroup>
          <col style={{ width: latentWidth }} />
          {columns.map(({ id, width }) => (
            <col key={id} style={id === free ? undefined : { width }} />
          ))}
        </colgroup>
        <Head columns={columns} sort={sort} onSort={onSort} />
        <tbody>
          <tr className="room" style={{ height: above }} />
          {items.map(({ index, key }) => {
            const row = rows[index]!;
            return (
              <tr
                key={key}
                data-row={index}
                aria-rowindex={index + 2}
                className={index === active ? 'active' : undefined}
                style={{ height: rowHeight }}
                onFocus={() => setActive(index)}
              >
                <td>
                  <a href={hrefOf(row.latent)}>{row.latent}</a>
                </td>
                {columns.map((column) => (
                  <td key={column.id} className={column.numeric ? 'num' : undefined}>
                    {column.shown(row, scale)}
                  </td>
                ))}
              </tr>
            );
          })}
          <tr className="room" style={{ height: Math.max(0, below) }} />
        </tbody>
      </table>
      {items.length < rows.length && (
        <p className="print-only quiet">
          Printed are the rows that were drawn, of {count(rows.length)}: CSV and JSON have them all.
        </p>
      )}
    </section>
  );
}
