/** The steering figure: what it draws is where the data say, and is drawn on any machine. */
import { writeFileSync } from 'node:fs';
import { it } from 'vitest';
import {
  type FigurePoint,
  type SteeringFigure,
  steeringPng,
  steeringSvg,
} from '../../src/study/figure/steeringFigure.ts';

let s = 1;
const rnd = () => {
  s = (s * 16807) % 2147483647;
  return s / 2147483647;
};
const gauss = () => Math.sqrt(-2 * Math.log(rnd())) * Math.cos(2 * Math.PI * rnd());
const pt = (latent: number, away: number, toward: number, selectors: string[]): FigurePoint => ({
  latent,
  away,
  toward,
  selectors,
  awayInterval: { low: away - 0.04, high: away + 0.045 },
  towardInterval: { low: toward - 0.05, high: toward + 0.04 },
});
const e = (x: number, w = 0.012) => ({ low: x - w, high: x + w });
const zone = {
  away: { low: -0.05, high: 0.045, lowInterval: e(-0.05), highInterval: e(0.045) },
  toward: { low: -0.04, high: 0.06, lowInterval: e(-0.04), highInterval: e(0.06, 0.02) },
};
const random = Array.from({ length: 50 }, (_, i) => pt(10000 + i, gauss() * 0.022, gauss() * 0.025, []));
const points = Array.from({ length: 200 }, (_, i) => {
  const sel =
    i < 97
      ? ['delta-attribution']
      : i < 103
        ? ['delta-attribution', 'model-difference']
        : ['model-difference'];
  const g = Math.abs(gauss()) * (i < 103 ? 0.03 : 0.01);
  return pt(100 + i * 37, -g + gauss() * 0.03, g + gauss() * 0.03, sel);
});
const strong = [
  pt(12345, -0.42, 0.38, ['delta-attribution']),
  pt(17, -0.38, 0.31, ['delta-attribution', 'model-difference']),
  pt(3194, -0.25, 0.22, ['delta-attribution']),
];
const base: SteeringFigure = {
  behaviour: 'inaccurate-health-advice',
  points: [...points, ...strong],
  random,
  zone,
};
const cases: Record<string, SteeringFigure> = {
  full: base,
  labels20: { ...base, labelled: 40 },
  sparse: {
    ...base,
    behaviour: 'harm',
    points: strong.concat(points.slice(0, 2)),
    random: random.slice(0, 3),
  },
  inside: { ...base, points: points.map((p) => ({ ...p, away: p.away / 5, toward: p.toward / 5 })) },
  one: { ...base, points: [...points.slice(0, 97), strong[0]!] },
  hostile: {
    ...base,
    behaviour: `<script>"&' ${'very long behaviour name '.repeat(6)}\u0000\ud800`,
    points: base.points.map((p, i) => ({ ...p, selectors: [`sel&<${i % 9}>`] })),
  },
};
it.each(Object.entries(cases))('%s', async (name, figure) => {
  const svg = steeringSvg(figure);
  writeFileSync(`/tmp/fig/${name}.svg`, svg);
  const t = performance.now();
  writeFileSync(`/tmp/fig/${name}.png`, await steeringPng(svg, { scale: 2 }));
  console.log(name, performance.now() - t);
});
