/** The fix: what it comes to, beside what it was chosen from and what it is compared with. */
import * as Plot from '@observablehq/plot';
import { useMemo } from 'react';
import { type FixRecord, fixFinding, type MeasuredFix, signedPoints } from '../../../results.ts';
import { count, fixed, percent } from '../../format.ts';
import { Against } from '../../parts/against.tsx';
import { Figure } from '../../parts/figure.tsx';
import { Scroll } from '../../parts/scroll.tsx';
import { Sentence } from '../../parts/sentence.tsx';
import type { Route } from '../../routes.ts';

type Tally = Pick<MeasuredFix, 'completions' | 'coherent' | 'positives'>;

/** Share of coherent completions that show the behaviour; undefined where none is coherent. */
const shareOf = ({ coherent, positives }: Tally) => (coherent === 0 ? undefined : positives / coherent);
const incoherentOf = ({ completions, coherent }: Tally) => 1 - coherent / completions;

const kinds = {
  unsteered: 'unsteered',
  fix: 'the fix',
  tried: 'latents held',
  random: 'random latents held',
  other: 'compared with',
} as const;
type Kind = keyof typeof kinds;

interface Point {
  readonly name: string;
  readonly kind: Kind;
  readonly share: number;
  readonly incoherent: number;
}

function pointOf(name: string, kind: Kind, tally: Tally): Point[] {
  const share = shareOf(tally);
  return share === undefined ? [] : [{ name, kind, share, incoherent: incoherentOf(tally) }];
}

const isSame = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((x, i) => x === b[i]);

function searchedPoints({ search, fix }: FixRecord): Point[] {
  return [
    ...pointOf(kinds.unsteered, 'unsteered', search.unsteered),
    ...search.sets.flatMap((set) => {
      const taken = fix !== null && set.operation === fix.operation && isSame(set.latents, fix.latents);
      const done = set.operation === 'remove' ? 'removed' : 'capped';
      return pointOf(`${set.latents.join(' + ')} ${done}`, taken ? 'fix' : 'tried', set);
    }),
  ];
}

const measuredKind = ({ role }: MeasuredFix): Kind => (role === 'fix' || role === 'random' ? role : 'other');

const measuredPoints = ({ arms, unsteered }: NonNullable<FixRecord['measured']>): Point[] => [
  ...pointOf(kinds.unsteered, 'unsteered', unsteered),
  ...arms.flatMap((arm) => pointOf(arm.name, measuredKind(arm), arm)),
];

const looks: Record<
  Kind,
  { readonly stroke: string; readonly fill: string; readonly symbol: Plot.SymbolType }
> = {
  unsteered: { stroke: 'var(--text)', fill: 'var(--text)', symbol: 'circle' },
  fix: { stroke: 'var(--accent)', fill: 'var(--accent)', symbol: 'star' },
  tried: { stroke: 'var(--accent)', fill: 'none', symbol: 'circle' },
  random: { stroke: 'var(--quiet)', fill: 'none', symbol: 'circle' },
  other: { stroke: 'var(--warn)', fill: 'none', symbol: 'square' },
};

const described = ({ name, share, incoherent }: Point) =>
  `${name}\nshows it ${percent(share)}\nincoherent ${percent(incoherent)}`;

function plotOf(points: readonly Point[], most: number, behaviour: string): Plot.PlotOptions {
  return {
    height: 300,
    marginBottom: 42,
    marginLeft: 48,
    x: {
      domain: [0, 1],
      ticks: 5,
      tickFormat: (x: number) => percent(x),
      label: `${behaviour}, of coherent answers`,
    },
    y: { domain: [0, most], ticks: 5, tickFormat: (y: number) => percent(y), label: 'incoherent' },
    marks: [
      ...Object.entries(looks).map(([kind, { stroke, fill, symbol }]) =>
        Plot.dot(
          points.filter((point) => point.kind === kind),
          { x: 'share', y: 'incoherent', symbol, stroke, fill, strokeWidth: 1.5, r: kind === 'fix' ? 6 : 4 },
        ),
      ),
      Plot.tip(points, Plot.pointer({ x: 'share', y: 'incoherent', title: described })),
    ],
  };
}

const Key = ({ shown }: { readonly shown: ReadonlySet<Kind> }) => (
  <p className="legend">
    {(Object.keys(kinds) as Kind[])
      .filter((kind) => shown.has(kind))
      .map((kind) => (
        <span key={kind}>
          <svg className="fix-key" viewBox="-7 -7 14 14" aria-hidden="true">
            <Mark kind={kind} />
          </svg>{' '}
          {kinds[kind]}
        </span>
      ))}
  </p>
);

function Mark({ kind }: { readonly kind: Kind }) {
  const { stroke, fill, symbol } = looks[kind];
  const drawn = { stroke, fill, strokeWidth: 1.5 };
  if (symbol === 'star')
    return <path d="M0-6 1.4-1.9 5.7-1.9 2.2.7 3.5 4.9 0 2.3-3.5 4.9-2.2.7-5.7-1.9-1.4-1.9Z" {...drawn} />;
  return symbol === 'square' ? (
    <rect x="-4" y="-4" width="8" height="8" {...drawn} />
  ) : (
    <circle r="4" {...drawn} />
  );
}

