/**
 * Dose curves drawn: share positive, share coherent and mean length by dose, with the numbers behind them.
 */
import * as Plot from '@observablehq/plot';
import { useMemo } from 'react';
import { count, fixed, percent, plural, signed } from '../format.ts';
import type { DosePoint } from './doses.ts';
import { Figure } from './figure.tsx';
import { Scroll } from './scroll.tsx';

interface Measure {
  readonly title: string;
  /** what a point's value is of: `40 of 102 coherent, of 180 completions` */
  readonly of: (point: DosePoint) => string;
  /** undefined where nothing was measured */
  readonly value: (point: DosePoint) => number | undefined;
  readonly plot: Plot.ScaleOptions;
  readonly format: (value: number) => string;
}

const measures: readonly Measure[] = [
  {
    title: 'share positive, of the coherent',
    value: ({ positives, coherent }) => (coherent === 0 ? undefined : positives / coherent),
    of: ({ positives, coherent, completions }) =>
      `${count(positives)} of ${count(coherent)} coherent, of ${plural(completions, 'completion')}`,
    plot: { domain: [0, 100], percent: true, tickFormat: (share: number) => `${share} %` },
    format: percent,
  },
  {
    title: 'share coherent',
    value: ({ coherent, judged }) => (judged === 0 ? undefined : coherent / judged),
    of: ({ coherent, judged, completions }) =>
      `${count(coherent)} of ${count(judged)} judged, of ${plural(completions, 'completion')}`,
    plot: { domain: [0, 100], percent: true, tickFormat: (share: number) => `${share} %` },
    format: percent,
  },
  {
    title: 'mean length, tokens',
    value: ({ tokens }) => tokens,
    of: ({ completions }) => `mean over ${plural(completions, 'completion')}`,
    plot: { zero: true },
    format: (value) => fixed(value, 1),
  },
];

const colours = { away: 'var(--below-rgb)', toward: 'var(--above-rgb)' };

const doseText = (dose: number) => (dose === 0 ? 'unsteered' : `${signed(dose, 2)} s`);

const described =
  ({ format, value, of }: Measure) =>
  (point: DosePoint) =>
    [
      `${point.side}, ${doseText(point.dose)}: ${format(value(point)!)}`,
      `${of(point)}; ${point.set} prompts`,
    ].join('\n');

function plotOf(measure: Measure, points: readonly DosePoint[]): Plot.PlotOptions {
  const shown = points.filter((point) => measure.value(point) !== undefined);
  const most = Math.max(...points.map(({ dose }) => Math.abs(dose)));
  const place = {
    x: 'dose',
    y: measure.value,
    stroke: ({ side }: DosePoint) => colours[side],
  } as const;
  return {
    height: 200,
    marginLeft: 46,
    marginBottom: 40,
    marginTop: 12,
    x: {
      domain: [-most, most],
      label: 'dose, parts of s',
      tickFormat: (dose: number) => signed(dose, 1),
      ticks: 5,
    },
    y: { label: null, grid: true, ticks: 4, ...measure.plot },
    marks: [
      Plot.ruleX([0], { stroke: 'var(--line)' }),
      Plot.line(shown, {
        ...place,
        z: ({ side, set }: DosePoint) => `${side} ${set}`,
        strokeDasharray: '1 3',
      }),
      Plot.dot(shown, {
        ...place,
        r: 4,
        fill: ({ set, side }: DosePoint) => (set === 'evaluation' ? colours[side] : 'var(--page)'),
      }),
      Plot.tip(shown, Plot.pointer({ x: 'dose', y: measure.value, title: described(measure) })),
    ],
  };
}

const Numbers = ({ points }: { readonly points: readonly DosePoint[] }) => (
  <details>
    <summary>The numbers</summary>
    <Scroll label="Numbers of the dose curves">
      <table>
        <thead>
          <tr>
            <th scope="col">side</th>
            <th scope="col">prompts</th>
            <th scope="col" className="num">
              dose
            </th>
            <th scope="col" className="num">
              completions
            </th>
            <th scope="col" className="num">
              coherent
            </th>
            <th scope="col" className="num">
              positive
            </th>
            <th scope="col" className="num">
              mean tokens
            </th>
          </tr>
        </thead>
        <tbody>
          {points.map((point) => (
            <tr key={`${point.side} ${point.set} ${point.dose}`}>
              <td>{point.side}</td>
              <td>{point.set}</td>
              <td className="num">{doseText(point.dose)}</td>
              <td className="num">{count(point.completions)}</td>
              <td className="num">{point.judged === 0 ? 'not judged' : count(point.coherent)}</td>
              <td className="num">{point.judged === 0 ? 'not judged' : count(point.positives)}</td>
              <td className="num">{fixed(point.tokens, 1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  </details>
);

const Key = () => (
  <p className="legend">
    <span>
      <span className="key" style={{ color: colours.away }} /> away, on the subject
    </span>
    <span>
      <span className="key" style={{ color: colours.toward }} /> toward, on the reference
    </span>
    <span>
      <span className="key quiet" /> evaluation prompts
    </span>
    <span>
      <span className="key hollow quiet" /> calibration prompts
    </span>
  </p>
);

export function DoseCurves({ points }: { readonly points: readonly DosePoint[] }) {
  const plots = useMemo(() => measures.map((measure) => plotOf(measure, points)), [points]);
  return (
    <>
      <Key />
      <div className="small-multiples">
        {measures.map(({ title }, i) => (
          <figure key={title}>
            <figcaption>{title}</figcaption>
            <Figure label={`${title} by dose; the numbers stand in the table below`} plot={plots[i]!} />
          </figure>
        ))}
      </div>
      <Numbers points={points} />
    </>
  );
}
