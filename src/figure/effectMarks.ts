/** What is in the panels: the gray zone, a mark with its interval per effect, dots of many directions. */
import * as Plot from '@observablehq/plot';
import {
  type Band,
  type EffectEstimate,
  type FigureDot,
  type FigureEffect,
  otherLevel,
  type Panel,
  type SteeringFigure,
  type UncertainBand,
} from './figureData.ts';
import { type Layout, middleOf, type PanelPlace, pixelOf } from './layout.ts';
import { asideSize, fillingOf, fringeLook, levelLook, zoneLook } from './legend.ts';
import { type DotsLine, isDots, isRow, type LineKind } from './lines.ts';
import type { Palette } from './palette.ts';
import { cleaned, signedNumber } from './text.ts';

const dotRadius = { row: 4, dot: 2.5 };
/** Pixels from a row's middle: its effect above, what was measured again below. */
const offsets = { main: -2.5, aside: 5 };
/** Dots in a line, in turn. */
const lanes = [0, -4.5, 4.5];

/** A straight piece, as a mark of Plot takes it. */
interface Piece {
  readonly x1: number;
  readonly x2: number;
  readonly y1: number;
  readonly y2: number;
}

const pieceChannels = {
  x1: ({ x1 }: Piece) => x1,
  x2: ({ x2 }: Piece) => x2,
  y1: ({ y1 }: Piece) => y1,
  y2: ({ y2 }: Piece) => y2,
};

const lines = (pieces: readonly Piece[], options: Plot.LinkOptions) =>
  Plot.link(pieces, { ...pieceChannels, ...options } as Plot.LinkOptions);
const areas = (pieces: readonly Piece[], options: Plot.RectOptions) =>
  Plot.rect(pieces, { ...pieceChannels, ...options } as Plot.RectOptions);

/**
 * Dark between the edges' inner ends, light over each edge's interval; no dark part where the two intervals
 * meet.
 */
function bandParts({ low, high, lowInterval, highInterval }: UncertainBand) {
  const middle = (low + high) / 2;
  const innerLow = Math.min(Math.max(lowInterval.high, low), middle);
  const innerHigh = Math.max(Math.min(highInterval.low, high), middle);
  return {
    core: { low: innerLow, high: innerHigh },
    fringes: [
      { low: Math.min(lowInterval.low, low), high: innerLow },
      { low: innerHigh, high: Math.max(highInterval.high, high) },
    ],
  };
}

function upright(place: PanelPlace, effect: number): Piece {
  const x = pixelOf(place, effect);
  return { x1: x, x2: x, y1: place.frame.top, y2: place.frame.bottom };
}

function column(place: PanelPlace, { low, high }: Band): Piece {
  return { ...upright(place, low), x2: pixelOf(place, high) };
}

/** The gray zone with its edges, no change, and where the other model is. */
export function groundMarks(figure: SteeringFigure, { panels }: Layout, palette: Palette): Plot.Markish[] {
  const parts = panels.map((place) => ({ place, ...bandParts(figure.zone[place.panel]) }));
  const edge = { stroke: palette.ink, strokeOpacity: 0.35, strokeWidth: 0.8, strokeDasharray: '3 2.5' };
  return [
    areas(
      parts.map(({ place, core }) => column(place, core)),
      { ...zoneLook(palette), className: 'zone' },
    ),
    areas(
      parts.flatMap(({ place, fringes }) => fringes.map((band) => column(place, band))),
      { ...fringeLook(palette), className: 'fringe' },
    ),
    lines(
      panels.flatMap((place) => {
        const { low, high } = figure.zone[place.panel];
        return [upright(place, low), upright(place, high)];
      }),
      { ...edge, className: 'edge' },
    ),
    lines(
      panels.map((place) => upright(place, 0)),
      { stroke: palette.zero, className: 'zero' },
    ),
    lines(
      panels.map((place) => upright(place, otherLevel(figure, place.panel))),
      { ...levelLook(palette), strokeWidth: 1.2, className: 'level' },
    ),
    areas(
      panels.map(({ frame }) => ({ x1: frame.left, x2: frame.right, y1: frame.top, y2: frame.bottom })),
      { fill: 'none', stroke: palette.frame, strokeWidth: 0.8, className: 'frame' },
    ),
  ];
}

const panelNames: Readonly<Record<Panel, string>> = {
  remove: 'removed',
  away: 'steered away',
  toward: 'steered toward',
};

const points = (share: number) => signedNumber(Number((100 * share).toFixed(1)));
const said = ({ effect, low, high }: EffectEstimate) => `${points(effect)} [${points(low)}, ${points(high)}]`;

/** "latent 12, removed: −42.1 [−50, −34]; kept aside −40 [−60, −20]; confirmed", which a browser shows. */
export function spokenEffect(direction: string, panel: Panel, found: FigureEffect): string {
  const again = found.aside ? `; kept aside ${said(found.aside)}` : '';
  return cleaned(`${direction}, ${panelNames[panel]}: ${said(found)}${again}; ${found.verdict ?? 'no test'}`);
}

interface Mark {
  readonly title: string;
  readonly kind: LineKind;
  readonly found: FigureEffect;
  readonly place: PanelPlace;
  /** of the row's middle */
  readonly y: number;
}

function marksIn({ panels: places, lines }: Layout): Mark[] {
  return lines.filter(isRow).flatMap((line) =>
    places.flatMap((place): Mark[] => {
      const found = line.row.effects[place.panel];
      if (found === undefined) return [];
      const title = spokenEffect(line.row.direction, place.panel, found);
      return [{ title, kind: line.kind, found, place, y: middleOf(place, line) }];
    }),
  );
}