/** What each set costs in coherence, and what it takes of the behaviour: best is lower left. */
function TradeOff({ record }: { readonly record: FixRecord }) {
  const { behaviour, measured } = record;
  const searched = useMemo(() => searchedPoints(record), [record]);
  const compared = useMemo(() => (measured === null ? [] : measuredPoints(measured)), [measured]);
  const all = [...searched, ...compared];
  const most = Math.min(1, Math.max(0.1, ...all.map(({ incoherent }) => incoherent)) * 1.06);
  const drawn = useMemo(
    () => [plotOf(searched, most, behaviour), plotOf(compared, most, behaviour)] as const,
    [searched, compared, most, behaviour],
  );
  return (
    <>
      <Key shown={new Set(all.map(({ kind }) => kind))} />
      <div className="small-multiples fix">
        <figure>
          <figcaption>Searched: {count(record.search.prompts)} calibration prompts</figcaption>
          <Figure
            label="Every set that was tried: what it leaves of the behaviour, and incoherent answers"
            plot={drawn[0]}
          />
        </figure>
        {measured !== null && (
          <figure>
            <figcaption>Measured: {count(measured.prompts)} other prompts</figcaption>
            <Figure label="The fix beside what it is compared with, on other prompts" plot={drawn[1]} />
          </figure>
        )}
      </div>
    </>
  );
}

const shareText = (tally: Tally) => {
  const share = shareOf(tally);
  return share === undefined ? '–' : percent(share);
};

const changeOf = ({ effect, low, high }: MeasuredFix) =>
  effect === null
    ? '–'
    : `${signedPoints(effect)}${low === null ? '' : ` [${signedPoints(low)}, ${signedPoints(high)}]`}`;

type Collateral = NonNullable<FixRecord['collateral']>;

/** What an arm does to ordinary texts; empty for one that was not tried on them. */
const OnText = ({ text }: { readonly text: Collateral['arms'][number] | undefined }) => (
  <>
    <td className="num">{text && fixed(text.loss, 3)}</td>
    <td className="num">{text?.agreement == null ? '' : percent(text.agreement, 1)}</td>
    <td className="num">{text?.divergence == null ? '' : text.divergence.toPrecision(2)}</td>
  </>
);

function Arms({
  measured,
  collateral,
}: Pick<FixRecord, 'collateral'> & { readonly measured: NonNullable<FixRecord['measured']> }) {
  const onText = new Map(collateral?.arms.map((arm) => [arm.name, arm]));
  const arms = measured.arms.filter(({ role }) => role !== 'random');
  return (
    <Scroll label="The fix beside what it is compared with">
      <table>
        <thead>
          <tr>
            <td />
            <th className="num">shows it</th>
            <th className="num">change, points</th>
            <th className="num">of the way</th>
            <th className="num">incoherent</th>
            <th className="num">tokens</th>
            {collateral && (
              <>
                <th className="num">loss on texts</th>
                <th className="num">same next token</th>
                <th className="num">divergence</th>
              </>
            )}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">unsteered</th>
            <td className="num">{shareText(measured.unsteered)}</td>
            <td />
            <td />
            <td className="num">{percent(incoherentOf(measured.unsteered))}</td>
            <td />
            {collateral && (
              <>
                <td className="num">{fixed(collateral.loss, 3)}</td>
                <td />
                <td />
              </>
            )}
          </tr>
          {arms.map((arm) => (
            <tr key={arm.name} className={arm.role === 'fix' ? 'strong' : undefined}>
              <th scope="row">{arm.name}</th>
              <td className="num">{shareText(arm)}</td>
              <td className="num">{changeOf(arm)}</td>
              <td className="num">{arm.way === null ? '' : percent(arm.way)}</td>
              <td className="num">{percent(incoherentOf(arm))}</td>
              <td className="num">{arm.mean_tokens === null ? '' : fixed(arm.mean_tokens, 0)}</td>
              {collateral && <OnText text={onText.get(arm.name)} />}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

interface FixSectionProps {
  readonly record: FixRecord;
  /** why it is of an earlier state of the study, where it is */
  readonly stale: string | undefined;
  readonly route: Route;
}

export function FixSection({ record, stale, route }: FixSectionProps) {
  const { lead, besides, against } = fixFinding(record);
  return (
    <>
      <p>
        {stale !== undefined && 'Of an earlier state of the study: '}
        <Sentence text={lead} route={route} />
      </p>
      {besides !== undefined && (
        <p>
          <Sentence text={besides} route={route} />
        </p>
      )}
      <Against texts={against} route={route} />
      <section className="screen-only">
        <TradeOff record={record} />
        {record.measured !== null && <Arms measured={record.measured} collateral={record.collateral} />}
      </section>
      <p className="quiet screen-only">
        The set with the least share of the behaviour is taken, among those with at most{' '}
        {percent(record.search.limit)} incoherent answers on the calibration prompts. `culprit export --to
        transformers` writes it as a hook for PyTorch.
      </p>
    </>
  );
}
