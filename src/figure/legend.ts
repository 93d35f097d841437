/** The legend: a sign and words per entry, in as many rows as they need. */
import * as Plot from '@observablehq/plot';
import { counted, type EffectVerdictName } from '../results.ts';
import type { SteeringFigure } from './figureData.ts';
import type { Palette } from './palette.ts';
import { widthOf } from './text.ts';

type Sign = EffectVerdictName | 'aside' | 'level' | 'zone' | 'fringe';

interface Entry {
  readonly sign: Sign;
  readonly words: string;
}

export interface PlacedEntry extends Entry {
  readonly x: number;
  /** of the row's middle */
  readonly y: number;
}

/** How a mark of this verdict is filled: not at all, faintly, wholly. */
const fillings: Readonly<Record<EffectVerdictName, number>> = {
  confirmed: 1,
  suggestive: 0.35,
  'not shown': 0,
  'not sampled': 0,
};
export const fillingOf = (verdict: EffectVerdictName): number => fillings[verdict];

export const zoneLook = ({ ink }: Palette) => ({ fill: ink, fillOpacity: 0.1 });
export const fringeLook = ({ ink }: Palette) => ({ fill: ink, fillOpacity: 0.045 });
export const levelLook = ({ zero }: Palette) => ({ stroke: zero, strokeDasharray: '1.5 3' });
export const asideSize = 5.5;

export const legendFont = 11.5;
export const legendRow = 18;
const signWidth = 17;
const space = 18;

/** What the marks mean; those of the kept-aside prompts only where there are such. */
export function entriesOf({ prompts }: SteeringFigure): Entry[] {
  return [
    { sign: 'confirmed', words: 'confirmed: family-wise p < .05' },
    { sign: 'suggestive', words: 'suggestive: q < .2' },
    { sign: 'not shown', words: 'not shown' },
    ...(prompts.aside > 0
      ? [
          {
            sign: 'aside' as const,
            words: `measured again on ${counted(prompts.aside, 'prompt')} kept aside`,
          },
        ]
      : []),
    { sign: 'zone', words: 'gray zone: one more random latent, 95 %' },
    { sign: 'fringe', words: '95 % interval of its edges' },
    { sign: 'level', words: 'the other model, unsteered' },
  ];
}

/** Entries in rows from the left, a new row where one would pass the right. */
export function laidOut(entries: readonly Entry[], left: number, right: number, top: number): PlacedEntry[] {
  let x = left;
  let y = top;
  return entries.map((entry) => {
    const width = signWidth + widthOf(entry.words, legendFont);
    if (x > left && x + width > right) {
      x = left;
      y += legendRow;
    }
    const placed = { ...entry, x, y };
    x += width + space;
    return placed;
  });
}

const at = (x: number, y: number) => ({ x: () => x, y: () => y });

function signMarks({ sign, x, y }: PlacedEntry, palette: Palette): Plot.Markish[] {
  const { latent, page } = palette;
  switch (sign) {
    case 'zone':
    case 'fringe': {
      const [x1, x2, y1, y2] = [x, x + 12, y - 6, y + 6].map((pixel) => () => pixel);
      const look = sign === 'zone' ? zoneLook(palette) : fringeLook(palette);
      return [Plot.rect([0], { x1, x2, y1, y2, ...look } as Plot.RectOptions)];
    }
    case 'level': {
      const [x1, y1, y2] = [x + 6, y - 7, y + 7].map((pixel) => () => pixel);
      return [Plot.link([0], { x1, x2: x1, y1, y2, ...levelLook(palette) } as Plot.LinkOptions)];
    }
    case 'aside': {
      const place = at(x + 6, y) as Plot.DotOptions;
      const look = { symbol: 'diamond', r: asideSize / 2, fill: page, stroke: latent } as const;
      return [Plot.dot([0], { ...place, ...look })];
    }
    default: {
      const place = at(x + 6, y) as Plot.DotOptions;
      const fill = { fill: latent, fillOpacity: fillingOf(sign), stroke: latent, strokeWidth: 1.4 };
      return [Plot.dot([0], { ...place, r: 4, ...fill })];
    }
  }
}

/** Marks of a legend whose entries have their places. */
export function legendMarks(entries: readonly PlacedEntry[], palette: Palette): Plot.Markish[] {
  const words = Plot.text(entries, {
    x: ({ x }: PlacedEntry) => x + signWidth,
    y: ({ y }: PlacedEntry) => y,
    text: 'words',
    textAnchor: 'start',
    fontSize: legendFont,
    className: 'legend',
  } as Plot.TextOptions);
  return [...entries.flatMap((entry) => signMarks(entry, palette)), words];
}
