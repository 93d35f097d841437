/** Directions with what removing them and steering along them does, a row each. */
import type { ReactNode } from 'react';
import {
  type DirectionEffects,
  type FurtherEffect,
  furtherWords,
  type LatentEffects,
  leastFamilyWiseP,
  pText,
  type RankedSteeringRow,
  type SteeringSummary,
  verdictOf,
} from '../../../results.ts';
import { fixed, percent } from '../../format.ts';
import { Scroll } from '../../parts/scroll.tsx';
import { inStudy, type Route } from '../../routes.ts';
import { changeText } from './changeText.ts';

type Zone = SteeringSummary['zone'];
const places = ['remove', 'away', 'toward'] as const;

/** Why a candidate has no effect. */
const halted = { 'log-odds': 'not sampled', 'no dose': 'no dose', sampled: '' };

function Effect({ row, zone }: { row: RankedSteeringRow | undefined; zone: Zone['away'] }) {
  if (row?.effect == null) return <td className="quiet">{row ? halted[row.stage] : ''}</td>;
  const { effect, low, high, dose } = row;
  return (
    <td className="num" title={dose === null ? undefined : `dose ${fixed(dose, 2)} s`}>
      {changeText({ effect, low: null, high: null }, zone)}{' '}
      <span className="quiet">{changeText({ effect, low, high }, zone).replace(/^\S+ /, '')}</span>
    </td>
  );
}

function Incoherent({ one }: { one: DirectionEffects }) {
  const shares = places.map((place) => {
    const row = one[place];
    return row === undefined || row.n === 0 ? '–' : percent(1 - row.coherent / row.n);
  });
  return <td className="num quiet">{shares.join(' / ')}</td>;
}

const Heads = () => (
  <>
    <th className="num">removed, points</th>
    <th className="num">of the way</th>
    <th className="num">away, points</th>
    <th className="num">toward, points</th>
    <th className="num">
      incoherent
      <span className="under">removed / away / toward</span>
    </th>
  </>
);

function Cells({ one, zone }: { one: DirectionEffects; zone: Zone }) {
  return (
    <>
      <Effect row={one.remove} zone={zone.remove} />
      <td className="num">{one.remove?.way == null ? '' : percent(one.remove.way)}</td>
      <Effect row={one.away} zone={zone.away} />
      <Effect row={one.toward} zone={zone.toward} />
      <Incoherent one={one} />
    </>
  );
}

interface TableProps {
  readonly label: string;
  readonly heads: ReactNode;
  readonly children: ReactNode;
}

const Table = ({ label, heads, children }: TableProps) => (
  <Scroll label={label}>
    <table>
      <thead>
        <tr>{heads}</tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </Scroll>
);

interface EffectsTableProps<E> {
  readonly effects: readonly E[];
  readonly zone: Zone;
  readonly route: Route;
}

export function EffectsTable({ effects, zone, route }: EffectsTableProps<LatentEffects>) {
  const heads = (
    <>
      <th>latent</th>
      <Heads />
      <th>family-wise</th>
      <th>verdict</th>
      <th>proposed by, rank</th>
    </>
  );
  return (
    <Table label="Effects by latent" heads={heads}>
      {effects.map((one) => (
        <tr key={one.latent}>
          <td>
            <a href={inStudy(route, 'latent', `${one.latent}`)}>{one.latent}</a>
          </td>
          <Cells one={one} zone={zone} />
          <td>{pText(leastFamilyWiseP(one))}</td>
          <td className={verdictOf(one) === 'confirmed' ? 'strong' : undefined}>{verdictOf(one)}</td>
          <td>
            {Object.entries(one.ranks)
              .map(([selector, rank]) => `${selector} ${rank}`)
              .join(', ')}
          </td>
        </tr>
      ))}
    </Table>
  );
}

interface ComparedTableProps {
  readonly effects: readonly DirectionEffects[];
  readonly zone: Zone;
  /** what a direction is, by its name */
  readonly about: ReadonlyMap<string, string>;
}

export function ComparedTable({ effects, zone, about }: ComparedTableProps) {
  const heads = (
    <>
      <th>direction</th>
      <Heads />
    </>
  );
  return (
    <Table label="Effects of other directions" heads={heads}>
      {effects.map((one) => (
        <tr key={one.direction}>
          <td title={about.get(one.direction)}>{one.direction}</td>
          <Cells one={one} zone={zone} />
        </tr>
      ))}
    </Table>
  );
}

/** What was done beside removal and steering: all of it to the subject. */
export function FurtherTable({ effects, zone }: { effects: readonly FurtherEffect[]; zone: Zone }) {
  const heads = (
    <>
      <th>direction</th>
      <th>how</th>
      <th className="num">change, points</th>
      <th className="num">of the way</th>
      <th>gray zone</th>
      <th>verdict of its own test</th>
    </>
  );
  return (
    <Table label="Effects of what was done otherwise" heads={heads}>
      {effects.map(({ one, place, row }) => {
        const range = place === 'system' ? undefined : zone[place];
        return (
          <tr key={`${one.direction} ${place}`}>
            <td>{one.direction}</td>
            <td>{furtherWords[place]}</td>
            <td className="num">{changeText(row)}</td>
            <td className="num">{row.way === null ? '' : percent(row.way)}</td>
            <td className="num quiet">
              {range && `${fixed(100 * range.low, 0)} to ${fixed(100 * range.high, 0)}`}
            </td>
            <td>{row.verdict ?? 'no test'}</td>
          </tr>
        );
      })}
    </Table>
  );
}
