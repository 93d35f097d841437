/** The columns of the table of latents: what each shows, sorts by, and puts into a file. */
import {
  columnVisibilityFeature,
  createColumnHelper,
  createSortedRowModel,
  rowSortingFeature,
  sortFn_basic,
  tableFeatures,
} from '@tanstack/react-table';
import type { ReactNode } from 'react';
import { effectVerdictNames, type RankedSteeringRow } from '../../../results.ts';
import type { Cell } from '../../csv.ts';
import { fixed, percent, scientific, signed } from '../../format.ts';
import { DeltaBar, type DeltaScale } from './deltaBar.tsx';
import { stageChoices } from './latentQuery.ts';
import type { LatentTableRow } from './latentRows.ts';

export const features = tableFeatures({
  rowSortingFeature,
  columnVisibilityFeature,
  sortedRowModel: createSortedRowModel(),
});

type Fields = Readonly<Record<string, (row: LatentTableRow) => Cell>>;

export interface ColumnInfo {
  readonly id: string;
  readonly name: string;
  /** pixels */
  readonly width: number;
  readonly numeric: boolean;
  /** undefined is sorted last, whichever way */
  readonly value: (row: LatentTableRow) => number | string | undefined;
  readonly shown: (row: LatentTableRow, scale: DeltaScale) => ReactNode;
  readonly fields: Fields;
}

const orUndefined = (x: number | null | undefined) => x ?? undefined;

function Effect({ row }: { row: RankedSteeringRow | undefined }) {
  if (row?.effect == null) return null;
  const { effect, low, high, dose, outside } = row;
  return (
    <span title={`${dose === null ? '' : `dose ${fixed(dose, 2)}, `}${row.n} completions`}>
      <span className={outside ? 'strong' : undefined}>{signed(100 * effect, 0)}</span>
      {low !== null && high !== null && (
        <span className="quiet">
          {' '}
          [{signed(100 * low, 0)}, {signed(100 * high, 0)}]
        </span>
      )}
    </span>
  );
}

const effectColumn = (side: 'remove' | 'away' | 'toward', name: string = side): ColumnInfo => ({
  id: side,
  name: `${name}, points`,
  width: 142,
  numeric: true,
  value: (row) => orUndefined(row[side]?.effect),
  shown: (row) => <Effect row={row[side]} />,
  fields: {
    [`${side}_effect`]: (row) => row[side]?.effect,
    [`${side}_low`]: (row) => row[side]?.low,
    [`${side}_high`]: (row) => row[side]?.high,
  },
});

const doseColumn = (side: 'away' | 'toward'): ColumnInfo => ({
  id: `${side}_dose`,
  name: `α ${side}`,
  width: 76,
  numeric: true,
  value: (row) => orUndefined(row[side]?.dose),
  shown: (row) => row[side]?.dose != null && fixed(row[side].dose, 2),
  fields: { [`${side}_dose`]: (row) => row[side]?.dose },
});

const attributed: readonly ColumnInfo[] = [
  {
    id: 'rank',
    name: 'rank',
    width: 62,
    numeric: true,
    value: ({ rank }) => rank,
    shown: ({ rank }) => rank,
    fields: { rank: ({ rank }) => rank },
  },
  {
    id: 'delta',
    name: 'Δ, nats per token',
    width: 200,
    numeric: true,
    value: ({ delta }) => delta,
    shown: (row, scale) => <DeltaBar row={row} scale={scale} />,
    fields: { delta: ({ delta }) => delta },
  },
  {
    id: 'standard_error',
    name: 'std. error',
    width: 100,
    numeric: true,
    value: ({ standard_error }) => (Number.isNaN(standard_error) ? undefined : standard_error),
    shown: ({ standard_error }) => !Number.isNaN(standard_error) && scientific(standard_error).slice(1),
    fields: { standard_error: ({ standard_error }) => standard_error },
  },
  {
    id: 'same_sign',
    name: 'same sign',
    width: 68,
    numeric: true,
    value: ({ same_sign }) => same_sign,
    shown: ({ same_sign }) => percent(same_sign),
    fields: { same_sign: ({ same_sign }) => same_sign },
  },
];

const rankColumn = (selector: string): ColumnInfo => ({
  id: `rank_${selector}`,
  name: `rank by ${selector}`,
  width: 116,
  numeric: true,
  value: ({ ranks }) => ranks[selector],
  shown: ({ ranks }) => ranks[selector],
  fields: { [`rank_${selector}`]: ({ ranks }) => ranks[selector] },
});

const causalTest: readonly ColumnInfo[] = [
  effectColumn('remove', 'removed'),
  effectColumn('away'),
  doseColumn('away'),
  effectColumn('toward'),
  doseColumn('toward'),
  {
    id: 'stage',
    name: 'stage',
    width: 86,
    numeric: false,
    value: ({ stage }) => stage && stageChoices.indexOf(stage),
    shown: ({ stage }) => stage,
    fields: { stage: ({ stage }) => stage },
  },
  {
    id: 'verdict',
    name: 'verdict',
    width: 108,
    numeric: false,
    value: ({ verdict }) => verdict && effectVerdictNames.indexOf(verdict),
    shown: ({ verdict, stage }) => verdict ?? (stage === 'random' && <span className="quiet">random</span>),
    fields: { verdict: ({ verdict }) => verdict },
  },
];

const meaning: ColumnInfo = {
  id: 'meaning',
  name: 'meaning',
  width: 300,
  numeric: false,
  value: (row) => row.meaning,
  shown: (row) => <span title={row.meaning}>{row.meaning}</span>,
  fields: { meaning: (row) => row.meaning },
};

/** What every table has, then what steering and interpretation add. */
export function columnsOf(selectors: readonly string[], interpreted: boolean): ColumnInfo[] {
  return [
    ...attributed,
    ...selectors.map(rankColumn),
    ...(selectors.length > 0 ? causalTest : []),
    ...(interpreted ? [meaning] : []),
  ];
}

const helper = createColumnHelper<typeof features, LatentTableRow>();

/** As the table's library takes them. */
export const tableColumns = (infos: readonly ColumnInfo[]) =>
  helper.columns(
    infos.map(({ id, value, numeric }) =>
      helper.accessor((row) => value(row), {
        id,
        sortUndefined: 'last',
        sortDescFirst: numeric && !id.startsWith('rank'),
        sortFn: sortFn_basic,
      }),
    ),
  );
