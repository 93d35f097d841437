/** The figure's colours on a page, which follow its theme; on a light one the marks have those of the file. */
import type { CSSProperties } from 'react';
import { type Palette, paper } from '../../../figure/palette.ts';

/** The variables that the marks' colours are, for the style of what holds the figure. */
export const markVariables = {
  '--figure-latent': `light-dark(${paper.latent}, #56b4e9)`,
  '--figure-comparison': `light-dark(${paper.comparison}, #f0863c)`,
} as CSSProperties;

export const pagePalette: Palette = {
  page: 'var(--page)',
  text: 'currentColor',
  caption: 'var(--quiet)',
  ink: 'var(--text)',
  zero: 'var(--quiet)',
  frame: 'var(--strong-line)',
  random: 'var(--quiet)',
  latent: 'var(--figure-latent)',
  comparison: 'var(--figure-comparison)',
};
