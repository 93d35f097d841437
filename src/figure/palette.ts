/**
 * The colours that the figure is drawn in. A colour is CSS; on a page it may be a variable, so that the
 * figure follows the page's theme.
 */
export interface Palette {
  /** the ground: also what is inside hollow marks */
  readonly page: string;
  /** titles, names and ticks; currentColor: as the figure's place has it */
  readonly text: string;
  readonly caption: string;
  /** the other candidates; faint, the gray zone and its fringe */
  readonly ink: string;
  /** the lines at no change */
  readonly zero: string;
  readonly frame: string;
  /** random latents and directions */
  readonly random: string;
  /** latents, alone and together */
  readonly latent: string;
  /** what needs no latent */
  readonly comparison: string;
}

/** On white; the two colours are Okabe and Ito's, which the colour-blind can tell apart. */
export const paper: Palette = {
  page: 'white',
  text: 'currentColor',
  caption: '#333333',
  ink: '#000000',
  zero: '#444444',
  frame: '#888888',
  random: '#7a7a7a',
  latent: '#0072b2',
  comparison: '#d55e00',
};
