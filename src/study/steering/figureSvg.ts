/**
 * The main figure of a steering study, as SVG: a dot a latent, across how much the subject's share of positives changes when it is steered away,
 * upward how much the reference's changes when it is steered toward; shaded, what random latents do. Pure: the same figure gives the same text.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { checkFigure, type SteeringFigure } from '../../figure/figureData.ts';
import { type Axes, domainsOf } from '../../figure/frame.ts';
import {
  barMarks,
  dotMarks,
  leaderMark,
  numberMark,
  placeNumbers,
  randomMark,
} from '../../figure/latentMarks.ts';
import { farthest } from '../../figure/leaving.ts';
import { seriesOf } from '../../figure/series.ts';
import { cleaned, signed } from '../../figure/text.ts';
import { type Words, wordMarks, wordsAround } from '../../figure/wordsAround.ts';
import { zoneMarks } from '../../figure/zoneMarks.ts';

export type { FigurePoint, SteeringFigure } from '../../figure/figureData.ts';
export { steeringPng } from './figurePng.ts';

const fontFamily = "'Open Sans', 'Helvetica Neue', Helvetica, Arial, sans-serif";
const zeroLine = { stroke: '#444444', className: 'zero' };

function marksOf(figure: SteeringFigure, axes: Axes, words: Words): Plot.Markish[] {
  const series = seriesOf(figure);
  const labelled = farthest(figure);
  const numbers = placeNumbers(figure, labelled, axes);
  return [
    ...zoneMarks(figure),
    Plot.frame({ stroke: '#888888' }),
    Plot.ruleX([0], zeroLine),
    Plot.ruleY([0], zeroLine),
    ...dotMarks(series, false, figure),
    randomMark(figure.random),
    ...barMarks(labelled),
    leaderMark(numbers),
    ...dotMarks(series, true, figure),
    numberMark(numbers),
    ...wordMarks(words),
  ];
}

/** What an SVG needs to stand in a file of its own: its namespace, a title, a white ground, no style sheet. */
function standalone(svg: ReturnType<typeof Plot.plot>, { behaviour }: SteeringFigure): string {
  const made = (name: string, attributes: Readonly<Record<string, string>>) => {
    const node = svg.ownerDocument.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  svg.querySelector('style')?.remove();
  const title = made('title', {});
  title.textContent = `Steering: change in share of ${cleaned(behaviour)}`;
  svg.prepend(title, made('rect', { width: '100%', height: '100%', fill: 'white' }));
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('font-family', fontFamily);
  svg.setAttribute('font-size', '11.5');
  return `${svg.outerHTML}\n`;
}

/** The figure's SVG text, 720 pixels wide. Throws where there are no proposed latents, no random ones, or a number that is none. */
export function steeringSvg(figure: SteeringFigure): string {
  checkFigure(figure);
  const labelled = farthest(figure);
  const words = wordsAround(figure, labelled);
  const { width, height, frame } = words;
  const axes: Axes = { ...domainsOf(figure, labelled), frame };
  const axis = { label: null, tickFormat: signed, ticks: 9 };
  const svg = Plot.plot({
    document: parseHTML('<!doctype html><body></body>').document as never,
    className: 'steering',
    width,
    height,
    marginLeft: frame.left,
    marginTop: frame.top,
    marginRight: width - frame.right,
    marginBottom: height - frame.bottom,
    x: { domain: axes.x, ...axis },
    y: { domain: axes.y, ...axis },
    marks: marksOf(figure, axes, words),
  });
  return standalone(svg, figure);
}
