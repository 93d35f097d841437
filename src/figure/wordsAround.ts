/** Words around the plot: axis titles, caption, legend; and the margins that they need. */
import * as Plot from '@observablehq/plot';
import type { FigurePoint, SteeringFigure } from './figureData.ts';
import { inPixels } from './frame.ts';
import { countsText } from './leaving.ts';
import { entriesOf, laidOut, legendMarks, rowHeight } from './legend.ts';
import type { Palette } from './palette.ts';
import { seriesOf } from './series.ts';
import { cleaned, shortenedText, wrapped } from './text.ts';

/** Pixels: of the whole picture across, and of the plot alone upward. */
export interface Size {
  readonly width: number;
  readonly plotHeight: number;
}

const side = 16;
const ticks = { width: 38, height: 24 };
const title = { fontSize: 12.5, line: 16 };
const caption = { fontSize: 11.5, line: 15.5, above: 10 };
const longestBehaviour = 60;
/** Of a plot that is too narrow for the words of the gray zone over it. */
const narrow = 280;

/**
 * On one line where there is room for it; else on two, the unit on the second; else on as many as it needs.
 */
function titleLines(behaviour: string, direction: string, model: string, room: number): string[] {
  const of = shortenedText(cleaned(behaviour), longestBehaviour);
  const what = `Change in share of ${of} when steered ${direction},`;
  const unit = `percentage points (${model})`;
  const lines = (text: string) => wrapped(text, title.fontSize, room);
  const together = lines(`${what} ${unit}`);
  return together.length === 1 || lines(what).length > 1 ? together : [what, unit];
}

function captionLines(figure: SteeringFigure, labelled: readonly FigurePoint[], width: number): string[] {
  const bars = labelled.length > 0 ? ' Numbered: those farthest outside, with 95 % intervals.' : '';
  return wrapped(`${cleaned(countsText(figure))}.${bars}`, caption.fontSize, width - 2 * side);
}

/** The words in lines, and with them the sizes of plot and picture in pixels. */
export function wordsAround(
  figure: SteeringFigure,
  labelled: readonly FigurePoint[],
  { width, plotHeight }: Size,
) {
  const yTitle = titleLines(figure.behaviour, 'toward', 'reference', plotHeight);
  const left = side + yTitle.length * title.line + ticks.width;
  const right = width - side;
  const xTitle = titleLines(figure.behaviour, 'away', 'subject', right - left);
  const words = captionLines(figure, labelled, width);
  const legendLeft = right - left < narrow ? side : left;
  const legend = laidOut(entriesOf(seriesOf(figure), figure.random), legendLeft, right, side + 2);
  const top = legend.at(-1)!.y + rowHeight;
  const bottom = top + plotHeight;
  const below = ticks.height + xTitle.length * title.line + caption.above + words.length * caption.line + 8;
  return {
    yTitle,
    xTitle,
    caption: words,
    legend,
    frame: { left, right, top, bottom },
    width,
    height: bottom + below,
  };
}

export type Words = ReturnType<typeof wordsAround>;

/** Lines of text, each `step` pixels from the one before. */
function linesMark(
  lines: readonly string[],
  at: { x: number; y: number },
  step: { x?: number; y?: number },
  options: Plot.TextOptions,
) {
  const data = lines.map((text, i) => ({ text, x: at.x + i * (step.x ?? 0), y: at.y + i * (step.y ?? 0) }));
  return Plot.text(data, {
    x: inPixels(({ x }: { x: number }) => x),
    y: inPixels(({ y }: { y: number }) => y),
    text: 'text',
    ...options,
  } as Plot.TextOptions);
}

export function wordMarks(words: Words, palette: Palette): Plot.Markish[] {
  const { left, right, top, bottom } = words.frame;
  const centre = { x: (left + right) / 2, y: (top + bottom) / 2 };
  const { fontSize, line } = title;
  const below = bottom + ticks.height + line / 2;
  const captionTop = below + words.xTitle.length * line + caption.above;
  return [
    linesMark(words.xTitle, { x: centre.x, y: below }, { y: line }, { fontSize, className: 'title-x' }),
    linesMark(
      words.yTitle,
      { x: side, y: centre.y },
      { x: line },
      { fontSize, rotate: -90, className: 'title-y' },
    ),
    linesMark(
      words.caption,
      { x: side, y: captionTop },
      { y: caption.line },
      { fontSize: caption.fontSize, textAnchor: 'start', fill: palette.caption, className: 'caption' },
    ),
    ...legendMarks(words.legend, palette),
  ];
}
