/** A direction's numbers beside its row or dot in the figure. */
import {
  type DirectionEffects,
  type RankedSteeringRow,
  type SteeringSummary,
  verdictUnder,
} from '../../../results.ts';
import { fixed, percent } from '../../format.ts';
import { changeText } from './changeText.ts';

interface PointNoteProps {
  readonly effects: DirectionEffects;
  readonly zone: SteeringSummary['zone'];
  /** pixels */
  readonly x: number;
  readonly y: number;
  /** of the figure, pixels */
  readonly width: number;
}

/** As wide as it gets, pixels. */
const widest = 560;

const places = [
  ['remove', 'removed'],
  ['away', 'away'],
  ['toward', 'toward'],
  ['patch', 'patched'],
] as const;

const roles = {
  candidate: '',
  random: 'random: ',
  gaussian: 'random direction: ',
  comparison: '',
  control: 'control: ',
  group: '',
};

interface EffectProps {
  readonly name: string;
  readonly row: RankedSteeringRow;
  readonly zone: Parameters<typeof changeText>[1];
}

function Effect({ name, row, zone }: EffectProps) {
  const { effect, low, high, aside_effect, aside_low, aside_high } = row;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td className="num">{changeText({ effect, low, high }, zone)}</td>
      <td className="num">
        {percent(row.alone_positives / row.alone_coherent)} → {percent(row.positives / row.coherent)}
      </td>
      <td className="num">
        {row.dose === null ? '' : `α ${fixed(row.dose, 2)}`}
        {row.way === null ? '' : `${percent(row.way)} of the way`}
      </td>
      <td className="num">
        {aside_effect !== null &&
          `aside ${changeText({ effect: aside_effect, low: aside_low, high: aside_high })}`}
      </td>
    </tr>
  );
}

/** What its tests say; nothing of random latents, which are tested against none. */
function verdicts(effects: DirectionEffects): string {
  if (effects.role === 'random') return '';
  const { remove, add } = { remove: verdictUnder(effects, 'remove'), add: verdictUnder(effects, 'add') };
  return `removal: ${remove}; steering: ${add}`;
}

export function PointNote({ effects, zone, x, y, width }: PointNoteProps) {
  const ranks = Object.entries(effects.ranks).map(([selector, rank]) => `${selector} ${rank}`);
  const notes = [verdicts(effects), ...ranks].filter((text) => text !== '');
  return (
    <div className="point-note" style={{ left: Math.max(0, Math.min(x + 12, width - widest)), top: y + 8 }}>
      <strong>
        {roles[effects.role]}
        {effects.direction}
      </strong>
      <table>
        <tbody>
          {places.map(([place, name]) => {
            const row = effects[place];
            return row?.effect == null ? null : (
              <Effect key={place} name={name} row={row} zone={zone[place] ?? undefined} />
            );
          })}
        </tbody>
      </table>
      <span className="quiet">{notes.join(', ')}</span>
    </div>
  );
}
