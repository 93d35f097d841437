/** What is claimed of a latent, in a few numbers: its place by attribution, and what steering does. */
import {
  type FidelityLatent,
  isEcho,
  type LatentRow,
  type RankedSteeringRow,
  rowActsAsCause,
  type Zone,
} from '../../../results.ts';
import { count, fixed, percent, plural, points, scientific, signed } from '../../format.ts';

type Ranked = Pick<LatentRow, 'latent' | 'rank' | 'delta' | 'same_sign'> & {
  /** none where there is one pair alone */
  readonly standard_error: number | null;
};

interface HeadlineProps {
  readonly row: Ranked;
  /** how many latents are ranked; undefined where not known */
  readonly of: number | undefined;
  /** every latent, first rank first; those that a report holds */
  readonly latents: readonly LatentRow[];
  /** undefined where it was not removed */
  readonly removed: RemovedOn | undefined;
  /** what steering did, and the gray zone; undefined where nothing was steered */
  readonly steered: { readonly rows: readonly RankedSteeringRow[]; readonly zone: Zone } | undefined;
}

/** What removing it does, where it was removed. */
export interface RemovedOn extends FidelityLatent {
  readonly pairs: number;
}

interface EffectProps {
  readonly row: RankedSteeringRow;
  readonly zone: Zone;
}

const model = { away: 'away, on the subject', toward: 'toward, on the reference' };

const halted = {
  'log-odds': 'not sampled: its log-odds are within those of random latents',
  'no dose': 'not sampled: the weakest dose made too many completions incoherent',
  few: 'not measured',
  many: 'not measured',
};

const range = ({ low, high }: { readonly low: number; readonly high: number }) =>
  `[${points(low)}, ${points(high)}]`;

function placeIn({ row, zone }: EffectProps): string {
  if (!row.outside) return 'within the gray zone';
  return rowActsAsCause(row, zone)
    ? 'outside the gray zone'
    : 'outside the gray zone, but not as a cause would be';
}

function Measured({ row, zone }: EffectProps) {
  const { effect, dose, low, high } = row;
  if (effect === null || dose === null) return <span className="quiet">{halted[row.stage]}</span>;
  return (
    <>
      <strong>{points(effect)}</strong>{' '}
      {low !== null && high !== null && <span className="interval">{range({ low, high })}</span>}
      <span className="quiet block">
        positives: {count(row.alone_positives)} of {count(row.alone_coherent)} left alone,{' '}
        {count(row.positives)} of {count(row.coherent)} at a dose of {signed(dose, 2)} s
      </span>
      <span className="block">
        {placeIn({ row, zone })} <span className="quiet">{range(zone[row.side])}</span>
      </span>
    </>
  );
}

function proposedBy({ role, ranks }: RankedSteeringRow): string {
  if (role === 'random') return 'steered as a random latent';
  const named = Object.entries(ranks).map(([selector, rank]) => `${selector} (rank ${count(rank)})`);
  return named.length > 0 ? `proposed by ${named.join(', ')}` : '';
}

/** What speaks for and against a latent's Δ, a sentence each. */
export function remarksOn(row: LatentRow, latents: readonly LatentRow[]): string[] {
  const { q, sign, silent_share, rank_low, rank_high, delta, deflated } = row;
  const [first] = latents;
  return [
    ...(sign === -1
      ? [
          'It acts through its absence: its activation is below the baseline, and adding it works against the behaviour.',
        ]
      : []),
    q === null
      ? 'It is never active on the pairs.'
      : `q ${q < 0.001 ? '< 0.001' : `= ${fixed(q, 3)}`} over prompts: the share of false findings among latents as sure as this.`,
    ...(rank_low === null || rank_low === rank_high
      ? []
      : [`With one prompt left out its rank is ${count(rank_low)} to ${count(rank_high!)}.`]),
    ...(silent_share !== null && silent_share > 0.5
      ? [`${percent(silent_share)} of Δ comes from tokens at which it is not active.`]
      : []),
    ...(first?.rank === 1 && isEcho(row)
      ? [
          `It may be an echo of latent ${first.latent}: without that direction ${percent(deflated / delta)} of Δ is left.`,
        ]
      : []),
  ];
}

interface AttributedProps {
  readonly row: Ranked;
  readonly of: number | undefined;
}

const errorText = (error: number | null) =>
  error === null || Number.isNaN(error) ? '' : `± ${scientific(error).slice(1)}`;

function Attributed({ row, of }: AttributedProps) {
  return (
    <>
      <strong>{scientific(row.delta)}</strong>{' '}
      <span className="interval">{errorText(row.standard_error)} nats</span>
      <span className="quiet block">
        rank {count(row.rank)}
        {of !== undefined && ` of ${count(of)}`}; the same sign in {percent(row.same_sign)} of the pairs
      </span>
    </>
  );
}

const faultText = {
  'wrong sign': 'first order has the wrong sign',
  'too small': 'first order is less than half of it',
  'too large': 'first order is more than twice it',
};

function Removed({ exact, first_order, pairs, fault }: RemovedOn) {
  return (
    <>
      <strong>{scientific(exact)}</strong> <span className="interval">nats</span>
      <span className="quiet block">
        {scientific(first_order)} to first order, on the same {plural(pairs, 'pair')}
      </span>
      <span className="block">
        {fault === null ? (
          'first order agrees within a factor of 2'
        ) : (
          <span className="fault">{faultText[fault]}</span>
        )}
      </span>
    </>
  );
}

export function Headline({ row, of, latents, removed, steered }: HeadlineProps) {
  const attributed = latents.find(({ latent }) => latent === row.latent);
  const { rows, zone } = steered ?? { rows: [], zone: undefined };
  return (
    <dl className="claims">
      <div className="claim">
        <dt>Δ, by attribution</dt>
        <dd>
          <Attributed row={row} of={of} />
          {attributed &&
            remarksOn(attributed, latents).map((remark) => (
              <span key={remark} className="quiet block">
                {remark}
              </span>
            ))}
          {rows[0] && <span className="quiet block">{proposedBy(rows[0])}</span>}
        </dd>
      </div>
      {removed && (
        <div className="claim">
          <dt>removed, over all tokens of the set</dt>
          <dd>
            <Removed {...removed} />
          </dd>
        </div>
      )}
      {zone &&
        rows.map((one) => (
          <div key={one.side} className={rowActsAsCause(one, zone) ? 'claim confirmed' : 'claim'}>
            <dt>{model[one.side]}</dt>
            <dd>
              <Measured row={one} zone={zone} />
            </dd>
          </div>
        ))}
    </dl>
  );
}
