/** All that was compared: sought by its text, in the order of its certainty or of a latent's Δ. */

import { useMemo, useState } from 'react';
import type { PairTokens } from '../../../results.ts';
import { count, fixed, plural } from '../../format.ts';
import { nats } from '../../parts/nats.ts';
import { Scroll } from '../../parts/scroll.tsx';
import { Segments } from '../../parts/segments.tsx';
import { ShowMore } from '../../parts/showMore.tsx';
import { useVerdictName } from '../../parts/verdictWords.ts';
import { inStudy, type Route } from '../../routes.ts';
import { replaceQuery } from '../../useRoute.ts';
import {
  askedBy,
  type ComparedTexts,
  chosenContrasts,
  type ListedTexts,
  latentsOf,
  orders,
} from './chosen.ts';

const page = 40;

interface RowProps {
  readonly listed: ListedTexts;
  readonly latent: number | undefined;
  readonly route: Route;
}

/** The first of a prompt's completions, and how many there are. */
function Texts({ texts, name }: { readonly texts: ComparedTexts['positives']; readonly name: string }) {
  return (
    <td data-name={name}>
      <span className="excerpt">{texts[0]!.text.trim()}</span>
      {texts.length > 1 && <span className="under">and {count(texts.length - 1)} more</span>}
    </td>
  );
}

function Row({ listed: { id, prompt, positives, negatives, certainty, delta }, latent, route }: RowProps) {
  const nameOf = useVerdictName();
  return (
    <tr>
      <td>
        <a className="excerpt" href={inStudy(route, 'pairs', id, route.query)}>
          {prompt.trim()}
        </a>
      </td>
      <Texts texts={positives} name={nameOf('positive')} />
      <Texts texts={negatives} name={nameOf('negative')} />
      <td className="num" data-name="certainty">
        {fixed(certainty, 2)}
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
  readonly contrasts: readonly ComparedTexts[];
  readonly tokens: ReadonlyMap<string, PairTokens> | undefined;
  readonly route: Route;
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

/** `58 prompts with 834 pairs`, or `120 pairs`. */
function countText(
  contrasts: readonly ComparedTexts[],
  chosen: readonly ComparedTexts[],
  perPrompt: boolean,
): string {
  const pairs = plural(
    chosen.reduce((sum, one) => sum + one.pairs.length, 0),
    'pair',
  );
  const units = perPrompt ? `${plural(chosen.length, 'prompt')} with ${pairs}` : pairs;
  return chosen.length === contrasts.length ? units : `${units}, of ${count(contrasts.length)}`;
}

export function PairList({ contrasts, tokens, route }: ListProps) {
  const asked = useMemo(() => askedBy(route.query), [route.query]);
  const { find, order, latent } = asked;
  const nameOf = useVerdictName();
  const [shown, setShown] = useState(page);
  const chosen = useMemo(() => chosenContrasts(contrasts, asked), [contrasts, asked]);
  const perPrompt = contrasts.some(({ pairs }) => pairs.length > 1);
  return (
    <>
      <h1>Pairs</h1>
      {perPrompt && (
        <p className="quiet">
          Every positive completion of a prompt is compared with every negative one, and Δ is measured on the
          prompt as a whole: a row per prompt.
        </p>
      )}
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
        <span className="quiet" role="status">
          {countText(contrasts, chosen, perPrompt)}
        </span>
      </div>
      <Scroll label="Pairs">
        <table className="text-list pair-list">
          <thead>
            <tr>
              <th scope="col">prompt</th>
              <th scope="col">
                {nameOf('positive')} completion{perPrompt && 's'}
              </th>
              <th scope="col">
                {nameOf('negative')} completion{perPrompt && 's'}
              </th>
              <th scope="col" className="num">
                certainty
              </th>
              {latent !== undefined && (
                <th scope="col" className="num">
                  Δ of {latent}, nats
                  <span className="under">per {perPrompt ? 'prompt' : 'pair'}</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {chosen.slice(0, shown).map((listed) => (
              <Row key={listed.id} listed={listed} latent={latent} route={route} />
            ))}
          </tbody>
        </table>
      </Scroll>
      <ShowMore shown={shown} of={chosen.length} page={page} onShow={setShown} />
    </>
  );
}
