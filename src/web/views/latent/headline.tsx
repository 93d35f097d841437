/** What is claimed of a latent, in a few numbers: its place by attribution, and what steering does. */
import type { LatentRow, RankedSteeringRow, SteeringSummary } from '../../../results.ts';
import { count, percent, points, scientific, signed } from '../../format.ts';

interface HeadlineProps {
  readonly row: Pick<LatentRow, 'latent' | 'rank' | 'delta' | 'standard_error' | 'same_sign'>;
  /** how many latents are ranked; undefined where not known */
  readonly of: number | undefined;
  readonly rows: readonly RankedSteeringRow[];
  readonly summary: SteeringSummary | undefined;
}

const model = { away: 'away, on the subject', toward: 'toward, on the reference' };

const halted = {
  'log-odds': 'not sampled: its log-odds are within those of random latents',
  'no dose': 'not sampled: the weakest dose made too many completions incoherent',
  few: 'not measured',
  many: 'not measured',
};

function Effect({
  row,
  summary,
}: {
  readonly row: RankedSteeringRow;
  readonly summary: SteeringSummary | undefined;
}) {
  const zone = summary?.zone[row.direction];
  return (
    <div className={row.outside ? 'claim proven' : 'claim'}>
      <dt>{model[row.direction]}</dt>
      <dd>
        {row.effect === null || row.dose === null ? (
          <span className="quiet">{halted[row.stage]}</span>
        ) : (
          <>
            <strong>{points(row.effect)}</strong>{' '}
            {row.low !== null && row.high !== null && (
              <span className="interval">
                [{points(row.low)}, {points(row.high)}]
              </span>
            )}
            <span className="quiet block">
              positives: {count(row.alone_positives)} of {count(row.alone_coherent)} left alone,{' '}
              {count(row.positives)} of {count(row.coherent)} at a dose of {signed(row.dose, 2)} s
            </span>
            <span className="block">
              {row.outside ? 'outside the gray zone' : 'within the gray zone'}
              {zone && (
                <span className="quiet">
                  {' '}
                  [{points(zone.low)}, {points(zone.high)}]
                </span>
              )}
            </span>
          </>
        )}
      </dd>
    </div>
  );
}

export function Headline({ row, of, rows, summary }: HeadlineProps) {
  return (
    <dl className="claims">
      <div className="claim">
        <dt>Δ, by attribution</dt>
        <dd>
          <strong>{scientific(row.delta)}</strong>{' '}
          <span className="interval">± {scientific(row.standard_error).slice(1)} nats</span>
          <span className="quiet block">
            rank {count(row.rank)}
            {of !== undefined && ` of ${count(of)}`}; {percent(row.same_sign)} of the pairs have its sign
          </span>
          {rows[0] && Object.keys(rows[0].ranks).length > 0 && (
            <span className="quiet block">
              proposed by{' '}
              {Object.entries(rows[0].ranks)
                .map(([selector, rank]) => `${selector} (rank ${count(rank)})`)
                .join(', ')}
            </span>
          )}
          {rows[0]?.role === 'random' && <span className="quiet block">steered as a random latent</span>}
        </dd>
      </div>
      {rows.map((one) => (
        <Effect key={one.direction} row={one} summary={summary} />
      ))}
    </dl>
  );
}
