/** A latent's effects among those of all latents, a strip for each thing done, the gray zone shaded. */
import * as Plot from '@observablehq/plot';
import { useMemo } from 'react';
import { placeOfRow, type RankedSteeringRow, type SteeringSummary } from '../../results.ts';
import { points, signed } from '../format.ts';
import { Figure } from './figure.tsx';

type Row = RankedSteeringRow & { readonly effect: number };

const places = ['remove', 'away', 'toward'] as const;
const names = { remove: 'removed', away: 'away', toward: 'toward' };
type Place = (typeof places)[number];

const measured = (row: RankedSteeringRow): row is Row =>
  row.effect !== null && places.some((place) => place === placeOfRow(row));
/** Candidates and random latents: a direction that is no latent is compared on the overview. */
const isLatent = ({ role }: RankedSteeringRow) => role === 'candidate' || role === 'random';
const stripOf = (row: RankedSteeringRow) => names[placeOfRow(row) as Place];

const described = ({ latent, role, effect }: Row) =>
  `${role === 'random' ? 'random latent' : 'latent'} ${latent}: ${points(effect)}`;

function plotOf(rows: readonly Row[], zone: SteeringSummary['zone'], latent: number): Plot.PlotOptions {
  const zones = places.map((place) => ({
    strip: names[place],
    low: zone[place].low,
    high: zone[place].high,
  }));
  const others = rows.filter((row) => row.latent !== latent);
  const these = rows.filter((row) => row.latent === latent);
  return {
    height: 260,
    marginBottom: 40,
    marginLeft: 66,
    marginRight: 12,
    x: {
      label: 'change in the share of positives, percentage points',
      tickFormat: (x: number) => signed(x * 100, 0),
      ticks: 5,
      nice: true,
    },
    fy: { label: null, domain: places.map((place) => names[place]), padding: 0.08, axis: 'left' },
    marks: [
      Plot.rectX(zones, { x1: 'low', x2: 'high', fy: 'strip', fill: 'var(--zone)' }),
      Plot.ruleX([0], { stroke: 'var(--strong-line)', strokeDasharray: '2 3' }),
      Plot.dot(
        others,
        Plot.dodgeY('middle', {
          x: 'effect',
          fy: stripOf,
          r: 3.5,
          fill: ({ role }: Row) => (role === 'random' ? 'var(--strong-line)' : 'var(--page)'),
          stroke: ({ role }: Row) => (role === 'random' ? 'none' : 'var(--text)'),
        }),
      ),
      Plot.ruleY(these, {
        y: null,
        x1: 'low',
        x2: 'high',
        fy: stripOf,
        stroke: 'var(--accent)',
        strokeWidth: 2,
      }),
      Plot.dot(these, { x: 'effect', fy: stripOf, r: 6, fill: 'var(--accent)' }),
      Plot.tip(rows, Plot.pointerX({ x: 'effect', fy: stripOf, title: described })),
    ],
  };
}

interface EffectStripProps {
  readonly rows: readonly RankedSteeringRow[];
  readonly zone: SteeringSummary['zone'];
  readonly latent: number;
}

export function EffectStrip({ rows, zone, latent }: EffectStripProps) {
  const plot = useMemo(
    () => plotOf(rows.filter(isLatent).filter(measured), zone, latent),
    [rows, zone, latent],
  );
  return (
    <>
      <p className="legend">
        <span>
          <span className="key accent" /> this latent, with its 95 % interval
        </span>
        <span>
          <span className="key hollow" /> other candidates
        </span>
        <span>
          <span className="key quiet" /> random latents
        </span>
        <span>
          <span className="key zone" /> gray zone
        </span>
      </p>
      <Figure label={`Effects of removal and steering, with that of latent ${latent} marked`} plot={plot} />
    </>
  );
}
