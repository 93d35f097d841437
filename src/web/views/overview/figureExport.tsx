/**
 * The figure as a file to keep, SVG or PNG: drawn again on white, whatever the page's theme, with what it is of above
 * it.
 */
import { useState } from 'react';
import { drawingOf, headingHeight, standalone } from '../../../figure/drawing.ts';
import type { SteeringFigure } from '../../../figure/figureData.ts';
import type { Layout } from '../../../figure/layout.ts';
import { paper } from '../../../figure/palette.ts';
import { download } from '../../parts/download.ts';

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
  canvas.height = scale * (height + headingHeight);
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the browser made no PNG')))),
  );
}

export function FigureExport({ figure, layout, name }: ExportProps) {
  const [error, setError] = useState<Error>();
  const text = () => standalone(drawingOf(figure, layout, paper, document), figure, layout);
  return (
    <span className="buttons">
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
