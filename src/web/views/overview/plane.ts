/** Where the causal test's figure puts its latents: percentage points to pixels and back. Knows no SVG. */
import type { LatentEffects, Zone } from '../../../results.ts';

export interface PlanePoint {
  readonly latent: number;
  readonly random: boolean;
  /** selectors that proposed it, the one that ranks it highest first */
  readonly selectors: readonly string[];
  /** changes in percentage points */
  readonly away: number;
  readonly toward: number;
  readonly effects: LatentEffects;
}

/** Latents sampled in both directions. */
export function planePoints(all: readonly LatentEffects[]): PlanePoint[] {
  return all.flatMap((effects) => {
    const { latent, role, ranks, away, toward } = effects;
    if (away?.effect == null || toward?.effect == null) return [];
    const selectors = Object.entries(ranks)
      .sort(([, a], [, b]) => a - b)
      .map(([selector]) => selector);
    const random = role === 'random';
    return [{ latent, random, selectors, away: 100 * away.effect, toward: 100 * toward.effect, effects }];
  });
}

export type Domain = readonly [low: number, high: number];

/** The least domain that holds 0 and the values, a twentieth wider at both ends; ±1 where all are 0. */
export function domainOf(values: readonly number[]): Domain {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const pad = 0.05 * (high - low) || 1;
  return [low - pad, high + pad];
}

/** Domains that hold every point, the gray zone, and the intervals of those named. */
export function domainsOf(points: readonly PlanePoint[], zone: Zone, barred: ReadonlySet<number>) {
  const axis = (side: 'away' | 'toward') => {
    const bars = points.flatMap(({ latent, effects }) => (barred.has(latent) ? effects[side]! : []));
    const shares = [zone[side], ...bars].flatMap(({ low, high }) => [low ?? 0, high ?? 0]);
    return domainOf([...points.map((point) => point[side]), ...shares.map((share) => 100 * share)]);
  };
  return { x: axis('away'), y: axis('toward') };
}

/** Round numbers within the domain, about `wanted` of them. */
export function ticksOf([low, high]: Domain, wanted: number): number[] {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => (first + i) * step);
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Plane {
  readonly x: Domain;
  readonly y: Domain;
  /** pixels, y downward */
  readonly frame: Box;
}

export const pixelX = ({ x, frame }: Plane, value: number): number =>
  frame.left + ((value - x[0]) / (x[1] - x[0])) * (frame.right - frame.left);
export const pixelY = ({ y, frame }: Plane, value: number): number =>
  frame.bottom - ((value - y[0]) / (y[1] - y[0])) * (frame.bottom - frame.top);

/** The points whose pixels lie in a box, in the order given. */
export function pointsIn(plane: Plane, points: readonly PlanePoint[], box: Box): PlanePoint[] {
  return points.filter(({ away, toward }) => {
    const [x, y] = [pixelX(plane, away), pixelY(plane, toward)];
    return x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
  });
}

export interface Series {
  readonly name: string;
  /** the class that colours its points: a selector's by its place in the causal test's order, whichever of them have points */
  readonly kind: string;
  readonly points: readonly PlanePoint[];
}

const seriesColours = 6;

/** Series of a legend: of each selector, in the causal test's order, what it alone proposed, then what several did; none is empty. */
export function seriesOf(points: readonly PlanePoint[], order: readonly string[]): Series[] {
  const several = points.filter(({ selectors }) => selectors.length > 1);
  const alone = order.map((name, i) => ({
    name,
    kind: `series-${i % seriesColours}`,
    points: points.filter(({ selectors }) => selectors.length === 1 && selectors[0] === name),
  }));
  return [...alone, { name: 'several selectors', kind: 'several', points: several }].filter(
    (series) => series.points.length > 0,
  );
}
