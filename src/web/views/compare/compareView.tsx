/** Two studies side by side: which latents come first in both, and what the causal test says in each. */

import { useMemo } from 'react';
import { effectsOf } from '../../../results.ts';
import { apart } from '../../apart.ts';
import { count, fixed } from '../../format.ts';
import { Loading, Missing, Unread } from '../../parts/notes.tsx';
import { Sentence } from '../../parts/sentence.tsx';
import { inStudy, type Route } from '../../routes.ts';
import { sameDictionary } from '../../sameDictionary.ts';
import type { Source } from '../../source.ts';
import { type LoadedStudy, loadStudy } from '../../study.ts';
import { useLoaded } from '../../useLoaded.ts';
import { replaceQuery } from '../../useRoute.ts';
import type { ViewProps, WebView } from '../../view.ts';
import { compared, comparisonText } from './compared.ts';
import { CompareTable } from './compareTable.tsx';
import { DeltaScatter } from './deltaScatter.tsx';
import { Slopes } from './slopes.tsx';

const topChoices = [10, 20, 50, 100] as const;

async function everything(study: LoadedStudy) {
  const { values, errors } = await apart({
    latents: study.latents(),
    steering: study.steering(),
    manifest: study.manifest(),
  });
  const { latents, steering, manifest } = values;
  const effects = new Map(effectsOf(steering?.rows ?? []).map((one) => [one.latent, one]));
  return { latents, steering, manifest, effects, errors };
}
type Everything = Awaited<ReturnType<typeof everything>>;

function DictionaryNote({ a, b }: { a: Everything; b: Everything }) {
  const same = sameDictionary(a.manifest, b.manifest);
  if (same) return null;
  return (
    <p className="note note-warn">
      {same === false
        ? 'These studies used different dictionaries: the same number stands for another latent in each.'
        : [
            'Whether these studies used the same dictionary is not known; only then does a number mean',
            'the same latent in both.',
          ].join(' ')}
    </p>
  );
}

interface BothProps {
  readonly a: Everything;
  readonly b: Everything;
  readonly names: readonly [string, string];
  readonly top: number;
  readonly route: Route;
}

function Both({ a, b, names, top, route }: BothProps) {
  const found = useMemo(() => compared(a.latents!, b.latents!, top), [a, b, top]);
  const { latents, shared, expected } = found;
  const differ = sameDictionary(a.manifest, b.manifest) === false;
  const [first, second] = [a, b].map((one, i) => ({
    name: names[i]!,
    latents: one.latents!,
    effects: one.effects,
  }));
  const hrefOf = (latent: number) => inStudy(route, 'latent', `${latent}`);
  return (
    <>
      <DictionaryNote a={a} b={b} />
      {differ ? (
        <p>
          {count(shared)} of the first {top} numbers are the same; by chance it would be{' '}
          {fixed(expected, expected < 1 ? 2 : 0)}.
        </p>
      ) : (
        <p className="compare-lead">
          <Sentence text={comparisonText(first!, second!, top, found)} route={route} />
        </p>
      )}
      <div className="compare">
        <Slopes latents={latents} top={top} names={names} hrefOf={hrefOf} />
        {!differ && <DeltaScatter latents={latents} top={top} names={names} />}
        <CompareTable latents={latents} names={names} effects={[a.effects, b.effects]} hrefOf={hrefOf} />
      </div>
    </>
  );
}

function Comparing({ study, other, route }: { study: LoadedStudy; other: Source; route: Route }) {
  const second = useMemo(() => loadStudy(other), [other]);
  const loaded = useLoaded(() => Promise.all([everything(study), everything(second)]), [study, second]);
  const top = topChoices.find((choice) => `${choice}` === route.query.top) ?? 20;
  return (
    <>
      <p className="screen-only">
        <label>
          first{' '}
          <select value={top} onChange={({ target }) => replaceQuery(route, { top: target.value })}>
            {topChoices.map((choice) => (
              <option key={choice}>{choice}</option>
            ))}
          </select>{' '}
          latents of each
        </label>
      </p>
      <Loading loaded={loaded}>
        {([a, b]) => {
          const isLacking = ({ latents, errors }: Everything) => !latents && !errors.latents;
          const lacking = [isLacking(a) && study.source.name, isLacking(b) && other.name].filter(
            (name) => name,
          );
          return (
            <>
              <Unread errors={a.errors} />
              <Unread errors={b.errors} />
              {lacking.length > 0 && (
                <Missing command="culprit run STUDY">
                  No latents have been ranked yet in {lacking.join(' and ')}.
                </Missing>
              )}
              {a.latents && b.latents && (
                <Both a={a} b={b} names={[study.source.name, other.name]} top={top} route={route} />
              )}
            </>
          );
        }}
      </Loading>
    </>
  );
}

function Compare({ study, route, sources }: ViewProps) {
  const others = sources.filter(({ id }) => id !== study.source.id);
  const other = others.find(({ id }) => id === route.query.with) ?? others[0];
  return (
    <>
      <h1>Compare</h1>
      {other ? (
        <>
          <p className="screen-only">
            <label>
              {study.source.name} with{' '}
              <select value={other.id} onChange={({ target }) => replaceQuery(route, { with: target.value })}>
                {others.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          </p>
          <Comparing key={other.id} study={study} other={other} route={route} />
        </>
      ) : (
        <div className="note">
          <p>There is only one study here. Give two:</p>
          <p>
            <code>culprit view STUDY OTHER</code> or <code>culprit report STUDY OTHER</code>
          </p>
        </div>
      )}
    </>
  );
}

export const compareView: WebView = { name: 'compare', tab: 'Compare', component: Compare };
