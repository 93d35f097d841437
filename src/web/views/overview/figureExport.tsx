/** A figure on the page as an SVG or PNG file that looks the same by itself. */
import { type RefObject, useState } from 'react';
import { download } from '../../parts/download.ts';

/** What makes an SVG look as it does, and stands in style sheets on a page. */
const looks = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'opacity',
  'font-size',
  'font-weight',
];
const font = 'system-ui, sans-serif';
const scale = 3;

/** The drawing with every look written at its element, on the page's background. */
function standalone(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const originals = [svg, ...svg.querySelectorAll('*')];
  for (const [i, element] of [copy, ...copy.querySelectorAll('*')].entries()) {
    const style = getComputedStyle(originals[i]!);
    for (const look of looks) element.setAttribute(look, style.getPropertyValue(look));
    for (const name of ['class', 'href', 'aria-label', 'draggable', 'role', 'style'])
      element.removeAttribute(name);
  }
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('viewBox', `0 0 ${svg.width.baseVal.value} ${svg.height.baseVal.value}`);
  copy.setAttribute('font-family', font);
  const ground = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  ground.setAttribute('width', '100%');
  ground.setAttribute('height', '100%');
  ground.setAttribute('fill', getComputedStyle(document.body).backgroundColor);
  copy.prepend(ground);
  return new XMLSerializer().serializeToString(copy);
}

async function asPng(svg: SVGSVGElement): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(svg))}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = scale * svg.width.baseVal.value;
  canvas.height = scale * svg.height.baseVal.value;
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the browser made no PNG')))),
  );
}

export function FigureExport({ svg, name }: { svg: RefObject<SVGSVGElement | null>; name: string }) {
  const [error, setError] = useState<Error>();
  return (
    <span className="buttons">
      <button
        type="button"
        onClick={() =>
          download(`${name}.svg`, new Blob([standalone(svg.current!)], { type: 'image/svg+xml' }))
        }
      >
        SVG
      </button>
      <button
        type="button"
        onClick={() => asPng(svg.current!).then((blob) => download(`${name}.png`, blob), setError)}
      >
        PNG
      </button>
      {error && <span role="alert">{error.message}</span>}
    </span>
  );
}
