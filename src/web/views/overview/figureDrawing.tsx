/** The figure's drawing on the page, in its colours. What reacts to a pointer lies over it. */
import { useEffect, useRef } from 'react';
import { drawingOf } from '../../../figure/drawing.ts';
import type { SteeringFigure } from '../../../figure/figureData.ts';
import type { Layout } from '../../../figure/layout.ts';
import { pagePalette } from './figurePalette.ts';

export function FigureDrawing({ figure, layout }: { figure: SteeringFigure; layout: Layout }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const drawing = drawingOf(figure, layout, pagePalette, document);
    // the page has other uses for some of these names
    for (const part of drawing.querySelectorAll('[class]')) part.removeAttribute('class');
    place.current!.replaceChildren(drawing);
  }, [figure, layout]);
  return <div ref={place} className="drawing" aria-hidden="true" />;
}
