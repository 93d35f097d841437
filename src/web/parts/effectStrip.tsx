/** A latent's effect among those of all steered latents, each direction a strip, the gray zone shaded. */
import * as Plot from '@observablehq/plot';
import { useMemo } from 'react';
import { bothSides, type RankedSteeringRow, type SteeringSummary } from '../../results.ts';
import { points } from '../format.ts';
import { Figure } from './figure.tsx';

type Row = RankedSteeringRow & { readonly effect: number };

const measured = (row: RankedSteeringRow): row is Row => row.effect !== null;

const described = ({ latent, role, effect }: Row) =>
  `${role === 'random' ? 'random latent' : 'latent'} ${latent}: ${points(effect)}`;

function plotOf(rows: readonly Row[], zone: SteeringSummary['zone'], latent: number): Plot.PlotOptions {
  const zones = bothSides.map((side) => ({ side, ...zone[side] }));
  const others = rows.filter((row) => row.latent !== latent);
  const these = rows.filter((row) => row.latent === latent);
  return {
    height: 200,
    marginBottom: 40,
    marginLeft: 52,
    marginRight: 12,
    x: {
      label: 'change in the share of positives, percentage points',
      tickFormat: (x: number) => points(x),
      ticks: 5,
      nice: true,
    },
    fy: { label: null, domain: bothSides, padding: 0.08, axis: 'left' },
    marks: [
      Plot.rectX(zones, { x1: 'low', x2: 'high', fy: 'direction', fill: 'var(--zone)' }),
      Plot.ruleX([0], { stroke: 'var(--strong-line)', strokeDasharray: '2 3' }),
      Plot.dot(
        others,
        Plot.dodgeY('middle', {
          x: 'effect',
          fy: 'direction',
          r: 3.5,
          fill: ({ role }: Row) => (role === 'random' ? 'var(--strong-line)' : 'var(--page)'),
          stroke: ({ role }: Row) => (role === 'random' ? 'none' : 'var(--text)'),
        }),
      ),
      Plot.ruleY(these, {
        y: null,
        x1: 'low',
        x2: 'high',
        fy: 'direction',
        stroke: 'var(--accent)',
        strokeWidth: 2,
      }),
      Plot.dot(these, { x: 'effect', fy: 'direction', r: 6, fill: 'var(--accent)' }),
      Plot.tip(rows, Plot.pointerX({ x: 'effect', fy: 'direction', title: described })),
    ],
  };
}

interface EffectStripProps {
  readonly rows: readonly RankedSteeringRow[];
  readonly zone: SteeringSummary['zone'];
  readonly latent: number;
}

export function EffectStrip({ rows, zone, latent }: EffectStripProps) {
  const plot = useMemo(() => plotOf(rows.filter(measured), zone, latent), [rows, zone, latent]);
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
      <Figure label={`Effects of steering, with that of latent ${latent} marked`} plot={plot} />
    </>
  );
}
