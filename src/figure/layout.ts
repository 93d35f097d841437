/**
 * Where everything of a figure lies at a given size, before anything is drawn: what reacts to a pointer is
 * laid over it by the same numbers.
 */
import { checkFigure, type FigurePoint, type SteeringFigure } from './figureData.ts';
import { type Axes, domainsOf } from './frame.ts';
import { farthest } from './leaving.ts';
import { type Size, type Words, wordsAround } from './wordsAround.ts';

export interface Layout {
  readonly words: Words;
  readonly axes: Axes;
  /** the points that get their latent's number and bars */
  readonly labelled: readonly FigurePoint[];
}

/** Throws where there are no random latents, or a number that has no place on an axis. */
export function layoutOf(figure: SteeringFigure, size: Size): Layout {
  checkFigure(figure);
  const labelled = farthest(figure);
  const words = wordsAround(figure, labelled, size);
  return { words, axes: { ...domainsOf(figure, labelled), frame: words.frame }, labelled };
}
