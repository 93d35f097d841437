/** Whether the ranking is right: what first order says of removing latents beside what removing them does. */
import * as Plot from '@observablehq/plot';
import { useMemo } from 'react';
import type {
  AttributedOver,
  EstimateAgreement,
  FidelityGroup,
  FidelityLatent,
  FidelityRecord,
} from '../../../results.ts';
import { count, fixed, percent, plural, scientific } from '../../format.ts';
import { Figure } from '../../parts/figure.tsx';
import { Scroll } from '../../parts/scroll.tsx';
import { inStudy, type Route } from '../../routes.ts';

const colours = { top: 'var(--accent)', random: 'var(--warn)' };

const described = ({ latent, group, first_order, exact, fault }: FidelityLatent) =>
  [
    `${group === 'random' ? 'random latent' : 'latent'} ${latent}`,
    `first order ${scientific(first_order)}`,
    `removed ${scientific(exact)} nats`,
    ...(fault === null ? [] : [`first order: ${fault}`]),
  ].join('\n');

interface Range {
  readonly low: number;
  readonly high: number;
}

/** The range that both axes need for these latents, zero included, with some room. */
function rangeOf(latents: readonly FidelityLatent[]): Range {
  const values = [0, ...latents.flatMap(({ first_order, exact }) => [first_order, exact])];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = 0.06 * Math.max(high - low, 1e-9);
  return { low: low - room, high: high + room };
}

const widthOf = ({ low, high }: Range) => high - low;

function plotOf(all: readonly FidelityLatent[], { low, high }: Range): Plot.PlotOptions {
  const latents = all.filter(({ first_order, exact }) =>
    [first_order, exact].every((x) => x >= low && x <= high),
  );
  const ends = [low, 0, high];
  const axis = { domain: [low, high], ticks: 5, tickFormat: '~g' };
  return {
    height: 320,
    marginBottom: 40,
    marginLeft: 56,
    x: { ...axis, label: 'first order, nats' },
    y: { ...axis, label: 'removed, nats' },
    marks: [
      Plot.areaY(ends, { x: (x) => x, y1: (x) => x / 2, y2: (x) => 2 * x, fill: 'var(--zone)', clip: true }),
      Plot.ruleX([0], { stroke: 'var(--line)' }),
      Plot.ruleY([0], { stroke: 'var(--line)' }),
      Plot.line(ends, { x: (x) => x, y: (x) => x, stroke: 'var(--strong-line)', strokeDasharray: '4 3' }),
      Plot.dot(latents, {
        x: 'first_order',
        y: 'exact',
        r: 4,
        stroke: ({ group }: FidelityLatent) => colours[group],
        strokeWidth: 1.5,
        fill: ({ group, fault }: FidelityLatent) => (fault === null ? colours[group] : 'var(--page)'),
      }),
      Plot.tip(latents, Plot.pointer({ x: 'first_order', y: 'exact', title: described })),
    ],
  };
}

const Key = ({ random }: { readonly random: number }) => (
  <p className="legend">
    <span>
      <span className="key" style={{ color: colours.top }} /> first by Δ
    </span>
    {random > 0 && (
      <span>
        <span className="key" style={{ color: colours.random }} /> random
      </span>
    )}
    <span>
      <span className="key hollow" /> first order wrong
    </span>
    <span>
      <span className="key zone" /> right within a factor of 2; dashed: equal
    </span>
  </p>
);

function Scatter({ latents }: { readonly latents: readonly FidelityLatent[] }) {
  const random = useMemo(() => latents.filter(({ group }) => group === 'random'), [latents]);
  const whole = useMemo(() => plotOf(latents, rangeOf(latents)), [latents]);
  const near = useMemo(() => plotOf(latents, rangeOf(random)), [latents, random]);
  const zoomed = random.length > 0 && widthOf(rangeOf(random)) < 0.7 * widthOf(rangeOf(latents));
  return (
    <>
      <Key random={random.length} />
      <div className="small-multiples fidelity">
        <figure>
          <figcaption>All</figcaption>
          <Figure label="Effects of removing latents against what first order says of them" plot={whole} />
        </figure>
        {zoomed && (
          <figure>
            <figcaption>Near zero, where the random ones are</figcaption>
            <Figure label="The same near zero" plot={near} />
          </figure>
        )}
      </div>
    </>
  );
}

const decimals = (x: number | null) => (x === null ? '–' : fixed(x, 2));

interface RowProps {
  readonly name: string;
  readonly latents: number;
  readonly agreement: EstimateAgreement;
  /** none where it is not counted */
  readonly faults?: number;
}

const Row = ({ name, latents, agreement, faults }: RowProps) => (
  <tr>
    <th scope="row">{name}</th>
    <td className="num">{count(latents)}</td>
    <td className="num">{decimals(agreement.rank_correlation)}</td>
    <td className="num">{agreement.sign_agreement === null ? '–' : percent(agreement.sign_agreement)}</td>
    <td className="num">{decimals(agreement.slope)}</td>
    <td className="num">{faults === undefined ? '' : count(faults)}</td>
  </tr>
);

const Rows = ({ name, group }: { readonly name: string; readonly group: FidelityGroup }) => (
  <>
    {group.latents > 0 && (
      <Row
        name={`${name}: first order`}
        latents={group.latents}
        agreement={group.first_order}
        faults={group.faults}
      />
    )}
    {group.integrated && (
      <Row
        name={`${name}: integrated gradients`}
        latents={group.integrated.latents}
        agreement={group.integrated}
      />
    )}
  </>
);

function Wrong({ latents, route }: { readonly latents: readonly FidelityLatent[]; readonly route: Route }) {
  const wrong = latents.filter(({ group, fault }) => group === 'top' && fault !== null);
  if (wrong.length === 0) return null;
  return (
    <p>
      Of the first, first order is wrong about{' '}
      {wrong.map(({ latent, fault }, i) => (
        <span key={latent}>
          {i > 0 && ', '}
          <a href={inStudy(route, 'latent', `${latent}`)}>{latent}</a> ({fault})
        </span>
      ))}
      .
    </p>
  );
}

interface RankingFidelityProps {
  readonly fidelity: FidelityRecord;
  /** what latents were removed on */
  readonly unit: AttributedOver['unit'];
  readonly route: Route;
}

export function RankingFidelity({ fidelity, unit, route }: RankingFidelityProps) {
  const { latents, top, random, pairs, of, steps, integrated_pairs } = fidelity;
  return (
    <>
      <p>
        Δ estimates to first order what removing a latent does. Here the latents were removed, on{' '}
        {count(pairs)} of {plural(of, unit)}: the projection held at the baseline&rsquo;s, at all tokens of
        the set. Effect: how much more the loss of the positive rises than that of the negative.
      </p>
      <Scatter latents={latents} />
      <Scroll label="How far first order agrees with removal">
        <table>
          <thead>
            <tr>
              <td />
              <th className="num">latents</th>
              <th className="num">rank correlation</th>
              <th className="num">signs agree</th>
              <th className="num">slope</th>
              <th className="num">wrong</th>
            </tr>
          </thead>
          <tbody>
            <Rows name="the first by Δ" group={top} />
            <Rows name="random" group={random} />
          </tbody>
        </table>
      </Scroll>
      <p className="quiet below-table">
        Slope: removal over estimate, above 1 where the estimate is too small. Wrong: the other sign, or off
        by more than a factor of 2.
        {steps > 0 && ` Integrated gradients: ${plural(steps, 'step')} on ${plural(integrated_pairs, unit)}.`}
      </p>
      <Wrong latents={latents} route={route} />
    </>
  );
}
