/** The legend over the plot: a sign and words per entry, in as many rows as they need. */
import * as Plot from '@observablehq/plot';
import type { FigurePoint } from './figureData.ts';
import { inPixels } from './frame.ts';
import type { Palette } from './palette.ts';
import { type Series, seriesColour } from './series.ts';
import { cleaned, widthOf } from './text.ts';

/** A sign: a dot as the plot draws it, or a patch of gray. */
type Sign =
  | { readonly dot: Pick<Series, 'place' | 'shape'> | 'random' }
  | { readonly patch: 'zone' | 'fringe' };

export interface Entry {
  readonly sign: Sign;
  readonly words: string;
  /** begins a row */
  readonly first?: true;
}

interface PlacedEntry extends Entry {
  readonly x: number;
  readonly y: number;
}

export const randomLook = ({ page, random }: Palette) => ({
  fill: page,
  fillOpacity: 0.6,
  stroke: random,
  strokeWidth: 1,
  r: 2.6,
});
export const zoneLook = ({ ink }: Palette) => ({ fill: ink, fillOpacity: 0.12 });
export const fringeLook = ({ ink }: Palette) => ({ fill: ink, fillOpacity: 0.055 });
const fontSize = 12;
export const rowHeight = 19;
/** Pixels from an entry's start to its words, and between two entries. */
const signWidth = 16;
const space = 20;

/** An entry per series with the number of its dots, the random latents, the gray zone and its fringe. */
export function entriesOf(series: readonly Series[], randomPoints: readonly FigurePoint[]): Entry[] {
  return [
    ...series.map(({ name, points, place, shape }) => ({
      sign: { dot: { place, shape } },
      words: `${cleaned(name)} (${points.length})`,
    })),
    { sign: { dot: 'random' }, words: `matched random (${randomPoints.length})` },
    { sign: { patch: 'zone' }, words: 'gray zone: central 95 % of matched random', first: true },
    { sign: { patch: 'fringe' }, words: '95 % interval of its edges' },
  ];
}

/**
 * Entries in rows from the left, a new row where one says so or would pass the right; `y` is a row's middle.
 */
export function laidOut(entries: readonly Entry[], left: number, right: number, top: number): PlacedEntry[] {
  let x = left;
  let y = top;
  return entries.map((entry) => {
    const width = signWidth + widthOf(entry.words, fontSize);
    if (entry.first || (x > left && x + width > right)) {
      x = left;
      y += rowHeight;
    }
    const placed = { ...entry, x, y };
    x += width + space;
    return placed;
  });
}

function signMark({ sign, x, y }: PlacedEntry, palette: Palette): Plot.Markish {
  if ('patch' in sign) {
    const [x1, x2, y1, y2] = [x - 1, x + 11, y - 6, y + 6].map((pixel) => inPixels(() => pixel));
    const look = sign.patch === 'zone' ? zoneLook(palette) : fringeLook(palette);
    return Plot.rect([0], { x1, x2, y1, y2, ...look } as Plot.RectOptions);
  }
  const at = { x: inPixels(() => x + 5), y: inPixels(() => y) } as Plot.DotOptions;
  if (sign.dot === 'random') return Plot.dot([0], { ...at, ...randomLook(palette) });
  return Plot.dot([0], { ...at, fill: seriesColour(sign.dot, palette), symbol: sign.dot.shape, r: 4.2 });
}

/** Marks of a legend whose entries have their places. */
export function legendMarks(entries: readonly PlacedEntry[], palette: Palette): Plot.Markish[] {
  const words = Plot.text(entries, {
    x: inPixels(({ x }: PlacedEntry) => x + signWidth),
    y: inPixels(({ y }: PlacedEntry) => y),
    text: 'words',
    textAnchor: 'start',
    fontSize,
    className: 'legend',
  } as Plot.TextOptions);
  return [...entries.map((entry) => signMark(entry, palette)), words];
}
