/** The same effects of all answers, and between answers of the same length. */
import type { LatentEffects, RankedSteeringRow } from '../../../results.ts';
import { fixed } from '../../format.ts';
import { Scroll } from '../../parts/scroll.tsx';
import { inStudy, type Route } from '../../routes.ts';
import { changeText } from './changeText.ts';

const places = [
  ['remove', 'removed'],
  ['away', 'away'],
  ['toward', 'toward'],
] as const;

const Cells = ({ row }: { readonly row: RankedSteeringRow }) => (
  <>
    <td className="num">{changeText(row)}</td>
    <td className="num">
      {changeText({ effect: row.effect_of_all, low: row.of_all_low, high: row.of_all_high }) || '–'}
    </td>
    <td className="num">
      {changeText({
        effect: row.effect_same_length,
        low: row.same_length_low,
        high: row.same_length_high,
      }) || '–'}
    </td>
    <td className="num">{row.mean_tokens === null ? '' : fixed(row.mean_tokens, 0)}</td>
  </>
);

interface CountedOtherwiseProps {
  readonly effects: readonly LatentEffects[];
  readonly route: Route;
}

export function CountedOtherwise({ effects, route }: CountedOtherwiseProps) {
  return (
    <Scroll label="Effects counted otherwise">
      <table>
        <thead>
          <tr>
            <th>latent</th>
            <th>what</th>
            <th className="num">of coherent answers</th>
            <th className="num">of all answers</th>
            <th className="num">at the same length</th>
            <th className="num">tokens</th>
          </tr>
        </thead>
        <tbody>
          {effects.flatMap((one) =>
            places.flatMap(([place, name]) => {
              const row = one[place];
              if (row?.effect == null) return [];
              return (
                <tr key={`${one.latent} ${place}`}>
                  <td>
                    <a href={inStudy(route, 'latent', `${one.latent}`)}>{one.latent}</a>
                  </td>
                  <td>{name}</td>
                  <Cells row={row} />
                </tr>
              );
            }),
          )}
        </tbody>
      </table>
    </Scroll>
  );
}
