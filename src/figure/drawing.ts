/**
 * The main figure of a causal test as an SVG element: a dot per latent, across how much the subject's share
 * of positives changes when it is steered away, upward how much the reference's changes when it is steered
 * toward; shaded, what random latents do. Knows neither files nor pages: the document that makes the elements
 * is passed in.
 */
import * as Plot from '@observablehq/plot';
import type { SteeringFigure } from './figureData.ts';
import { barMarks, dotMarks, leaderMark, numberMark, placeNumbers, randomMark } from './latentMarks.ts';
import type { Layout } from './layout.ts';
import type { Palette } from './palette.ts';
import { cleaned, signedNumber } from './text.ts';
import { wordMarks } from './wordsAround.ts';
import { zoneMarks } from './zoneMarks.ts';

export type Drawing = ReturnType<typeof Plot.plot>;

const fontFamily = "'Open Sans', 'Helvetica Neue', Helvetica, Arial, sans-serif";
/** Pixels of an axis that is too short for as many ticks as another. */
const short = 400;

function marksOf(figure: SteeringFigure, { axes, labelled, words }: Layout, palette: Palette) {
  const numbers = placeNumbers(figure, labelled, axes);
  const zeroLine = { stroke: palette.zero, className: 'zero' };
  return [
    ...zoneMarks(figure, palette),
    Plot.frame({ stroke: palette.frame }),
    Plot.ruleX([0], zeroLine),
    Plot.ruleY([0], zeroLine),
    ...dotMarks(figure, false, palette),
    randomMark(figure, palette),
    ...barMarks(labelled, palette),
    leaderMark(numbers, palette),
    ...dotMarks(figure, true, palette),
    numberMark(numbers, palette),
    ...wordMarks(words, palette),
  ];
}

/** Without a style sheet; letters without a colour of their own have that of the drawing's place. */
export function drawingOf(
  figure: SteeringFigure,
  layout: Layout,
  palette: Palette,
  document: NonNullable<Plot.PlotOptions['document']>,
): Drawing {
  const { axes, words } = layout;
  const { width, height, frame } = words;
  const axis = (length: number) => ({ label: null, tickFormat: signedNumber, ticks: length < short ? 5 : 9 });
  const svg = Plot.plot({
    document,
    className: 'steering',
    width,
    height,
    marginLeft: frame.left,
    marginTop: frame.top,
    marginRight: width - frame.right,
    marginBottom: height - frame.bottom,
    x: { domain: axes.x, ...axis(frame.right - frame.left) },
    y: { domain: axes.y, ...axis(frame.bottom - frame.top) },
    marks: marksOf(figure, layout, palette),
  });
  svg.querySelector('style')?.remove();
  svg.setAttribute('font-family', fontFamily);
  svg.setAttribute('font-size', '11.5');
  return svg;
}

/**
 * The text of a file that holds the drawing alone: with its namespace, a title, a ground, and the colour of
 * its letters.
 */
export function standalone(svg: Drawing, { behaviour }: SteeringFigure, { page, text }: Palette): string {
  const made = (name: string, attributes: Readonly<Record<string, string>>) => {
    const node = svg.ownerDocument.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const title = made('title', {});
  title.textContent = `Steering: change in share of ${cleaned(behaviour)}`;
  svg.prepend(title, made('rect', { width: '100%', height: '100%', fill: page }));
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  if (text !== 'currentColor') svg.setAttribute('color', text);
  return `${svg.outerHTML}\n`;
}
