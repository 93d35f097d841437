/** A latent's numbers beside its point in the figure. */
import type { LatentEffects, RankedSteeringRow } from '../../../results.ts';
import { fixed, percent, signed } from '../../format.ts';

interface PointNoteProps {
  /** of a latent that was sampled in both directions */
  readonly effects: LatentEffects;
  /** where its point is, pixels */
  readonly x: number;
  readonly y: number;
  /** of the figure, pixels */
  readonly width: number;
}

/** As wide as it gets, pixels. */
const widest = 390;

const inPoints = (change: number | null) => (change === null ? '' : signed(100 * change, 0));

function Side({ row }: { row: RankedSteeringRow }) {
  return (
    <tr>
      <th scope="row">{row.side}</th>
      <td className="num">{inPoints(row.effect)}</td>
      <td className="num">
        [{inPoints(row.low)}, {inPoints(row.high)}]
      </td>
      <td className="num">
        {percent(row.alone_positives / row.alone_coherent)} → {percent(row.positives / row.coherent)}
      </td>
      <td className="num">α {row.dose === null ? '' : fixed(row.dose, 2)}</td>
    </tr>
  );
}

export function PointNote({ effects, x, y, width }: PointNoteProps) {
  const { latent, role, away, toward } = effects;
  const ranks = Object.entries(effects.ranks).map(([selector, rank]) => `${selector} ${rank}`);
  return (
    <div className="point-note" style={{ left: Math.max(0, Math.min(x + 12, width - widest)), top: y + 14 }}>
      <strong>
        {role === 'random' ? 'Random latent' : 'Latent'} {latent}
      </strong>
      <table>
        <tbody>
          <Side row={away!} />
          <Side row={toward!} />
        </tbody>
      </table>
      {ranks.length > 0 && <span className="quiet">{ranks.join(', ')}</span>}
    </div>
  );
}
