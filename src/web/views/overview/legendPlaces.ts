/** Where the names of a figure's legend stand: side by side, in as many rows as it takes. Knows no SVG. */
import { type PlanePoint, seriesOf } from './plane.ts';

export interface LegendItem {
  readonly name: string;
  /** a class of points, or the gray zone */
  readonly kind: string;
}

export interface LegendPlace extends LegendItem {
  readonly x: number;
  readonly y: number;
}

export function legendOf(points: readonly PlanePoint[], order: readonly string[]): LegendItem[] {
  const series = seriesOf(
    points.filter(({ random }) => !random),
    order,
  );
  return [
    ...series.map(({ name, kind, points: { length } }) => ({ name: `${name} (${length})`, kind })),
    { name: `random (${points.filter(({ random }) => random).length})`, kind: 'random' },
    { name: 'gray zone: central 95 % of random', kind: 'zone' },
  ];
}

/** Pixels: a letter is about as wide as this at 12 pixels' height. */
const letter = 6.6;
const mark = 36;
const rowHeight = 18;

export function legendPlaces(items: readonly LegendItem[], width: number): LegendPlace[] {
  let [x, y] = [8, 10];
  return items.map((item) => {
    const needed = mark + letter * item.name.length;
    if (x > 8 && x + needed > width) {
      x = 8;
      y += rowHeight;
    }
    const place = { ...item, x, y };
    x += needed;
    return place;
  });
}
