/** Proposed latents by the selector that proposed them, each with its colour and shape. */
import type { FigurePoint, SteeringFigure } from './figureData.ts';
import { selectorsOf } from './leaving.ts';

export type Shape = 'circle' | 'square' | 'triangle' | 'diamond';

export interface Series {
  /** as the legend says it */
  readonly name: string;
  readonly colour: string;
  readonly shape: Shape;
  readonly points: readonly FigurePoint[];
}

/** Okabe and Ito's palette, which the colour-blind can tell apart; without its yellow, too faint on white, and its black, kept for `several`. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
const shapes = ['circle', 'square', 'triangle'] as const;

function severalOf(points: readonly FigurePoint[]): Series {
  return { name: 'several', colour: '#000000', shape: 'diamond', points };
}

/** A series a selector, of what it alone proposed ("… only" where it also proposed others), then `several`; none is empty. */
export function seriesOf(figure: Pick<SteeringFigure, 'points' | 'proposed'>): Series[] {
  const { points } = figure;
  const several = points.filter(({ selectors }) => new Set(selectors).size > 1);
  const alone = points.filter(({ selectors }) => new Set(selectors).size === 1);
  const shared = new Set(several.flatMap(({ selectors }) => selectors));
  const single = selectorsOf(figure).map((selector, i) => ({
    name: shared.has(selector) ? `${selector} only` : selector,
    colour: colours[i % colours.length]!,
    shape: shapes[Math.floor(i / colours.length) % shapes.length]!,
    points: alone.filter(({ selectors }) => selectors[0] === selector),
  }));
  return [...single, severalOf(several)].filter(({ points }) => points.length > 0);
}
