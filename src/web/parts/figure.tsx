/** A plot as wide as its place. */
import * as Plot from '@observablehq/plot';
import { useLayoutEffect } from 'react';
import { useWidth } from './useWidth.ts';

interface FigureProps {
  /** what it shows, for one who cannot see it */
  readonly label: string;
  readonly plot: Plot.PlotOptions;
}

export function Figure({ label, plot }: FigureProps) {
  const [place, width] = useWidth<HTMLDivElement>();
  useLayoutEffect(() => {
    if (width === 0) return;
    const drawn = Plot.plot({ ...plot, width });
    drawn.setAttribute('aria-hidden', 'true');
    place.current!.replaceChildren(drawn);
  }, [plot, width, place]);
  return <div ref={place} className="figure" role="img" aria-label={label} />;
}
