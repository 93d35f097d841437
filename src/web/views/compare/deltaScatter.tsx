/** Δ of each of the first latents in one study against its Δ in the other. */
import * as Plot from '@observablehq/plot';
import { useMemo } from 'react';
import { scientific } from '../../format.ts';
import { Figure } from '../../parts/figure.tsx';
import type { ComparedLatent } from './compared.ts';

interface ScatterProps {
  readonly latents: readonly ComparedLatent[];
  readonly top: number;
  readonly names: readonly [string, string];
}

interface Point {
  readonly latent: number;
  readonly x: number;
  readonly y: number;
  readonly inBoth: boolean;
}

/** Latents whose number stands beside them. */
const labelled = 5;

function pointsOf({ latents, top }: ScatterProps): Point[] {
  return latents.flatMap(({ latent, a, b }) =>
    a && b ? [{ latent, x: a.delta, y: b.delta, inBoth: a.rank <= top && b.rank <= top }] : [],
  );
}

function plotOf(points: readonly Point[], [first, second]: ScatterProps['names']): Plot.PlotOptions {
  const axis = { ticks: 5, tickFormat: '~g' };
  const far = points
    .toSorted((p, q) => Math.abs(q.x) + Math.abs(q.y) - Math.abs(p.x) - Math.abs(p.y))
    .slice(0, labelled);
  const told = ({ latent, x, y }: Point) =>
    `latent ${latent}\n${first} ${scientific(x)}\n${second} ${scientific(y)}`;
  return {
    height: 340,
    marginLeft: 56,
    marginBottom: 40,
    marginRight: 36,
    x: { ...axis, label: `Δ in ${first}, nats` },
    y: { ...axis, label: `Δ in ${second}, nats` },
    marks: [
      Plot.ruleX([0], { stroke: 'var(--line)' }),
      Plot.ruleY([0], { stroke: 'var(--line)' }),
      Plot.dot(points, {
        x: 'x',
        y: 'y',
        r: 4,
        strokeWidth: 1.5,
        stroke: ({ inBoth }: Point) => (inBoth ? 'var(--accent)' : 'var(--quiet)'),
        fill: ({ inBoth }: Point) => (inBoth ? 'var(--accent)' : 'none'),
      }),
      Plot.text(far, {
        x: 'x',
        y: 'y',
        text: ({ latent }: Point) => `${latent}`,
        dx: 8,
        textAnchor: 'start',
      }),
      Plot.tip(points, Plot.pointer({ x: 'x', y: 'y', title: told })),
    ],
  };
}

export function DeltaScatter(props: ScatterProps) {
  const { latents, top, names } = props;
  const points = useMemo(() => pointsOf({ latents, top, names }), [latents, top, names]);
  const plot = useMemo(() => plotOf(points, names), [points, names]);
  return (
    <figure className="delta-scatter">
      <Figure label={`Δ of ${points.length} latents in ${names[0]} against Δ in ${names[1]}`} plot={plot} />
      <figcaption className="quiet">The first {top} of either; filled: among the first of both.</figcaption>
    </figure>
  );
}
