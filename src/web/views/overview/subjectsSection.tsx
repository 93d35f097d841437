/** The same latents in several subjects, such as the checkpoints of a fine-tune. */
import * as Plot from '@observablehq/plot';
import { useMemo, useState } from 'react';
import {
  type CheckpointEstimate,
  type CheckpointSubject,
  type CheckpointsRecord,
  checkpointShare,
  checkpointsFinding,
  estimatePoints,
  leadingPlace,
} from '../../../results.ts';
import { fixed, percent } from '../../format.ts';
import { Against } from '../../parts/against.tsx';
import { Figure } from '../../parts/figure.tsx';
import { Scroll } from '../../parts/scroll.tsx';
import { Segments } from '../../parts/segments.tsx';
import { Sentence } from '../../parts/sentence.tsx';
import type { Route } from '../../routes.ts';

const arms = ['unsteered', 'removed', 'steered away', 'steered toward'] as const;
type Arm = (typeof arms)[number];

const colours: Readonly<Record<Arm, string>> = {
  unsteered: 'var(--text)',
  removed: 'var(--accent)',
  'steered away': 'var(--below-rgb)',
  'steered toward': 'var(--above-rgb)',
};

/** Hollow, on broken lines: two of the arms have one hue. */
const isSteered = (arm: Arm) => arm.startsWith('steered');
const fillOf = (arm: Arm) => (isSteered(arm) ? 'var(--page)' : colours[arm]);

interface Share {
  readonly subject: string;
  readonly arm: Arm;
  readonly share: number;
}

function sharesOf({ subjects }: CheckpointsRecord, k: number): Share[] {
  return subjects.flatMap(({ name, unsteered, latents }) => {
    const { remove, away, toward } = latents[k]!;
    return [unsteered, remove, away, toward].flatMap((tally, i) => {
      const share = checkpointShare(tally);
      return share === null ? [] : [{ subject: name, arm: arms[i]!, share }];
    });
  });
}

const axes = (names: readonly string[]) => ({
  height: 240,
  marginLeft: 52,
  marginBottom: 44,
  x: { type: 'point' as const, domain: [...names], label: null, padding: 0.5 },
});

function sharesPlot(shares: readonly Share[], names: readonly string[]): Plot.PlotOptions {
  const place = { x: 'subject', y: 'share', stroke: ({ arm }: Share) => colours[arm] } as const;
  return {
    ...axes(names),
    y: { domain: [0, 1], ticks: 5, grid: true, tickFormat: (y: number) => percent(y), label: null },
    marks: [
      Plot.line(
        shares.filter(({ arm }) => !isSteered(arm)),
        { ...place, z: 'arm' },
      ),
      Plot.line(
        shares.filter(({ arm }) => isSteered(arm)),
        { ...place, z: 'arm', strokeDasharray: '3 3' },
      ),
      Plot.dot(shares, { ...place, r: 3.5, strokeWidth: 1.5, fill: ({ arm }: Share) => fillOf(arm) }),
      Plot.tip(
        shares,
        Plot.pointer({
          x: 'subject',
          y: 'share',
          title: ({ subject, arm, share }: Share) => `${subject}, ${arm}: ${percent(share)}`,
        }),
      ),
    ],
  };
}

interface Removal extends CheckpointEstimate {
  readonly subject: string;
  readonly from: number | null;
  readonly to: number | null;
}

const removalsOf = ({ subjects }: CheckpointsRecord, k: number): Removal[] =>
  subjects.map(({ name, latents, random }) => ({
    subject: name,
    ...latents[k]!.remove.effect,
    from: random.low,
    to: random.high,
  }));

