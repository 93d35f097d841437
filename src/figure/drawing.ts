/**
 * The main figure of a causal test as an SVG element: a row per direction, a panel for what is removed, steered
 * away and steered toward; each effect with its interval, on the gray zone of what random latents do. Knows
 * neither files nor pages: the document that makes the elements is passed in.
 */
import * as Plot from '@observablehq/plot';
import { dotMarks, gapMark, groundMarks, rowMarks } from './effectMarks.ts';
import type { SteeringFigure } from './figureData.ts';
import type { Layout } from './layout.ts';
import { type Palette, paper } from './palette.ts';
import { cleaned } from './text.ts';
import { wordMarks } from './wordMarks.ts';

export type Drawing = ReturnType<typeof Plot.plot>;

const fontFamily = "'Open Sans', 'Helvetica Neue', Helvetica, Arial, sans-serif";

/** Without a style sheet; letters without a colour of their own have that of the drawing's place. */
export function drawingOf(
  figure: SteeringFigure,
  layout: Layout,
  palette: Palette,
  document: NonNullable<Plot.PlotOptions['document']>,
): Drawing {
  const { width, height } = layout;
  const svg = Plot.plot({
    document,
    className: 'steering',
    width,
    height,
    margin: 0,
    x: { type: 'identity', axis: null },
    y: { type: 'identity', axis: null },
    marks: [
      ...groundMarks(figure, layout, palette),
      gapMark(figure, layout, palette),
      ...dotMarks(layout, palette),
      ...rowMarks(layout, palette),
      ...wordMarks(layout, palette),
    ],
  });
  svg.querySelector('style')?.remove();
  svg.setAttribute('font-family', fontFamily);
  svg.setAttribute('font-size', '11.5');
  return svg;
}

/** Room above the drawing for what it is of, where no page says it: pixels. */
export const headingHeight = 26;

/**
 * The text of a file that holds a drawing on paper alone: with its namespace, a title that is seen too, and a ground. It
 * is `headingHeight` higher than the drawing.
 */
export function standalone(
  svg: Drawing,
  { behaviour }: SteeringFigure,
  { width, height }: Pick<Layout, 'width' | 'height'>,
): string {
  const made = (name: string, attributes: Readonly<Record<string, string>>, content = '') => {
    const node = svg.ownerDocument.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = content;
    return node;
  };
  const whole = height + headingHeight;
  const drawn = made('g', { transform: `translate(0,${headingHeight})` });
  drawn.append(...svg.childNodes);
  const named = `Causal test: change in share of ${cleaned(behaviour)}`;
  svg.append(
    made('title', {}, named),
    made('rect', { width: '100%', height: '100%', fill: paper.page }),
    made('text', { x: '16', y: '19', 'font-size': '14', 'text-anchor': 'start', fill: paper.text }, named),
    drawn,
  );
  svg.setAttribute('height', `${whole}`);
  svg.setAttribute('viewBox', `0 0 ${width} ${whole}`);
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return `${svg.outerHTML}\n`;
}