const spanOf = (place: PanelPlace, { low, high }: Band, y: number): Piece => ({
  x1: pixelOf(place, low),
  x2: pixelOf(place, high),
  y1: y,
  y2: y,
});

export function rowMarks(layout: Layout, palette: Palette): Plot.Markish[] {
  const all = marksIn(layout);
  const again = all.flatMap(({ found, place, y }) =>
    found.aside ? [{ place, aside: found.aside, y: y + offsets.aside }] : [],
  );
  const kinds = [
    { of: all.filter(({ kind }) => kind !== 'comparison'), colour: palette.latent, name: 'latents' },
    { of: all.filter(({ kind }) => kind === 'comparison'), colour: palette.comparison, name: 'comparisons' },
  ];
  return [
    lines(
      again.map(({ place, aside, y }) => spanOf(place, aside, y)),
      { stroke: palette.latent, strokeWidth: 0.8, strokeOpacity: 0.7, className: 'bars-aside' },
    ),
    Plot.dot(again, {
      x: ({ place, aside }: (typeof again)[number]) => pixelOf(place, aside.effect),
      y: ({ y }: (typeof again)[number]) => y,
      symbol: 'diamond',
      r: asideSize / 2,
      fill: palette.page,
      stroke: palette.latent,
      strokeWidth: 1,
      className: 'aside',
    } as Plot.DotOptions),
    ...kinds.flatMap(({ of, colour, name }) => {
      const at = {
        x: ({ place, found }: Mark) => pixelOf(place, found.effect),
        y: ({ y, found }: Mark) => y + (found.aside ? offsets.main : 0),
        r: dotRadius.row,
      };
      return [
        lines(
          of.map(({ place, found, y }) => spanOf(place, found, y + (found.aside ? offsets.main : 0))),
          { stroke: colour, strokeWidth: 1.4, className: `bars-${name}` },
        ),
        // a ground, so that no bar shows through a faint mark
        Plot.dot(of, { ...at, fill: palette.page, className: `ground-${name}` } as Plot.DotOptions),
        Plot.dot(of, {
          ...at,
          fill: colour,
          fillOpacity: ({ found }: Mark) => fillingOf(found.verdict ?? 'not sampled'),
          stroke: colour,
          strokeWidth: 1.4,
          title: 'title',
          className: name,
        } as Plot.DotOptions),
      ];
    }),
  ];
}

export interface PlacedDot {
  readonly dot: FigureDot;
  readonly x: number;
  readonly y: number;
}

/** Dots of a line in a panel: neighbours lie in lanes of their own. */
export function dotsOn(place: PanelPlace, line: DotsLine): PlacedDot[] {
  const measured = line.dots.flatMap((dot) => {
    const effect = dot.effects[place.panel];
    return effect === undefined ? [] : [{ dot, effect }];
  });
  return measured
    .sort((a, b) => a.effect - b.effect)
    .map(({ dot, effect }, i) => ({
      dot,
      x: pixelOf(place, effect),
      y: middleOf(place, line) + lanes[i % lanes.length]!,
    }));
}

export function dotMarks({ panels: places, lines }: Layout, palette: Palette): Plot.Markish[] {
  const of = (kind: DotsLine['kind']) =>
    lines
      .filter(isDots)
      .filter((line) => line.kind === kind)
      .flatMap((line) => places.flatMap((place) => dotsOn(place, line).map((one) => ({ ...one, place }))));
  type Placed = ReturnType<typeof of>[number];
  const look = (kind: DotsLine['kind']) =>
    ({
      x: ({ x }: Placed) => x,
      y: ({ y }: Placed) => y,
      r: dotRadius.dot,
      title: ({ dot, place }: Placed) =>
        cleaned(`${dot.direction}, ${panelNames[place.panel]}: ${points(dot.effects[place.panel]!)}`),
      className: kind,
    }) as Plot.DotOptions;
  return [
    Plot.dot(of('random'), { ...look('random'), fill: palette.random, fillOpacity: 0.55 }),
    Plot.dot(of('other'), {
      ...look('other'),
      fill: palette.page,
      stroke: palette.latent,
      strokeWidth: 1,
    }),
  ];
}

/** The middle of the widest room that a panel's upright lines leave. */
function freeRoom(figure: SteeringFigure, place: PanelPlace): number {
  const { low, high } = figure.zone[place.panel];
  const { left, right } = place.frame;
  const at = [0, low, high, otherLevel(figure, place.panel)].map((effect) => pixelOf(place, effect));
  const all = [left, ...at, right].sort((a, b) => a - b);
  const rooms = all.slice(1).map((end, i) => ({ middle: (all[i]! + end) / 2, width: end - all[i]! }));
  const { middle } = rooms.sort((a, b) => b.width - a.width)[0]!;
  return Math.min(Math.max(middle, left + gapWidth / 2), right - gapWidth / 2);
}

/** Of the words, and what is left beside them. */
const gapWidth = 68;

/** "not sampled" where a candidate has no effect. */
export function gapMark(
  figure: SteeringFigure,
  { panels: places, lines }: Layout,
  palette: Palette,
): Plot.Markish {
  const candidates = lines.filter(isRow).filter(({ kind }) => kind === 'candidate');
  const gaps = places.flatMap((place) => {
    const x = freeRoom(figure, place);
    return candidates
      .filter(({ row }) => row.effects[place.panel] === undefined)
      .map((line) => ({ x, y: middleOf(place, line) }));
  });
  return Plot.text(gaps, {
    x: 'x',
    y: 'y',
    text: () => 'not sampled',
    fontSize: 10,
    fill: palette.caption,
    className: 'gaps',
  } as Plot.TextOptions);
}
