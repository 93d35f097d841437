/** Latents of two studies, a row each: ranks, Δ, and what the causal test says. */
import { changePoints, type LatentEffects, verdictOf } from '../../../results.ts';
import { count, scientific, signed } from '../../format.ts';
import { Scroll } from '../../parts/scroll.tsx';
import type { ComparedLatent } from './compared.ts';

interface CompareTableProps {
  readonly latents: readonly ComparedLatent[];
  readonly names: readonly [string, string];
  readonly effects: readonly [ReadonlyMap<number, LatentEffects>, ReadonlyMap<number, LatentEffects>];
  readonly hrefOf: (latent: number) => string;
}

function Effects({ of }: { of: LatentEffects | undefined }) {
  const effects = [of?.remove?.effect, of?.away?.effect, of?.toward?.effect].map((effect) =>
    effect == null ? '–' : signed(100 * effect, 0),
  );
  return (
    <td className="num">
      {of && effects.join(' / ')}
      {of?.remove?.low != null && of.remove.high !== null && (
        <span className="under">
          removed [{changePoints(of.remove.low)}, {changePoints(of.remove.high)}]
        </span>
      )}
      {of?.role === 'candidate' && <span className="under">{verdictOf(of)}</span>}
    </td>
  );
}

/** Places won or lost from the first study to the second. */
function Change({ a, b }: Pick<ComparedLatent, 'a' | 'b'>) {
  if (!a || !b) return <td />;
  const won = a.rank - b.rank;
  return <td className="num">{won === 0 ? '=' : `${won > 0 ? '↑' : '↓'} ${count(Math.abs(won))}`}</td>;
}

export function CompareTable({ latents, names, effects, hrefOf }: CompareTableProps) {
  const [first, second] = names;
  return (
    <Scroll label="Latents of both studies">
      <table>
        <thead>
          <tr>
            <td />
            <th colSpan={3}>{first}</th>
            <th colSpan={3}>{second}</th>
            <td />
          </tr>
          <tr>
            <th>latent</th>
            {names.map((name) => [
              <th key={`${name} rank`} className="num">
                rank
              </th>,
              <th key={`${name} delta`} className="num">
                Δ, nats
              </th>,
              <th key={`${name} effects`} className="num">
                points
                <span className="under">removed / away / toward</span>
              </th>,
            ])}
            <th className="num">change</th>
          </tr>
        </thead>
        <tbody>
          {latents.map(({ latent, a, b }) => (
            <tr key={latent}>
              <td>{a ? <a href={hrefOf(latent)}>{latent}</a> : latent}</td>
              <td className="num">{a && count(a.rank)}</td>
              <td className="num">{a && scientific(a.delta)}</td>
              <Effects of={effects[0].get(latent)} />
              <td className="num">{b && count(b.rank)}</td>
              <td className="num">{b && scientific(b.delta)}</td>
              <Effects of={effects[1].get(latent)} />
              <Change a={a} b={b} />
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
