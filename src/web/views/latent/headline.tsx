/** What is claimed of a latent, in a few numbers: its place by attribution, and what each test says. */
import {
  type AttributedOver,
  changePoints,
  type FidelityLatent,
  isEcho,
  type LatentRow,
  type Operation,
  placeOfRow,
  pText,
  type RankedSteeringRow,
  rowActsAsCause,
  type SteeringSummary,
} from '../../../results.ts';
import { count, fixed, percent, plural, points, scientific, signed } from '../../format.ts';

type Zone = SteeringSummary['zone'];

type Ranked = Pick<LatentRow, 'latent' | 'rank' | 'delta' | 'same_sign'> &
  Partial<Pick<LatentRow, 'sign'>> & {
    /** none where there is one pair alone */
    readonly standard_error: number | null;
  };

interface HeadlineProps {
  readonly row: Ranked;
  /** how many latents are ranked; undefined where not known */
  readonly of: number | undefined;
  /** what Δ is a mean over; undefined where not known */
  readonly over: AttributedOver | undefined;
  /** every latent, first rank first; those that a report holds */
  readonly latents: readonly LatentRow[];
  /** undefined where it was not removed on the pairs */
  readonly removed: RemovedOn | undefined;
  /** what the causal test did, and the gray zones; undefined where there was none */
  readonly steered: { readonly rows: readonly RankedSteeringRow[]; readonly zone: Zone } | undefined;
}

/** What removing it does, where it was removed. */
export interface RemovedOn extends FidelityLatent {
  /** on what, in words */
  readonly tried: string;
}

interface EffectProps {
  readonly row: RankedSteeringRow;
  readonly zone: Zone;
}

const names = {
  remove: 'Removed from the subject',
  away: 'Subject steered away',
  toward: 'Reference steered toward',
  patch: 'Reference set to the subject’s mean',
  subtract: 'Removed by the encoder',
  remove_all: 'Removed at all tokens',
  remove_prompt: 'Removed at the prompt’s tokens',
  remove_completion: 'Removed at the completion’s tokens',
  system: 'With a system message',
};

const tests: Readonly<Record<Operation, string>> = {
  remove: 'removal',
  add: 'steering, away and toward',
  patch: 'patching',
  subtract: 'removal by the encoder',
  remove_all: 'removal at all tokens',
  remove_prompt: 'removal at the prompt’s tokens',
  remove_completion: 'removal at the completion’s tokens',
  system: 'no test',
};

const halted = {
  'log-odds': 'not sampled: its log-odds are within those of random latents',
  'no dose': 'not sampled: the weakest dose made too many completions incoherent',
  sampled: 'not measured: no completion was coherent',
};

interface Range {
  readonly low: number;
  readonly high: number;
}

/** With digits where an edge would look like one of `beside`. */
const range = ({ low, high }: Range, beside: readonly number[] = []) =>
  `[${changePoints(low, beside)}, ${changePoints(high, beside)}]`;

const overlap = (a: Range, b: Range) => a.low <= b.high && b.low <= a.high;

/** How far the interval of an effect that is outside stays clear of the zone. */
function clearText({ row, zone }: EffectProps, of: Range): string {
  const { low, high } = row;
  if (!rowActsAsCause(row, zone)) return ', but not as a cause would be';
  if (low === null || high === null) return '';
  return overlap({ low, high }, of) ? ', though its interval reaches into it' : ', its whole interval too';
}

const doneText = ({ dose }: RankedSteeringRow) => (dose === null ? '' : ` at a dose of ${signed(dose, 2)} s`);

function Way({ row: { side, way, way_low, way_high } }: { row: RankedSteeringRow }) {
  if (way === null) return null;
  return (
    <span className="block">
      {percent(way)} of the way to the {side === 'away' ? 'reference' : 'subject'}{' '}
      <span className="quiet">
        [{percent(way_low!)}, {percent(way_high!)}]
      </span>
    </span>
  );
}

function Aside({ row: { aside_effect, aside_low, aside_high } }: { row: RankedSteeringRow }) {
  if (aside_effect === null) return null;
  return (
    <span className="block">
      on prompts kept aside: {points(aside_effect)}{' '}
      <span className="quiet interval">{range({ low: aside_low!, high: aside_high! })}</span>
    </span>
  );
}

