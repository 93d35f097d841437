/**
 * The figure's colours on a page, which follow its theme; on a light one the series have those of the file.
 */
import type { CSSProperties } from 'react';
import { type Palette, paper } from '../../../figure/palette.ts';

/** The series' colours on a dark page, in the order of the light ones. */
const dark: Palette['series'] = ['#56b4e9', '#f0863c', '#33c79b', '#cc79a7', '#e69f00', '#9ad3f5'];

/** The variables that the series' colours are, for the style of what holds the figure. */
export const seriesVariables = Object.fromEntries(
  paper.series.map((light, i) => [`--series-${i}`, `light-dark(${light}, ${dark[i]})`]),
) as CSSProperties;

export const pagePalette: Palette = {
  page: 'var(--page)',
  text: 'currentColor',
  caption: 'var(--quiet)',
  ink: 'var(--text)',
  zero: 'var(--quiet)',
  frame: 'var(--strong-line)',
  random: 'var(--quiet)',
  leader: 'var(--strong-line)',
  series: [0, 1, 2, 3, 4, 5].map((i) => `var(--series-${i})`) as unknown as Palette['series'],
};

/**
 * The page's palette as it looks now at an element, without variables: for a file, which has no page around
 * it.
 */
export function paletteAt(place: HTMLElement): Palette {
  const probe = place.appendChild(document.createElement('span'));
  const seen = (colour: string): string => {
    probe.style.color = colour;
    return getComputedStyle(probe).color;
  };
  const found = Object.entries(pagePalette).map(([name, colour]) => [
    name,
    Array.isArray(colour) ? colour.map(seen) : seen(colour),
  ]);
  probe.remove();
  return Object.fromEntries(found);
}
