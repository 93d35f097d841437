/** Words around the panels: their titles, names of rows, the axis, legend, caption; and the room they need. */
import { counted } from '../results.ts';
import { type Panel, panels, type SteeringFigure } from './figureData.ts';
import { entriesOf, laidOut, legendRow, type PlacedEntry } from './legend.ts';
import { type FigureLine, heightOfLines, isDots, isRow } from './lines.ts';
import { cleaned, shortenedText, widthOf, wrapped } from './text.ts';

export const side = 16;
const gap = 14;
export const nameFont = 11.5;
export const title = { fontSize: 12.5, line: 16 };
export const subtitle = { fontSize: 11, line: 14 };
export const caption = { fontSize: 11.5, line: 15.5 };
export const ticksHeight = 20;
const longestBehaviour = 60;
/** Of a figure too narrow for three panels beside one another. */
const narrow = 600;
/** Of the width, for the names of rows. */
const mostNames = 0.34;

const titles: Readonly<Record<Panel, string>> = {
  remove: 'Removed',
  away: 'Steered away',
  toward: 'Steered toward',
};

export interface PanelWords {
  readonly title: string;
  readonly subtitle: string;
}

function panelWords({ alone }: SteeringFigure, panel: Panel): PanelWords {
  const model = panel === 'toward' ? 'reference' : 'subject';
  return { title: titles[panel], subtitle: `${model}, ${(100 * alone[model]).toFixed(0)} % alone` };
}

/** A name that is too long for its column, shortened. */
export function rowName(line: FigureLine, room: number): string | undefined {
  if (!isRow(line) && !isDots(line)) return undefined;
  const name = cleaned(isRow(line) ? line.row.label : line.name);
  let most = [...name].length;
  while (most > 4 && widthOf(shortenedText(name, most), nameFont) > room) most--;
  return shortenedText(name, most);
}

export interface Words {
  readonly isStacked: boolean;
  readonly namesEnd: number;
  readonly panelWords: readonly PanelWords[];
  /** upper left of the first panel, pixels across and down of them, and the top of each */
  readonly plot: {
    readonly left: number;
    readonly across: number;
    readonly gap: number;
    readonly height: number;
    readonly tops: readonly number[];
  };
  readonly axis: { readonly lines: readonly string[]; readonly top: number };
  readonly legend: readonly PlacedEntry[];
  readonly caption: { readonly lines: readonly string[]; readonly top: number };
  readonly height: number;
}

function captionText({ caption, prompts, candidates }: SteeringFigure): string {
  const absent = candidates.some(({ label }) => label.endsWith('(−)'));
  return [
    `Bars: 95 % intervals over ${counted(prompts.evaluation, 'prompt')}.`,
    'A cause lies left of the gray zone removed and steered away, right of it steered toward.',
    ...caption,
    ...(absent ? ['(−): acts through its absence.'] : []),
  ].join(' ');
}

/** The words in lines, and with them where the panels lie. */
export function wordsAround(figure: SteeringFigure, lines: readonly FigureLine[], width: number): Words {
  const isStacked = width < narrow;
  const right = width - side;
  const all = lines.map((line) => rowName(line, Number.POSITIVE_INFINITY) ?? '');
  const names = Math.min(mostNames * width, Math.max(...all.map((name) => widthOf(name, nameFont))));
  const namesEnd = side + names;
  const left = namesEnd + 10;
  const above = 12 + title.line + subtitle.line + 4;
  const height = heightOfLines(lines);
  const below = ticksHeight + 6;
  const tops = panels.map((_, i) => (isStacked ? i * (above + height + below) + above : above));
  const across = right - left - (isStacked ? 0 : 2 * gap);
  const axisTop = tops.at(-1)! + height + ticksHeight;
  const unit = `Change in share of ${shortenedText(cleaned(figure.behaviour), longestBehaviour)}, percentage points`;
  const axisLines = wrapped(unit, title.fontSize, right - left);
  const legendTop = axisTop + axisLines.length * title.line + 16;
  const legend = laidOut(entriesOf(figure), side, right, legendTop);
  const captionTop = legend.at(-1)!.y + legendRow;
  const captionLines = wrapped(cleaned(captionText(figure)), caption.fontSize, right - side);
  return {
    isStacked,
    namesEnd,
    panelWords: panels.map((panel) => panelWords(figure, panel)),
    plot: { left, across, gap, height, tops },
    axis: { lines: axisLines, top: axisTop },
    legend,
    caption: { lines: captionLines, top: captionTop },
    height: captionTop + captionLines.length * caption.line + 4,
  };
}
