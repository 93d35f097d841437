/** Proposed latents by the selector that proposed them, each with its colour and shape. */
import type { FigurePoint, SteeringFigure } from './figureData.ts';
import { figureSelectors } from './leaving.ts';
import type { Palette } from './palette.ts';

export type MarkShape = 'circle' | 'square' | 'triangle' | 'diamond';

export interface Series {
  /** as the legend says it */
  readonly name: string;
  /**
   * its selector's place among the selectors, whichever of them have points; 'several' where more than one
   * proposed each
   */
  readonly place: number | 'several';
  readonly shape: MarkShape;
  readonly points: readonly FigurePoint[];
}

/** As many as a palette has for series: a shape serves so many selectors before the next one is used. */
const coloursPerShape = 6;
const shapes = ['circle', 'square', 'triangle'] as const;

export const seriesColour = ({ place }: Pick<Series, 'place'>, { series, ink }: Palette): string =>
  place === 'several' ? ink : series[place % coloursPerShape]!;

/**
 * A series per selector, of what it alone proposed ("… only" where it also proposed others), then `several`;
 * none is empty.
 */
export function seriesOf(figure: Pick<SteeringFigure, 'points' | 'proposed'>): Series[] {
  const { points } = figure;
  const several: Series = {
    name: 'several',
    place: 'several',
    shape: 'diamond',
    points: points.filter(({ selectors }) => new Set(selectors).size > 1),
  };
  const alone = points.filter(({ selectors }) => new Set(selectors).size === 1);
  const shared = new Set(several.points.flatMap(({ selectors }) => selectors));
  const single = figureSelectors(figure).map((selector, place) => ({
    name: shared.has(selector) ? `${selector} only` : selector,
    place,
    shape: shapes[Math.floor(place / coloursPerShape) % shapes.length]!,
    points: alone.filter(({ selectors }) => selectors[0] === selector),
  }));
  return [...single, several].filter(({ points }) => points.length > 0);
}