function removalsPlot(removals: readonly Removal[], names: readonly string[]): Plot.PlotOptions {
  const known = removals.filter(({ value }) => value !== null);
  return {
    ...axes(names),
    y: { grid: true, ticks: 5, label: null, percent: true, nice: true },
    marks: [
      Plot.ruleY([0], { stroke: 'var(--quiet)' }),
      Plot.link(
        removals.filter(({ from }) => from !== null),
        { x: 'subject', y1: 'from', y2: 'to', stroke: 'var(--line)', strokeWidth: 16 },
      ),
      Plot.link(known, { x: 'subject', y1: 'low', y2: 'high', stroke: 'var(--accent)', strokeWidth: 1.5 }),
      Plot.dot(known, { x: 'subject', y: 'value', r: 4, fill: 'var(--accent)' }),
      Plot.tip(
        known,
        Plot.pointer({
          x: 'subject',
          y: 'value',
          title: (one: Removal) => `${one.subject}: ${estimatePoints(one)} points`,
        }),
      ),
    ],
  };
}

const Key = () => (
  <p className="legend">
    {arms.map((arm) => (
      <span key={arm}>
        <svg className="fix-key" viewBox="-7 -7 14 14" aria-hidden="true">
          <circle r="4" fill={fillOf(arm)} stroke={colours[arm]} strokeWidth="1.5" />
        </svg>{' '}
        {arm}
      </span>
    ))}
  </p>
);

function Row({ subject, k }: { readonly subject: CheckpointSubject; readonly k: number }) {
  const { name, unsteered, latents } = subject;
  const { activation, remove, diffing, matched } = latents[k]!;
  const share = checkpointShare(unsteered);
  const points = (estimate: CheckpointEstimate) => (estimate.value === null ? '–' : estimatePoints(estimate));
  return (
    <tr>
      <th scope="row">{name}</th>
      <td className="num">{share === null ? '–' : percent(share)}</td>
      <td className="num">{percent(1 - unsteered.coherent / unsteered.completions)}</td>
      <td className="num">{activation.value === null ? '–' : fixed(activation.value, 2)}</td>
      <td className="num">{points(remove.effect)}</td>
      <td className="num">{points(diffing)}</td>
      <td className="num">{points(matched)}</td>
    </tr>
  );
}

const Table = ({ record, k }: { readonly record: CheckpointsRecord; readonly k: number }) => (
  <Scroll label="The subjects compared">
    <table>
      <thead>
        <tr>
          <td />
          <th className="num">shows it</th>
          <th className="num">incoherent</th>
          <th className="num">along the latent</th>
          <th className="num">removed, points</th>
          <th className="num">toward − away, points</th>
          <th className="num">at the same length</th>
        </tr>
      </thead>
      <tbody>
        {record.subjects.map((subject) => (
          <Row key={subject.name} subject={subject} k={k} />
        ))}
      </tbody>
    </table>
  </Scroll>
);

interface SubjectsSectionProps {
  readonly record: CheckpointsRecord;
  readonly route: Route;
}

export function SubjectsSection({ record, route }: SubjectsSectionProps) {
  const [k, setK] = useState(leadingPlace(record));
  const { lead, against } = useMemo(() => checkpointsFinding(record), [record]);
  const { latent } = record.latents[k]!;
  const plots = useMemo(() => {
    const names = record.subjects.map(({ name }) => name);
    return [sharesPlot(sharesOf(record, k), names), removalsPlot(removalsOf(record, k), names)] as const;
  }, [record, k]);
  return (
    <>
      <p>
        <Sentence text={lead} route={route} />
      </p>
      <section className="screen-only">
        {record.latents.length > 1 && (
          <Segments
            label="Which latent"
            choices={record.latents.map((one) => `${one.latent}`)}
            chosen={`${latent}`}
            onChoose={(choice) => setK(record.latents.findIndex((one) => `${one.latent}` === choice))}
            nameOf={(choice) => `latent ${choice}`}
          />
        )}
        <Key />
        <div className="small-multiples compared-subjects">
          <figure>
            <figcaption>{record.behaviour}, of coherent answers</figcaption>
            <Figure
              label="Share of positive answers by subject: unsteered, removed, steered"
              plot={plots[0]}
            />
          </figure>
          <figure>
            <figcaption>Latent {latent} removed, points; grey: random latents</figcaption>
            <Figure label="Change by removal by subject, beside random latents" plot={plots[1]} />
          </figure>
        </div>
        <Table record={record} k={k} />
        <Against texts={against} route={route} />
      </section>
    </>
  );
}
