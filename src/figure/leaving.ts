/** Which latents leave the gray zone in both directions, how far, and the caption that counts them. */
import { actsAsCause } from '../results.ts';
import type { FigurePoint, FigureZone, SteeringFigure } from './figureData.ts';

/** Beyond the zone as a cause is, in both directions: the figure's upper left. */
export function leaves(zone: FigureZone, { away, toward }: FigurePoint): boolean {
  return actsAsCause(away, zone.away, 'away') && actsAsCause(toward, zone.toward, 'toward');
}

/**
 * (low − away)/w_away + (toward − high)/w_toward, each w the zone's width in that direction (1 where it has
 * none).
 */
function distance(zone: FigureZone, { away, toward }: FigurePoint): number {
  const width = ({ low, high }: { low: number; high: number }) => high - low || 1;
  return (zone.away.low - away) / width(zone.away) + (toward - zone.toward.high) / width(zone.toward);
}

/**
 * The `labelled` points that leave the zone in both directions by most, first the farthest; of two as far,
 * the lower latent.
 */
export function farthest({ points, zone, labelled = 8 }: SteeringFigure): FigurePoint[] {
  return points
    .filter((point) => leaves(zone, point))
    .sort((a, b) => distance(zone, b) - distance(zone, a) || a.latent - b.latent)
    .slice(0, labelled);
}

/** The selectors: those of `proposed` in its order, then any other that proposed a point, by name. */
export function figureSelectors({
  points,
  proposed = {},
}: Pick<SteeringFigure, 'points' | 'proposed'>): string[] {
  const named = points.flatMap(({ selectors }) => selectors).sort();
  return [...new Set([...Object.keys(proposed), ...named])];
}

/**
 * "12 of 100 delta-attribution latents leave the gray zone in both directions; 0 of 50 random latents." A
 * latent that several proposed counts for each.
 */
export function countsText(figure: SteeringFigure): string {
  const { points, random, zone, proposed = {} } = figure;
  const share = (among: readonly FigurePoint[], all = among.length) =>
    `${among.filter((point) => leaves(zone, point)).length} of ${all}`;
  const counts = (points.length === 0 ? [] : figureSelectors(figure)).map((selector) => ({
    count: share(
      points.filter(({ selectors }) => selectors.includes(selector)),
      proposed[selector],
    ),
    selector,
  }));
  const [first, ...others] = counts;
  return [
    first
      ? `${first.count} ${first.selector} latents leave the gray zone in both directions`
      : 'No candidate was sampled in both directions',
    ...others.map(({ count, selector }) => `${count} ${selector} latents`),
    `${share(random)} matched random latents`,
  ].join('; ');
}
