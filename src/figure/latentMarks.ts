/** A dot per latent, bars and a number at those that are labelled. */
import * as Plot from '@observablehq/plot';
import type { Band, FigurePoint, SteeringFigure } from './figureData.ts';
import { type Axes, inPixels, type Pixel, pixelOf } from './frame.ts';
import { type Box, type Obstacle, type PlacedLabel, placeLabels } from './labels.ts';
import { leaves } from './leaving.ts';
import { randomLook } from './legend.ts';
import type { Palette } from './palette.ts';
import { seriesColour, seriesOf } from './series.ts';
import { cleaned, signedNumber, widthOf } from './text.ts';

const dotRadius = 3.6;
const labels = { fontSize: 11, height: 11, leaderFrom: 6 };
const coverCost = { dot: 45, bar: 18 };

const away = (point: FigurePoint) => 100 * point.away;
const toward = (point: FigurePoint) => 100 * point.toward;

/**
 * "latent 12 (delta-attribution): away −12.3 [−15, −9.1], toward +8 [+5, +11]", which a browser shows over a
 * dot.
 */
function pointText({ latent, selectors, ...effects }: FigurePoint): string {
  const effect = (value: number, { low, high }: Band) =>
    [value, low, high].map((share) => signedNumber(Number((100 * share).toFixed(2)))) as [
      string,
      string,
      string,
    ];
  const [a, aLow, aHigh] = effect(effects.away, effects.awayInterval);
  const [t, tLow, tHigh] = effect(effects.toward, effects.towardInterval);
  const from = selectors.length > 0 ? selectors.join(', ') : 'random';
  return cleaned(
    `latent ${latent} (${from}): away ${a} [${aLow}, ${aHigh}], toward ${t} [${tLow}, ${tHigh}]`,
  );
}

/** The dots outside the gray zone in both directions (`strong`), or the others. */
export function dotMarks(figure: SteeringFigure, strong: boolean, palette: Palette): Plot.Markish[] {
  return seriesOf(figure).map(({ points, place, shape }) =>
    Plot.dot(
      points.filter((point) => leaves(figure.zone, point) === strong),
      {
        x: away,
        y: toward,
        title: pointText,
        fill: seriesColour({ place }, palette),
        fillOpacity: strong ? 1 : 0.5,
        ...(strong ? { stroke: palette.page, strokeWidth: 0.7 } : {}),
        symbol: shape,
        r: strong ? dotRadius + 0.8 : dotRadius,
        className: `latents${shape === 'diamond' ? ' several' : ''}`,
      },
    ),
  );
}

export function randomMark({ random }: SteeringFigure, palette: Palette): Plot.Markish {
  return Plot.dot(random, {
    x: away,
    y: toward,
    title: pointText,
    ...randomLook(palette),
    className: 'random',
  });
}

export function barMarks(points: readonly FigurePoint[], palette: Palette): Plot.Markish[] {
  const bar = { stroke: palette.ink, strokeOpacity: 0.6, strokeWidth: 0.8 };
  return [
    Plot.ruleY(points, {
      y: toward,
      x1: ({ awayInterval }) => 100 * awayInterval.low,
      x2: ({ awayInterval }) => 100 * awayInterval.high,
      ...bar,
      className: 'bars-away',
    }),
    Plot.ruleX(points, {
      x: away,
      y1: ({ towardInterval }) => 100 * towardInterval.low,
      y2: ({ towardInterval }) => 100 * towardInterval.high,
      ...bar,
      className: 'bars-toward',
    }),
  ];
}

/** Every dot, and the labelled points' bars, which a label hides only in part. */
function obstacles(
  { points, random: others }: SteeringFigure,
  labelled: readonly FigurePoint[],
  axes: Axes,
): Obstacle[] {
  const dots = [...points, ...others].map((point) => {
    const at = pixelOf(axes, point.away, point.toward);
    return { ...spanned(at, at, dotRadius), cost: coverCost.dot };
  });
  const bars = labelled.flatMap(({ away: a, toward: t, awayInterval, towardInterval }) => [
    spanned(pixelOf(axes, awayInterval.low, t), pixelOf(axes, awayInterval.high, t), 1),
    spanned(pixelOf(axes, a, towardInterval.high), pixelOf(axes, a, towardInterval.low), 1),
  ]);
  return [...dots, ...bars.map((bar) => ({ ...bar, cost: coverCost.bar }))];
}

/** The box from an upper left to a lower right, and `around` pixels more on every side. */
function spanned(a: Pixel, b: Pixel, around: number): Box {
  return { left: a.x - around, top: a.y - around, right: b.x + around, bottom: b.y + around };
}

/** Where the labelled points' numbers go. */
export function placeNumbers(
  figure: SteeringFigure,
  labelled: readonly FigurePoint[],
  axes: Axes,
): PlacedLabel[] {
  const targets = labelled.map((point) => ({
    ...pixelOf(axes, point.away, point.toward),
    text: String(point.latent),
    width: widthOf(String(point.latent), labels.fontSize) + 2,
    height: labels.height,
  }));
  return placeLabels(targets, obstacles(figure, labelled, axes), axes.frame);
}

/** A line from each number that is far from its dot to that dot. */
export function leaderMark(placed: readonly PlacedLabel[], palette: Palette): Plot.Markish {
  return Plot.link(
    placed.filter(({ gap }) => gap >= labels.leaderFrom),
    {
      x1: inPixels(({ x }: PlacedLabel) => x),
      y1: inPixels(({ y }: PlacedLabel) => y),
      x2: inPixels(({ x, box }: PlacedLabel) => Math.min(Math.max(x, box.left), box.right)),
      y2: inPixels(({ y, box }: PlacedLabel) => Math.min(Math.max(y, box.top), box.bottom)),
      stroke: palette.leader,
      strokeWidth: 0.7,
      className: 'leaders',
    } as Plot.LinkOptions,
  );
}

export function numberMark(placed: readonly PlacedLabel[], palette: Palette): Plot.Markish {
  return Plot.text(placed, {
    x: inPixels(({ box }: PlacedLabel) => (box.left + box.right) / 2),
    y: inPixels(({ box }: PlacedLabel) => (box.top + box.bottom) / 2),
    text: 'text',
    fontSize: labels.fontSize,
    stroke: palette.page,
    strokeWidth: 3,
    fill: palette.ink,
    className: 'labels',
  } as Plot.TextOptions);
}
