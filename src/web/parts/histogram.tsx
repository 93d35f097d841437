/** How strongly a latent is active, over the tokens where it is. */
import * as Plot from '@observablehq/plot';
import { useMemo } from 'react';
import type { LatentPassages } from '../../results.ts';
import { count, fixed } from '../format.ts';
import { Figure } from './figure.tsx';

type Counts = LatentPassages['histogram'];

function plotOf({ edges, counts }: Counts): Plot.PlotOptions {
  const bars = counts.map((tokens, i) => ({ low: edges[i]!, high: edges[i + 1]!, tokens }));
  return {
    height: 180,
    marginBottom: 40,
    marginLeft: 44,
    marginTop: 12,
    x: {
      type: 'log',
      label: 'activation',
      tickFormat: (x: number) => `${Number(x.toPrecision(2))}`,
      ticks: 6,
    },
    y: { label: 'tokens', grid: true, ticks: 4 },
    marks: [
      Plot.rectY(bars, {
        x1: 'low',
        x2: 'high',
        y: 'tokens',
        fill: 'var(--amount-rgb)',
        inset: 0.5,
        title: ({ low, high, tokens }) => `${fixed(low, 2)} to ${fixed(high, 2)}: ${count(tokens)} tokens`,
        tip: true,
      }),
      Plot.ruleY([0]),
    ],
  };
}

export function Histogram({ histogram }: { readonly histogram: Counts }) {
  const plot = useMemo(() => plotOf(histogram), [histogram]);
  return <Figure label="Histogram of the activations above 0, on a logarithmic scale" plot={plot} />;
}
