/** The columns of the table of latents: what each shows, sorts by, and puts into a file. */
import type { ReactNode } from 'react';
import {
  changePoints,
  effectVerdictNames,
  isEcho,
  type RankedSteeringRow,
  type SteeringSummary,
} from '../../../results.ts';
import type { Cell } from '../../csv.ts';
import { fixed, percent, scientific } from '../../format.ts';
import { DeltaBar, type DeltaScale } from './deltaBar.tsx';
import { stageChoices } from './latentQuery.ts';
import type { LatentTableRow } from './latentRows.ts';

type Fields = Readonly<Record<string, (row: LatentTableRow) => Cell>>;

export interface ColumnInfo {
  readonly id: string;
  readonly name: string;
  /** pixels */
  readonly width: number;
  readonly numeric: boolean;
  /** whether a first click has the least first: what takes most of the behaviour away, what is least by chance */
  readonly leastFirst?: boolean;
  /** undefined is sorted last, whichever way */
  readonly value: (row: LatentTableRow) => number | string | undefined;
  readonly shown: (row: LatentTableRow, scale: DeltaScale) => ReactNode;
  readonly fields: Fields;
}

const orUndefined = (x: number | null | undefined) => x ?? undefined;

/** Of a p or a q. */
const chanceText = (x: number) => (x < 0.001 ? '< .001' : fixed(x, 3).replace(/^0/, ''));

const absence = 'Its activation is below the baseline: adding it works against the behaviour.';
const silent = 'Share of Δ from tokens at which the latent is not active.';
const echo = 'Less than half of Δ is left once the first latent is projected out.';

type Zone = SteeringSummary['zone'];

interface EffectProps {
  readonly row: RankedSteeringRow | undefined;
  readonly zone: Zone['away'];
}

function Effect({ row, zone }: EffectProps) {
  if (row?.effect == null) return null;
  const { effect, low, high, dose, outside } = row;
  const edges = [zone.low, zone.high];
  return (
    <span title={`${dose === null ? '' : `dose ${fixed(dose, 2)}, `}${row.n} completions`}>
      <span className={outside ? 'strong' : undefined}>{changePoints(effect, edges)}</span>
      {low !== null && high !== null && (
        <span className="quiet">
          {' '}
          [{changePoints(low, edges)}, {changePoints(high, edges)}]
        </span>
      )}
    </span>
  );
}

type Place = 'remove' | 'away' | 'toward';

const effectColumn = (zone: Zone, side: Place, name: string = side): ColumnInfo => ({
  id: side,
  name: `${name}, points`,
  width: 166,
  numeric: true,
  leastFirst: side !== 'toward',
  value: (row) => orUndefined(row[side]?.effect),
  shown: (row) => <Effect row={row[side]} zone={zone[side]} />,
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
    width: 58,
    numeric: true,
    value: ({ rank }) => rank,
    shown: ({ rank }) => rank,
    fields: { rank: ({ rank }) => rank },
  },
  {
    id: 'delta',
    name: 'Δ, nats per token',
    width: 164,
    numeric: true,
    value: ({ delta }) => delta,
    shown: (row, scale) => <DeltaBar row={row} scale={scale} />,
    fields: { delta: ({ delta }) => delta },
  },
  {
    id: 'standard_error',
    name: 'std. error',
    width: 118,
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
  {
    id: 'sign',
    name: 'acts by',
    width: 86,
    numeric: false,
    value: ({ sign }) => sign,
    shown: ({ sign }) => sign === -1 && <span title={absence}>absence</span>,
    fields: { sign: ({ sign }) => sign },
  },
  {
    id: 'p',
    name: 'p',
    width: 76,
    numeric: true,
    leastFirst: true,
    value: ({ p }) => p,
    shown: ({ p }) => chanceText(p),
    fields: { p: ({ p }) => p },
  },
  {
    id: 'q',
    name: 'q',
    width: 72,
    numeric: true,
    leastFirst: true,
    value: ({ q }) => orUndefined(q),
    shown: ({ q }) => (q === null ? <span className="quiet">silent</span> : chanceText(q)),
    fields: { q: ({ q }) => q },
  },
  {
    id: 'silent_share',
    name: 'silent',
    width: 68,
    numeric: true,
    value: ({ silent_share }) => orUndefined(silent_share),
    shown: ({ silent_share }) => silent_share !== null && <span title={silent}>{percent(silent_share)}</span>,
    fields: { silent_share: ({ silent_share }) => silent_share },
  },
  {
    id: 'deflated',
    name: 'Δ without the first',
    width: 150,
    numeric: true,
    value: ({ deflated }) => deflated,
    shown: (row) => (
      <span title={isEcho(row) ? echo : undefined}>
        {row.rank > 1 && scientific(row.deflated)}
        {isEcho(row) && <span className="quiet"> echo</span>}
      </span>
    ),
    fields: { deflated: ({ deflated }) => deflated },
  },
  {
    id: 'activation_delta',
    name: 'Δ by activation',
    width: 128,
    numeric: true,
    value: ({ activation_delta }) => orUndefined(activation_delta),
    shown: ({ activation_delta }) => activation_delta !== null && scientific(activation_delta),
    fields: { activation_delta: ({ activation_delta }) => activation_delta },
  },
  {
    id: 'rank_range',
    name: 'rank, one prompt left out',
    width: 104,
    numeric: true,
    value: ({ rank_high }) => orUndefined(rank_high),
    shown: ({ rank_low, rank_high }) => rank_low !== null && `${rank_low} to ${rank_high}`,
    fields: { rank_low: ({ rank_low }) => rank_low, rank_high: ({ rank_high }) => rank_high },
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

const causalTest = (zone: Zone): readonly ColumnInfo[] => [
  effectColumn(zone, 'remove', 'removed'),
  effectColumn(zone, 'away'),
  doseColumn('away'),
  effectColumn(zone, 'toward'),
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
    width: 102,
    numeric: false,
    value: ({ verdict }) => verdict && effectVerdictNames.indexOf(verdict),
    shown: ({ verdict, stage }) => verdict ?? (stage === 'random' && <span className="quiet">random</span>),
    fields: { verdict: ({ verdict }) => verdict },
  },
];

const meaning: ColumnInfo = {
  id: 'meaning',
  name: 'meaning',
  width: 112,
  numeric: false,
  value: (row) => row.meaning,
  shown: (row) => <span title={row.meaning}>{row.meaning}</span>,
  fields: { meaning: (row) => row.meaning },
};

/** What every table has, then what steering and interpretation add. */
export function columnsOf(
  selectors: readonly string[],
  zone: Zone | undefined,
  interpreted: boolean,
): ColumnInfo[] {
  return [
    ...attributed,
    ...selectors.map(rankColumn),
    ...(zone ? causalTest(zone) : []),
    ...(interpreted ? [meaning] : []),
  ];
}