function Measured({ row, zone }: EffectProps) {
  const { effect, low, high } = row;
  if (effect === null) return <span className="quiet">{halted[row.stage]}</span>;
  const place = placeOfRow(row);
  const of = place === 'system' ? null : zone[place];
  const interval = low === null || high === null ? undefined : { low, high };
  const edges = of == null ? [] : [of.low, of.high];
  const beside = [effect, ...(interval ? [interval.low, interval.high] : [])];
  return (
    <>
      <strong>{changePoints(effect, edges)} points</strong>{' '}
      {interval && <span className="interval">{range(interval, edges)}</span>}
      <span className="quiet block">
        positives: {count(row.alone_positives)} of {count(row.alone_coherent)} unsteered,{' '}
        {count(row.positives)} of {count(row.coherent)}
        {doneText(row)}
      </span>
      <span className="quiet block">
        incoherent: {percent(1 - row.alone_coherent / row.alone_n)} unsteered,{' '}
        {percent(1 - row.coherent / row.n)} under it
      </span>
      <Way row={row} />
      {of != null && (
        <span className="block">
          {row.outside ? 'outside' : 'within'} the gray zone{' '}
          <span className="quiet interval">{range(of, beside)}</span>
          {row.outside && clearText({ row, zone }, of)}
        </span>
      )}
      <Aside row={row} />
      {row.verdict !== null && (
        <span className="block">
          {tests[row.operation]}: <b>{row.verdict}</b>
          {row.family_wise_p !== null && (
            <span className="quiet">
              {' '}
              (family-wise {pText(row.family_wise_p)}
              {row.verdict === 'suggestive' && ', q below .2'})
            </span>
          )}
        </span>
      )}
    </>
  );
}

function proposedBy({ role, ranks }: RankedSteeringRow): string {
  if (role === 'random') return 'tested as a random latent';
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

type AttributedProps = Pick<HeadlineProps, 'row' | 'of' | 'over'>;

/** How many of what Δ is a mean over have its sign. */
function sameSignText(share: number, over: AttributedOver | undefined): string {
  if (over === undefined) return `the same sign in ${percent(share)} of the pairs`;
  return `the same sign in ${count(Math.round(share * over.count))} of ${plural(over.count, over.unit)}`;
}

const errorText = (error: number | null) =>
  error === null || Number.isNaN(error) ? '' : `± ${scientific(error).slice(1)}`;

function Attributed({ row, of, over }: AttributedProps) {
  return (
    <>
      <strong>{scientific(row.delta)}</strong>{' '}
      <span className="interval">{errorText(row.standard_error)} nats</span>
      <span className="quiet block">
        rank {count(row.rank)}
        {of !== undefined && ` of ${count(of)}`}; {sameSignText(row.same_sign, over)}
      </span>
    </>
  );
}

const faultText = {
  'wrong sign': 'first order has the wrong sign',
  'too small': 'first order is less than half of it',
  'too large': 'first order is more than twice it',
};

function Removed({ exact, first_order, tried, fault }: RemovedOn) {
  return (
    <>
      <strong>{scientific(exact)}</strong> <span className="interval">nats</span>
      <span className="quiet block">
        {scientific(first_order)} to first order, on the same {tried}
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

/** What its sign means for what was done along it. */
const absence = 'Less of it goes with the behaviour (σ = −1): away adds its direction, toward takes it off.';

export function Headline({ row, of, over, latents, removed, steered }: HeadlineProps) {
  const attributed = latents.find(({ latent }) => latent === row.latent);
  const { rows, zone } = steered ?? { rows: [], zone: undefined };
  return (
    <dl className="claims">
      <div className="claim">
        <dt>Δ, by attribution</dt>
        <dd>
          <Attributed row={row} of={of} over={over} />
          {attributed &&
            remarksOn(attributed, latents).map((remark) => (
              <span key={remark} className="quiet block">
                {remark}
              </span>
            ))}
          {rows[0] && <span className="quiet block">{proposedBy(rows[0])}</span>}
          {rows.length > 0 && (row.sign ?? rows[0]?.sign) === -1 && <span className="block">{absence}</span>}
        </dd>
      </div>
      {removed && (
        <div className="claim">
          <dt>removed, on the pairs’ completions</dt>
          <dd>
            <Removed {...removed} />
          </dd>
        </div>
      )}
      {zone &&
        rows.map((one) => (
          <div key={placeOfRow(one)} className={one.verdict === 'confirmed' ? 'claim confirmed' : 'claim'}>
            <dt>{names[placeOfRow(one)]}</dt>
            <dd>
              <Measured row={one} zone={zone} />
            </dd>
          </div>
        ))}
    </dl>
  );
}
