/** Texts in a list: sought by words, narrowed by verdict, stage, model, direction and what was done. */
import { useMemo, useState } from 'react';
import { count, fixed, plural } from '../../format.ts';
import { Scroll } from '../../parts/scroll.tsx';
import { ShowMore } from '../../parts/showMore.tsx';
import { VerdictMark } from '../../parts/verdict.tsx';
import { useVerdictName } from '../../parts/verdictWords.ts';
import { inStudy, type Route } from '../../routes.ts';
import { replaceQuery } from '../../useRoute.ts';
import {
  choicesOf,
  chosenTranscripts,
  type Facet,
  facetNames,
  stageNames,
  type Transcript,
} from './transcripts.ts';

const page = 50;

const facetLabels: Readonly<Record<Facet, string>> = {
  verdict: 'verdict',
  stage: 'stage',
  model: 'model',
  direction: 'direction',
  done: 'what was done',
};

interface ListProps {
  readonly all: readonly Transcript[];
  readonly route: Route;
}

function FacetChoice({ all, route, facet }: ListProps & { readonly facet: Facet }) {
  const choices = useMemo(() => choicesOf(all, route.query, facet), [all, route.query, facet]);
  const nameOf = useVerdictName();
  const chosen = route.query[facet] ?? '';
  if (chosen === '' && choices.length < 2) return null;
  return (
    <label>
      {facetLabels[facet]}{' '}
      <select value={chosen} onChange={({ target }) => replaceQuery(route, { [facet]: target.value })}>
        <option value="">all</option>
        {choices.map(([value, n]) => (
          <option key={value} value={value}>
            {nameOf(value)} ({count(n)})
          </option>
        ))}
        {chosen !== '' && choices.every(([value]) => value !== chosen) && (
          <option value={chosen}>{nameOf(chosen)} (0)</option>
        )}
      </select>
    </label>
  );
}

function Row({ one, route }: { readonly one: Transcript; readonly route: Route }) {
  const { id, prompt, text, verdict, stage, model, direction, done } = one;
  return (
    <tr>
      <td>
        <a className="excerpt" href={inStudy(route, 'transcripts', id, route.query)}>
          {prompt.trim() || 'no prompt'}
        </a>
      </td>
      <td data-name="answer">
        <span className="excerpt">{text.trim()}</span>
      </td>
      <td data-name="verdict">
        {verdict ? <VerdictMark verdict={verdict} /> : <span className="quiet">not graded</span>}
        {verdict && <span className="under">score {fixed(verdict.score, 2)}</span>}
      </td>
      <td data-name="from">
        {direction} {done}
        <span className="under">
          {stageNames[stage]}, {model}
        </span>
      </td>
    </tr>
  );
}

export function TranscriptList({ all, route }: ListProps) {
  const [shown, setShown] = useState(page);
  const chosen = useMemo(() => chosenTranscripts(all, route.query), [all, route.query]);
  const { prompt } = route.query;
  return (
    <>
      <h1>Transcripts</h1>
      <search className="filters">
        <input
          type="search"
          aria-label="Search in the texts"
          placeholder="search in the texts"
          value={route.query.find ?? ''}
          onChange={({ target }) => replaceQuery(route, { find: target.value })}
        />
        {facetNames.map((facet) => (
          <FacetChoice key={facet} all={all} route={route} facet={facet} />
        ))}
        {prompt && (
          <button type="button" onClick={() => replaceQuery(route, { prompt: '' })}>
            only prompt {prompt} ×
          </button>
        )}
        <span className="quiet" role="status">
          {chosen.length === all.length
            ? plural(all.length, 'text')
            : `${count(chosen.length)} of ${plural(all.length, 'text')}`}
        </span>
      </search>
      <Scroll label="Transcripts">
        <table className="text-list transcript-list">
          <thead>
            <tr>
              <th scope="col">prompt</th>
              <th scope="col">answer</th>
              <th scope="col">verdict</th>
              <th scope="col">what was done</th>
            </tr>
          </thead>
          <tbody>
            {chosen.slice(0, shown).map((one) => (
              <Row key={one.id} one={one} route={route} />
            ))}
          </tbody>
        </table>
      </Scroll>
      <ShowMore shown={shown} of={chosen.length} page={page} onShow={setShown} />
    </>
  );
}
