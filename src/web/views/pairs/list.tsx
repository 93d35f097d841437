/** All pairs: sought by their text, in the order of their certainty or of a latent's Δ. */

import { useMemo, useState } from 'react';
import type { PairRecord, PairTokens } from '../../../results.ts';
import { count, fixed, plural } from '../../format.ts';
import { nats } from '../../parts/nats.ts';
import { Scroll } from '../../parts/scroll.tsx';
import { Segments } from '../../parts/segments.tsx';
import { inStudy, type Route } from '../../routes.ts';
import { replaceQuery } from '../../useRoute.ts';
import { chosenPairs, type ListedPair, latentsOf, type Order, orders } from './chosen.ts';

const page = 40;

interface RowProps {
  readonly listed: ListedPair;
  readonly latent: number | undefined;
  readonly route: Route;
}

function Row({ listed: { pair, prompt, delta }, latent, route }: RowProps) {
  const query = latent === undefined ? {} : { latent: `${latent}` };
  return (
    <tr>
      <td>
        <a className="excerpt" href={inStudy(route, 'pairs', pair.id, query)}>
          {prompt.trim()}
        </a>
      </td>
      <td data-name="positive">
        <span className="excerpt">{pair.positive.trim()}</span>
      </td>
      <td data-name="negative">
        <span className="excerpt">{pair.negative.trim()}</span>
      </td>
      <td className="num" data-name="certainty">
        {fixed(pair.certainty, 2)}
      </td>
      {latent !== undefined && (
        <td className="num" data-name="Δ, nats">
          {delta === undefined ? '' : nats(delta)}
        </td>
      )}
    </tr>
  );
}

interface ListProps {
  readonly pairs: readonly PairRecord[];
  readonly tokens: ReadonlyMap<string, PairTokens> | undefined;
  readonly route: Route;
}

function askedBy({ query }: Route) {
  const latent = query.latent !== undefined && /^\d+$/.test(query.latent) ? Number(query.latent) : undefined;
  const order: Order = latent !== undefined && query.sort === 'delta' ? '|Δ|' : 'certainty';
  return { find: query.find ?? '', order, latent };
}

function LatentChoice({ tokens, route }: Pick<ListProps, 'tokens' | 'route'>) {
  const latents = useMemo(() => latentsOf(tokens), [tokens]);
  if (latents.length === 0) return null;
  return (
    <label>
      Δ of{' '}
      <select
        value={route.query.latent ?? ''}
        onChange={({ target }) =>
          replaceQuery(route, { latent: target.value, sort: target.value === '' ? '' : 'delta' })
        }
      >
        <option value="">no latent</option>
        {latents.map((latent) => (
          <option key={latent} value={latent}>
            latent {latent}
          </option>
        ))}
      </select>
    </label>
  );
}

export function PairList({ pairs, tokens, route }: ListProps) {
  const { find, order, latent } = askedBy(route);
  const [shown, setShown] = useState(page);
  const chosen = useMemo(
    () => chosenPairs(pairs, tokens, { find, order, latent }),
    [pairs, tokens, find, order, latent],
  );
  return (
    <>
      <h1>Pairs</h1>
      <div className="row">
        <input
          type="search"
          aria-label="Search in the texts"
          placeholder="search in the texts"
          value={find}
          onChange={({ target }) => replaceQuery(route, { find: target.value })}
        />
        <LatentChoice tokens={tokens} route={route} />
        {latent !== undefined && (
          <Segments
            label="Sort by"
            choices={orders}
            chosen={order}
            onChoose={(by) => replaceQuery(route, { sort: by === '|Δ|' ? 'delta' : '' })}
          />
        )}
        <span className="quiet">
          {chosen.length === pairs.length
            ? plural(pairs.length, 'pair')
            : `${count(chosen.length)} of ${plural(pairs.length, 'pair')}`}
        </span>
      </div>
      <Scroll label="Pairs">
        <table className="pair-list">
          <thead>
            <tr>
              <th scope="col">prompt</th>
              <th scope="col">positive completion</th>
              <th scope="col">negative completion</th>
              <th scope="col" className="num">
                certainty
              </th>
              {latent !== undefined && (
                <th scope="col" className="num">
                  Δ of {latent}, nats
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {chosen.slice(0, shown).map((listed) => (
              <Row key={listed.pair.id} listed={listed} latent={latent} route={route} />
            ))}
          </tbody>
        </table>
      </Scroll>
      {chosen.length > shown && (
        <button type="button" onClick={() => setShown(shown + page)}>
          show {count(Math.min(page, chosen.length - shown))} more
        </button>
      )}
    </>
  );
}
