/** Every latent of a study in a table. */
import { useCallback, useEffect, useMemo } from 'react';
import { resultFiles } from '../../../results.ts';
import { type Apart, apart } from '../../apart.ts';
import { keepOrder, listQuery } from '../../listedOrder.ts';
import { download } from '../../parts/download.ts';
import { meaningOf } from '../../parts/meaning.ts';
import { Loading, Missing, Unread } from '../../parts/notes.tsx';
import { TrimmedNote } from '../../parts/trimmed.tsx';
import { inStudy, type Route } from '../../routes.ts';
import type { LoadedStudy } from '../../study.ts';
import { useLoaded } from '../../useLoaded.ts';
import { replaceQuery } from '../../useRoute.ts';
import type { ViewProps, WebView } from '../../view.ts';
import { type ColumnInfo, columnsOf } from './columns.tsx';
import { deltaScale } from './deltaBar.tsx';
import { LatentFilters } from './latentFilters.tsx';
import { firstDesc, sortedRows } from './latentOrder.ts';
import { hiddenOf, isCandidate, listedRows, parseLatentQuery, sortText } from './latentQuery.ts';
import { type LatentTableRow, selectorsOf, tableRows } from './latentRows.ts';
import { LatentTable } from './latentTable.tsx';
import { savedLatents } from './savedLatents.ts';

interface Listed {
  readonly rows: readonly LatentTableRow[];
  readonly columns: readonly ColumnInfo[];
  readonly selectors: readonly string[];
}

async function meaningsOf(study: LoadedStudy): Promise<Apart<Record<string, Promise<string | undefined>>>> {
  const numbers = [...(await study.pageNumbers())];
  const meaning = async (latent: number) => {
    const page = await study.page(latent);
    return page && meaningOf(page);
  };
  return apart(Object.fromEntries(numbers.map((latent) => [latent, meaning(latent)])));
}

interface ListedOrNot {
  /** undefined before there are any */
  readonly list: Listed | undefined;
  readonly errors: Readonly<Record<string, Error | undefined>>;
}

async function listed(study: LoadedStudy): Promise<ListedOrNot> {
  const { values, errors } = await apart({
    latents: study.latents(),
    steering: study.steering(),
    meanings: meaningsOf(study),
  });
  const { latents, steering } = values;
  const said = Object.entries(values.meanings?.values ?? {}).flatMap(([latent, text]) =>
    text === undefined ? [] : [[Number(latent), text] as const],
  );
  const selectors = selectorsOf(steering);
  const list = latents && {
    rows: tableRows(latents, steering, new Map(said)),
    columns: columnsOf(selectors, steering?.summary.zone, said.length > 0),
    selectors,
  };
  return { list, errors: { ...errors, ...values.meanings?.errors } };
}

function Table({ rows, columns, selectors, route, name }: Listed & { route: Route; name: string }) {
  const query = useMemo(() => parseLatentQuery(route.query), [route.query]);
  const asked = useMemo(() => listedRows(rows, query), [rows, query]);
  const shown = useMemo(() => sortedRows(asked, columns, query.sort), [asked, columns, query.sort]);
  const hidden = hiddenOf(
    query,
    columns.map(({ id }) => id),
  );
  const candidates = useMemo(() => rows.filter(isCandidate).length, [rows]);
  const withMeaning = useMemo(() => rows.filter((row) => row.meaning !== undefined).length, [rows]);
  const scale = useMemo(() => deltaScale(rows), [rows]);
  const change = useCallback(
    (changed: Readonly<Record<string, string>>) => replaceQuery(route, changed),
    [route],
  );
  useEffect(
    () =>
      keepOrder(
        route.query,
        shown.map(({ latent }) => latent),
      ),
    [route.query, shown],
  );
  const visibleColumns = columns.filter(({ id }) => !hidden.includes(id));

  function sortBy(column: ColumnInfo) {
    const { id } = column;
    const { sort } = query;
    const desc = sort.id === id ? !sort.desc : firstDesc(column);
    change({ sort: sortText({ id, desc }) });
  }

  return (
    <>
      <LatentFilters
        query={query}
        hidden={hidden}
        candidates={candidates}
        withMeaning={withMeaning}
        selectors={selectors}
        columns={columns}
        shown={shown.length}
        all={rows.length}
        onChange={change}
        onSave={(format) =>
          download(`${name}-latents.${format}`, savedLatents(shown, visibleColumns, format))
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
          hrefOf={(latent) => inStudy(route, 'latent', `${latent}`, listQuery(route.query))}
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
        {({ list, errors }) => (
          <>
            <Unread errors={errors} />
            {list && <Table {...list} route={route} name={study.source.name} />}
            {!list && !errors.latents && (
              <Missing command="culprit run STUDY">No latents have been ranked yet.</Missing>
            )}
          </>
        )}
      </Loading>
      <TrimmedNote source={study.source} paths={[resultFiles.latents, resultFiles.steering]} />
    </>
  );
}

export const latentsView: WebView = { name: 'latents', tab: 'Latents', component: Latents };
