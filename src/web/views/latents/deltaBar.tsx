/** A latent's Δ as a bar from zero with its standard error, and as a number. */
import { scientific } from '../../format.ts';
import type { LatentTableRow } from './latentRows.ts';

/** Of the table's deltas with their standard errors, in nats. */
export interface DeltaScale {
  readonly low: number;
  readonly high: number;
}

const percentOf = (x: number, { low, high }: DeltaScale) => `${(100 * (x - low)) / (high - low)}%`;
const widthOf = (from: number, to: number, { low, high }: DeltaScale) =>
  `${(100 * Math.abs(to - from)) / (high - low)}%`;

export function DeltaBar({ row, scale }: { row: LatentTableRow; scale: DeltaScale }) {
  const { delta, standard_error } = row;
  const known = !Number.isNaN(standard_error);
  const error = known ? standard_error : 0;
  const title = scientific(delta) + (known ? ` ± ${standard_error.toExponential(1)}` : '');
  return (
    <span className="delta" title={title}>
      <span className="delta-bar" aria-hidden="true">
        <span
          className={delta < 0 ? 'bar below' : 'bar above'}
          style={{ left: percentOf(Math.min(0, delta), scale), width: widthOf(0, delta, scale) }}
        />
        <span
          className="error"
          style={{ left: percentOf(delta - error, scale), width: widthOf(-error, error, scale) }}
        />
      </span>
      {scientific(delta)}
    </span>
  );
}

/** The scale on which all of them fit, zero too. */
export function deltaScale(rows: readonly LatentTableRow[]): DeltaScale {
  let [low, high] = [0, 0];
  for (const { delta, standard_error } of rows) {
    const error = Number.isNaN(standard_error) ? 0 : standard_error;
    low = Math.min(low, delta - error);
    high = Math.max(high, delta + error);
  }
  return high > low ? { low, high } : { low: -1, high: 1 };
}
