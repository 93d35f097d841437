/** The figure of a causal test as the text of an SVG file. Pure: the same figure gives the same text. */
import { parseHTML } from 'linkedom';
import { drawingOf, standalone } from '../../figure/drawing.ts';
import type { SteeringFigure } from '../../figure/figureData.ts';
import { layoutOf } from '../../figure/layout.ts';
import { paper } from '../../figure/palette.ts';

const size = { width: 720 };

/** 720 pixels wide, on white. Throws where there are no random latents, or a number that is none. */
export function steeringSvg(figure: SteeringFigure): string {
  const { document } = parseHTML('<!doctype html><body></body>');
  const layout = layoutOf(figure, size);
  return standalone(drawingOf(figure, layout, paper, document as never), figure, layout);
}
