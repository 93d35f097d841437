/** Latents with what steering does to them, a row each. */
import {
  type LatentEffects,
  type LatentVerdict,
  type RankedSteeringRow,
  verdictOf,
  type Zone,
} from '../../../results.ts';
import { fixed, signed } from '../../format.ts';
import { Scroll } from '../../parts/scroll.tsx';
import { inStudy, type Route } from '../../routes.ts';

const verdictNames: Readonly<Record<LatentVerdict, string>> = {
  both: 'outside in both directions',
  away: 'outside when steered away',
  toward: 'outside when steered toward',
  other: 'outside, but not as a cause would be',
  within: 'within the gray zone',
  'not sampled': 'not sampled',
};

const inPoints = (change: number) => signed(100 * change, 0);

function Effect({ row }: { row: RankedSteeringRow | undefined }) {
  if (row?.effect == null) return <td className="quiet">{row?.stage ?? ''}</td>;
  return (
    <td className="num">
      {inPoints(row.effect)}{' '}
      {row.low !== null && row.high !== null && (
        <span className="quiet">
          [{inPoints(row.low)}, {inPoints(row.high)}]
        </span>
      )}{' '}
      <span className="quiet">α {fixed(row.dose!, 2)}</span>
    </td>
  );
}

interface EffectsTableProps {
  readonly effects: readonly LatentEffects[];
  readonly zone: Zone;
  readonly route: Route;
}

export function EffectsTable({ effects, zone, route }: EffectsTableProps) {
  return (
    <Scroll label="Effects by latent">
      <table>
        <thead>
          <tr>
            <th>latent</th>
            <th className="num">away, points</th>
            <th className="num">toward, points</th>
            <th>verdict</th>
            <th>proposed by, rank</th>
          </tr>
        </thead>
        <tbody>
          {effects.map((one) => (
            <tr key={one.latent}>
              <td>
                <a href={inStudy(route, 'latent', `${one.latent}`)}>{one.latent}</a>
              </td>
              <Effect row={one.away} />
              <Effect row={one.toward} />
              <td>{verdictNames[verdictOf(one, zone)]}</td>
              <td>
                {one.role === 'random'
                  ? 'random'
                  : Object.entries(one.ranks)
                      .map(([selector, rank]) => `${selector} ${rank}`)
                      .join(', ')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
