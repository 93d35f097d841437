/**
 * The figure as a file to keep, SVG or PNG: drawn again in the page's colours, so that it looks the same by
 * itself.
 */
import { useRef, useState } from 'react';
import { drawingOf, standalone } from '../../../figure/drawing.ts';
import type { SteeringFigure } from '../../../figure/figureData.ts';
import type { Layout } from '../../../figure/layout.ts';
import { download } from '../../parts/download.ts';
import { paletteAt } from './figurePalette.ts';

/** Of a PNG's pixels to the page's. */
const scale = 3;

interface ExportProps {
  readonly figure: SteeringFigure;
  readonly layout: Layout;
  readonly name: string;
}

async function asPng(svg: string, { width, height }: Layout): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = scale * width;
  canvas.height = scale * height;
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the browser made no PNG')))),
  );
}

export function FigureExport({ figure, layout, name }: ExportProps) {
  const [error, setError] = useState<Error>();
  const place = useRef<HTMLSpanElement>(null);
  const text = () => {
    const palette = paletteAt(place.current!);
    return standalone(drawingOf(figure, layout, palette, document), figure, palette);
  };
  return (
    <span className="buttons" ref={place}>
      <button
        type="button"
        onClick={() => download(`${name}.svg`, new Blob([text()], { type: 'image/svg+xml' }))}
      >
        SVG
      </button>
      <button
        type="button"
        onClick={() => asPng(text(), layout).then((blob) => download(`${name}.png`, blob), setError)}
      >
        PNG
      </button>
      {error && <span role="alert">{error.message}</span>}
    </span>
  );
}
