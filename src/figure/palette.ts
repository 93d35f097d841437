/**
 * The colours that the figure is drawn in. A colour is CSS; on a page it may be a variable, so that the
 * figure follows the page's theme.
 */
export interface Palette {
  /** the ground: also the rims of dots and the halos of numbers, which part them from what lies below */
  readonly page: string;
  /** titles, ticks and legend; currentColor: as the figure's place has it */
  readonly text: string;
  readonly caption: string;
  /** numbers, bars and latents that several selectors proposed; faint, the gray zone and its fringe */
  readonly ink: string;
  /** the lines at no change */
  readonly zero: string;
  readonly frame: string;
  /** rims of the random latents */
  readonly random: string;
  /** from a number to its dot */
  readonly leader: string;
  /** of a selector's latents, by its place among the selectors */
  readonly series: readonly [string, string, string, string, string, string];
}

/**
 * On white. The series are Okabe and Ito's palette, which the colour-blind can tell apart; without its
 * yellow, too faint on white, and its black, which is for latents of several selectors.
 */
export const paper: Palette = {
  page: 'white',
  text: 'currentColor',
  caption: '#333333',
  ink: '#000000',
  zero: '#444444',
  frame: '#888888',
  random: '#7a7a7a',
  leader: '#8a8a8a',
  series: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'],
};
