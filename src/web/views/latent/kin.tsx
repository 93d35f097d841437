/** Latents that are near to this one: by direction, and by what they fire on. */
import type { LatentPage, LatentRow } from '../../../results.ts';
import { count, signed } from '../../format.ts';
import { Scroll } from '../../parts/scroll.tsx';
import { inStudy, type Route } from '../../routes.ts';

interface KinProps {
  readonly page: LatentPage;
  readonly ranks: ReadonlyMap<number, LatentRow>;
  readonly route: Route;
}

export function Kin({ page: { latent, neighbours, group }, ranks, route }: KinProps) {
  const link = (other: number) => <a href={inStudy(route, 'latent', `${other}`)}>{other}</a>;
  // of a report's small copy some have nothing to lead to
  const named = (other: number) => (ranks.has(other) || group.includes(other) ? link(other) : other);
  const others = group.filter((other) => other !== latent);
  return (
    <>
      <p>
        {others.length === 0
          ? 'No other reported latent points the same way or fires on the same tokens.'
          : 'Reported latents that point the same way or fire on the same tokens: '}
        {others.map((other) => (
          <span key={other} className="listed">
            {link(other)}
          </span>
        ))}
      </p>
      <Scroll label="Nearest latents">
        <table>
          <caption>nearest by cosine of decoder directions</caption>
          <thead>
            <tr>
              <th scope="col">latent</th>
              <th scope="col" className="num">
                cosine
              </th>
              <th scope="col" className="num">
                rank by Δ
              </th>
            </tr>
          </thead>
          <tbody>
            {neighbours.map(({ latent: other, cosine }) => (
              <tr key={other}>
                <td>{named(other)}</td>
                <td className="num">{signed(cosine, 2)}</td>
                <td className="num">{ranks.has(other) ? count(ranks.get(other)!.rank) : ''}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}
