/** The figure's lines from top to bottom: headings, a row per direction, a line of dots per kind. */
import type { FigureDot, FigureRow, SteeringFigure } from './figureData.ts';

/** Pixels from the top of a panel. */
interface Place {
  readonly top: number;
  readonly height: number;
}

export type LineKind = 'candidate' | 'group' | 'otherwise' | 'comparison';

export type FigureLine = Place &
  (
    | { readonly heading: string }
    | { readonly row: FigureRow; readonly kind: LineKind }
    | { readonly dots: readonly FigureDot[]; readonly name: string; readonly kind: 'other' | 'random' }
  );

export type RowLine = Extract<FigureLine, { row: FigureRow }>;
export type DotsLine = Extract<FigureLine, { dots: readonly FigureDot[] }>;

export const isRow = (line: FigureLine): line is RowLine => 'row' in line;
export const isDots = (line: FigureLine): line is DotsLine => 'dots' in line;

const heights = { heading: 21, row: 19, dots: 22 };

type Unplaced = FigureLine extends infer L ? (L extends FigureLine ? Omit<L, keyof Place> : never) : never;

const heightOf = (line: Unplaced) =>
  'heading' in line ? heights.heading : 'row' in line ? heights.row : heights.dots;

export function figureLines(figure: SteeringFigure): FigureLine[] {
  const { candidates, groups, otherwise = [], comparisons, others, random, gaussian } = figure;
  const rows = (kind: LineKind, of: readonly FigureRow[]) => of.map((row): Unplaced => ({ row, kind }));
  const dots = (name: string, kind: DotsLine['kind'], of: readonly FigureDot[]): Unplaced[] =>
    of.length === 0 ? [] : [{ dots: of, name: `${name} (${of.length})`, kind }];
  const under = (heading: string, some: readonly Unplaced[]): Unplaced[] =>
    some.length === 0 ? [] : [{ heading }, ...some];
  const all = [
    ...under('Latents, strongest first', [
      ...rows('candidate', candidates),
      ...dots('other candidates', 'other', others),
    ]),
    ...under('Latents removed together', rows('group', groups)),
    ...under('Otherwise', rows('otherwise', otherwise)),
    ...under('Compared with', rows('comparison', comparisons)),
    ...under('Chance', [
      ...dots('random latents', 'random', random),
      ...dots('random directions', 'random', gaussian),
    ]),
  ];
  let top = 0;
  return all.map((line) => {
    const placed = { ...line, top, height: heightOf(line) } as FigureLine;
    top += placed.height;
    return placed;
  });
}

/** Pixels of all lines together, with room below the last. */
export const heightOfLines = (lines: readonly FigureLine[]): number => {
  const last = lines.at(-1);
  return last === undefined ? 0 : last.top + last.height + 4;
};
