/** A plot as wide as its place. */
import * as Plot from '@observablehq/plot';
import { useEffect, useRef, useState } from 'react';

interface FigureProps {
  /** what it shows, for one who cannot see it */
  readonly label: string;
  readonly plot: Plot.PlotOptions;
}

function useWidth(place: { readonly current: HTMLElement | null }) {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, [place]);
  return width;
}

export function Figure({ label, plot }: FigureProps) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  useEffect(() => {
    if (width === 0) return;
    const drawn = Plot.plot({ ...plot, width });
    drawn.setAttribute('aria-hidden', 'true');
    place.current!.replaceChildren(drawn);
  }, [plot, width]);
  return <div ref={place} className="figure" role="img" aria-label={label} />;
}
