/** Every latent of a study in a table. */

import { useTable } from '@tanstack/react-table';
import { useCallback, useMemo } from 'react';
import { resultFiles } from '../../../results.ts';
import { download } from '../../parts/download.ts';
import { Loading, Missing } from '../../parts/notes.tsx';
import { TrimmedNote } from '../../parts/trimmed.tsx';
import { inStudy, type Route } from '../../routes.ts';
import type { LoadedStudy } from '../../study.ts';
import { useLoaded } from '../../useLoaded.ts';
import { replaceQuery } from '../../useRoute.ts';
import type { ViewProps, WebView } from '../../view.ts';
import { type ColumnInfo, columnsOf, features, tableColumns } from './columns.tsx';
import { deltaScale } from './deltaBar.tsx';
import { LatentFilters } from './latentFilters.tsx';
import { matches, parseLatentQuery, sortText } from './latentQuery.ts';
import { type LatentTableRow, meaningOf, selectorsOf, tableRows } from './latentRows.ts';
import { LatentTable } from './latentTable.tsx';
import { savedLatents } from './savedLatents.ts';

interface Listed {
  readonly rows: readonly LatentTableRow[];
  readonly columns: readonly ColumnInfo[];
  readonly selectors: readonly string[];
}

async function meaningsOf(study: LoadedStudy): Promise<ReadonlyMap<number, string>> {
  const numbers = [...(await study.pageNumbers())];
  const pages = await Promise.all(numbers.map((latent) => study.page(latent)));
  return new Map(pages.flatMap((page) => (page ? [[page.latent, meaningOf(page)] as const] : [])));
}

async function listed(study: LoadedStudy): Promise<Listed | undefined> {
  const [latents, steering, meanings] = await Promise.all([
    study.latents(),
    study.steering(),
    meaningsOf(study),
  ]);
  const selectors = selectorsOf(steering);
  return (
    latents && {
      rows: tableRows(latents, steering, meanings),
      columns: columnsOf(selectors, meanings.size > 0),
      selectors,
    }
  );
}

function Table({ rows, columns, selectors, route, name }: Listed & { route: Route; name: string }) {
  const query = useMemo(() => parseLatentQuery(route.query), [route.query]);
  const data = useMemo(() => rows.filter((row) => matches(row, query)), [rows, query]);
  const scale = useMemo(() => deltaScale(rows), [rows]);
  const definitions = useMemo(() => tableColumns(columns), [columns]);
  const table = useTable({
    features,
    columns: definitions,
    data,
    getRowId: ({ latent }) => `${latent}`,
    state: {
      sorting: [query.sort],
      columnVisibility: Object.fromEntries(query.hidden.map((id) => [id, false])),
    },
  });
  const change = useCallback(
    (changed: Readonly<Record<string, string>>) => replaceQuery(route, changed),
    [route],
  );
  const { rows: shown } = table.getRowModel();
  const visible = new Set(table.getVisibleLeafColumns().map(({ id }) => id));
  const visibleColumns = columns.filter(({ id }) => visible.has(id));

  function sortBy({ id }: ColumnInfo) {
    const { sort } = query;
    const desc = sort.id === id ? !sort.desc : (table.getColumn(id)?.getFirstSortDir() ?? 'asc') === 'desc';
    change({ sort: sortText({ id, desc }) });
  }

  return (
    <>
      <LatentFilters
        query={query}
        selectors={selectors}
        columns={columns}
        shown={shown.length}
        all={rows.length}
        onChange={change}
        onSave={(format) =>
          download(
            `${name}-latents.${format}`,
            savedLatents(
              shown.map(({ original }) => original),
              visibleColumns,
              format,
            ),
          )
        }
      />
      {shown.length > 0 ? (
        <LatentTable
          rows={shown}
          columns={visibleColumns}
          scale={scale}
          sort={query.sort}
          listing={JSON.stringify({ ...query, hidden: undefined })}
          onSort={sortBy}
          hrefOf={(latent) => inStudy(route, 'latent', `${latent}`)}
        />
      ) : (
        <p className="note">No latent matches.</p>
      )}
    </>
  );
}

function Latents({ study, route }: ViewProps) {
  const loaded = useLoaded(() => listed(study), [study]);
  return (
    <>
      <h1>Latents</h1>
      <Loading loaded={loaded}>
        {(found) =>
          found ? (
            <Table {...found} route={route} name={study.source.name} />
          ) : (
            <Missing command="culprit run STUDY">No latents have been ranked yet.</Missing>
          )
        }
      </Loading>
      <TrimmedNote source={study.source} paths={[resultFiles.latents, resultFiles.steering]} />
    </>
  );
}

export const latentsView: WebView = { name: 'latents', tab: 'Latents', component: Latents };
