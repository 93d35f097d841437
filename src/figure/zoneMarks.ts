/**
 * The gray zone: a column for away, a row for toward, each edge dashed and with its uncertainty as a lighter
 * fringe.
 */
import * as Plot from '@observablehq/plot';
import type { Band, SteeringFigure, UncertainBand } from './figureData.ts';
import { fringeLook, zoneLook } from './legend.ts';
import type { Palette } from './palette.ts';

/**
 * Dark between the edges' inner ends, light over each edge's interval; neither where the two intervals meet.
 */
function bandParts({ low, high, lowInterval, highInterval }: UncertainBand) {
  const middle = (low + high) / 2;
  const innerLow = Math.min(Math.max(lowInterval.high, low), middle);
  const innerHigh = Math.max(Math.min(highInterval.low, high), middle);
  return {
    core: [innerLow, innerHigh] as const,
    fringes: [
      [Math.min(lowInterval.low, low), innerLow] as const,
      [innerHigh, Math.max(highInterval.high, high)] as const,
    ],
  };
}

export function zoneMarks(
  { zone: { away: across, toward: upward } }: SteeringFigure,
  palette: Palette,
): Plot.Markish[] {
  const [zone, fringe] = [zoneLook(palette), fringeLook(palette)];
  const columns = bandParts(across);
  const rows = bandParts(upward);
  const ends = { x1: (d: readonly number[]) => 100 * d[0]!, x2: (d: readonly number[]) => 100 * d[1]! };
  const endsUp = { y1: ends.x1, y2: ends.x2 };
  const edge = { stroke: palette.ink, strokeOpacity: 0.35, strokeWidth: 0.8, strokeDasharray: '3 2.5' };
  const edges = ({ low, high }: Band) => [100 * low, 100 * high];
  return [
    Plot.rectX([columns.core], { ...ends, ...zone, className: 'zone-away' }),
    Plot.rectX(columns.fringes, { ...ends, ...fringe, className: 'fringe-away' }),
    Plot.rectY([rows.core], { ...endsUp, ...zone, className: 'zone-toward' }),
    Plot.rectY(rows.fringes, { ...endsUp, ...fringe, className: 'fringe-toward' }),
    Plot.ruleX(edges(across), { ...edge, className: 'edge-away' }),
    Plot.ruleY(edges(upward), { ...edge, className: 'edge-toward' }),
  ];
}
