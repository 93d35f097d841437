/** The words around the panels, drawn. */
import * as Plot from '@observablehq/plot';
import type { Layout } from './layout.ts';
import { legendMarks } from './legend.ts';
import { type FigureLine, isRow } from './lines.ts';
import type { Palette } from './palette.ts';
import { signedNumber } from './text.ts';
import { caption, nameFont, rowName, side, subtitle, ticksHeight, title } from './wordsAround.ts';

interface Said {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

const textMark = (said: readonly Said[], options: Plot.TextOptions) =>
  Plot.text(said, {
    x: ({ x }: Said) => x,
    y: ({ y }: Said) => y,
    text: 'text',
    ...options,
  } as Plot.TextOptions);

/** A row that is confirmed in one panel at least. */
const isConfirmed = (line: FigureLine) =>
  isRow(line) && Object.values(line.row.effects).some((effect) => effect?.verdict === 'confirmed');

function nameMarks({ panels, lines, words, namesEnd }: Layout, palette: Palette): Plot.Markish[] {
  const labelled = words.isStacked ? panels : panels.slice(0, 1);
  const at = (line: FigureLine, text: string, x: number) =>
    labelled.map(({ frame }) => ({ text, x, y: frame.top + line.top + line.height / 2 }));
  const names = (is: boolean) =>
    lines.flatMap((line) => {
      const name = rowName(line, namesEnd - side);
      return name === undefined || isConfirmed(line) !== is ? [] : at(line, name, namesEnd);
    });
  const headings = lines.flatMap((line) => ('heading' in line ? at(line, line.heading, side) : []));
  const named = { textAnchor: 'end', fontSize: nameFont } as const;
  return [
    textMark(names(false), { ...named, className: 'names' }),
    textMark(names(true), { ...named, fontWeight: 'bold', className: 'names-confirmed' }),
    textMark(headings, {
      textAnchor: 'start',
      fontSize: subtitle.fontSize,
      fontStyle: 'italic',
      fill: palette.caption,
      dy: 3,
      className: 'headings',
    }),
  ];
}

function panelTitles({ panels, words }: Layout, palette: Palette): Plot.Markish[] {
  const at = (what: 'title' | 'subtitle', up: number) =>
    panels.map(({ frame }, i) => ({
      text: words.panelWords[i]![what],
      x: frame.left,
      y: frame.top - up,
    }));
  const start = { textAnchor: 'start' } as const;
  return [
    textMark(at('title', subtitle.line + 6 + title.line / 2), {
      ...start,
      fontSize: title.fontSize,
      fontWeight: 'bold',
      className: 'titles',
    }),
    textMark(at('subtitle', 6 + subtitle.line / 2), {
      ...start,
      fontSize: subtitle.fontSize,
      fill: palette.caption,
      className: 'subtitles',
    }),
  ];
}

function tickMarks({ panels }: Layout, palette: Palette): Plot.Markish[] {
  const ticks = panels.flatMap(({ frame, domain, ticks }) =>
    ticks.map((points) => ({
      text: signedNumber(points),
      x: frame.left + ((points - domain[0]) / (domain[1] - domain[0])) * (frame.right - frame.left),
      y: frame.bottom,
    })),
  );
  return [
    Plot.link(ticks, {
      x1: ({ x }: Said) => x,
      x2: ({ x }: Said) => x,
      y1: ({ y }: Said) => y,
      y2: ({ y }: Said) => y + 4,
      stroke: palette.frame,
      className: 'ticks',
    } as Plot.LinkOptions),
    textMark(
      ticks.map((tick) => ({ ...tick, y: tick.y + 4 + ticksHeight / 2 - 3 })),
      { fontSize: subtitle.fontSize, className: 'tick-labels' },
    ),
  ];
}

export function wordMarks(layout: Layout, palette: Palette): Plot.Markish[] {
  const { words, width } = layout;
  const { left } = words.plot;
  const lines = (texts: readonly string[], x: number, top: number, step: number) =>
    texts.map((text, i) => ({ text, x, y: top + (i + 0.5) * step }));
  return [
    ...panelTitles(layout, palette),
    ...nameMarks(layout, palette),
    ...tickMarks(layout, palette),
    textMark(lines(words.axis.lines, (left + width - side) / 2, words.axis.top, title.line), {
      fontSize: title.fontSize,
      className: 'axis',
    }),
    ...legendMarks(words.legend, palette),
    textMark(lines(words.caption.lines, side, words.caption.top, caption.line), {
      fontSize: caption.fontSize,
      textAnchor: 'start',
      fill: palette.caption,
      className: 'caption',
    }),
  ];
}
