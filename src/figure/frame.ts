/**
 * Where a figure's parts lie: the plot's frame in pixels, the axes' domains in percentage points, a value's
 * pixel.
 */
import type { Band, FigurePoint, SteeringFigure } from './figureData.ts';
import type { Box } from './labels.ts';

/** Percentage points from one end of an axis to the other. */
export type Domain = readonly [number, number];

export interface Pixel {
  readonly x: number;
  readonly y: number;
}

export interface Axes {
  readonly x: Domain;
  readonly y: Domain;
  /** the plot's edges in pixels */
  readonly frame: Box;
}

/** Of an axis' length, beyond the outermost thing drawn. */
const padding = 0.05;

/** The least domain that holds 0 and the values with padding at both ends; ±1 where all are 0. */
function domainOf(values: readonly number[]): Domain {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const pad = padding * (high - low) || 1;
  return [low - pad, high + pad];
}

/**
 * Domains that hold every point, the gray zones with the intervals of their edges, and the bars of the
 * labelled points.
 */
export function domainsOf({ points, random, zone }: SteeringFigure, labelled: readonly FigurePoint[]) {
  const axis = (effect: 'away' | 'toward', interval: 'awayInterval' | 'towardInterval'): Domain => {
    const band = zone[effect];
    const bars = labelled.map((point) => point[interval]);
    const ends = [band, band.lowInterval, band.highInterval, ...bars].flatMap(({ low, high }: Band) => [
      low,
      high,
    ]);
    return domainOf(
      [...points, ...random]
        .map((point) => point[effect])
        .concat(ends)
        .map((share) => 100 * share),
    );
  };
  return { x: axis('away', 'awayInterval'), y: axis('toward', 'towardInterval') };
}

/**
 * Pixel of a percentage point: left + (v − x₀)/(x₁ − x₀) · width; upward, bottom − (v − y₀)/(y₁ − y₀) ·
 * height.
 */
export function pixelOf({ x, y, frame }: Axes, away: number, toward: number): Pixel {
  const across = (100 * away - x[0]) / (x[1] - x[0]);
  const upward = (100 * toward - y[0]) / (y[1] - y[0]);
  return {
    x: frame.left + across * (frame.right - frame.left),
    y: frame.bottom - upward * (frame.bottom - frame.top),
  };
}

/** A channel of a Plot mark that is in pixels already. */
export function inPixels<T>(value: (datum: T) => number) {
  return { value, scale: null };
}
