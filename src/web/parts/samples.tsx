/** Steered completions beside those of the same prompt and seed left alone. */
import { type RefObject, useEffect, useRef, useState } from 'react';
import { type EffectPlace, effectPlaces, type SteeredCompletion, type TrialRecord } from '../../results.ts';
import { count, plural, signed } from '../format.ts';
import { hashOf, type Route } from '../routes.ts';
import { replaceQuery } from '../useRoute.ts';
import { CopyLink } from './copyLink.tsx';
import { isHeld } from './heldText.ts';
import { Segments } from './segments.tsx';
import { ShowMore } from './showMore.tsx';
import { type KindOfVerdict, kindOf, kindsOfVerdict, VerdictMark } from './verdict.tsx';
import { useVerdictName } from './verdictWords.ts';

interface Sample {
  readonly id: string;
  readonly prompt: string;
  readonly steered: SteeredCompletion;
  readonly alone: SteeredCompletion | undefined;
}

interface Dose {
  readonly dose: number;
  readonly samples: readonly Sample[];
}

const placeOf = ({ prompt_id, index }: SteeredCompletion) => `${prompt_id}/${index}`;

const sideOf = (place: EffectPlace) => (place === 'away' || place === 'remove' ? 'away' : 'toward');
const operationOf = (place: EffectPlace) => (place === 'away' || place === 'toward' ? 'add' : place);

const evaluated = (trials: readonly TrialRecord[], place: EffectPlace) =>
  trials.filter(({ side, part }) => side === sideOf(place) && part !== 'calibration');

/** On the prompts that effects are of, those kept aside too. */
const changedAt = (trials: readonly TrialRecord[], place: EffectPlace) =>
  evaluated(trials, place).filter(({ operation }) => operation === operationOf(place));

/** The trials of one thing that was done, as samples: of the dose that has most of them. */
export function samplesOf(
  trials: readonly TrialRecord[],
  alone: readonly TrialRecord[],
  place: EffectPlace,
): Dose | undefined {
  const beside = new Map(
    evaluated(alone, place).flatMap(({ completions }) => completions.map((one) => [placeOf(one), one])),
  );
  const these = changedAt(trials, place);
  const doses = [...new Set(these.map(({ dose }) => dose))].map((dose) => ({
    dose,
    samples: these
      .filter((trial) => trial.dose === dose)
      .flatMap(({ completions }) => completions.filter(isHeld))
      .map((steered) => ({
        id: placeOf(steered),
        prompt: steered.prompt_id,
        steered,
        alone: beside.get(placeOf(steered)),
      })),
  }));
  return doses.sort((a, b) => b.samples.length - a.samples.length)[0];
}

const filters = ['all', 'changed', ...kindsOfVerdict] as const;
type Filter = (typeof filters)[number];

const kindsIn = ({ steered, alone }: Sample): (KindOfVerdict | undefined)[] => [
  kindOf(steered),
  alone && kindOf(alone),
];

function passes(filter: Filter, sample: Sample): boolean {
  const [steered, alone] = kindsIn(sample);
  if (filter === 'all') return true;
  return filter === 'changed' ? steered !== alone : steered === filter;
}

/** What the operation is to do to a verdict. */
const wanted = (place: EffectPlace) =>
  sideOf(place) === 'away' ? (['negative', 'positive'] as const) : (['positive', 'negative'] as const);

/** Prompts together, those first of which most answers turned as they were to; of a prompt those first that did. */
export function turnedFirst(samples: readonly Sample[], place: EffectPlace): Sample[] {
  const [to, from] = wanted(place);
  const turned = (sample: Sample) => {
    const [steered, alone] = kindsIn(sample);
    return Number(steered === to && alone === from);
  };
  const byPrompt = new Map<string, number>();
  for (const sample of samples)
    byPrompt.set(sample.prompt, (byPrompt.get(sample.prompt) ?? 0) + turned(sample));
  const order = [...byPrompt.keys()];
  const places = new Map(
    order.toSorted((a, b) => byPrompt.get(b)! - byPrompt.get(a)!).map((prompt, i) => [prompt, i]),
  );
  return samples.toSorted((a, b) => places.get(a.prompt)! - places.get(b.prompt)! || turned(b) - turned(a));
}

function Said({ heading, said }: { readonly heading: string; readonly said: SteeredCompletion | undefined }) {
  if (!said) return <p className="quiet">{heading}: not sampled</p>;
  return (
    <section className="side">
      <p className="side-heading">
        {heading} <VerdictMark verdict={said} />
      </p>
      <p className="completion">
        {said.text.trim()}
        {said.stop === 'length' && <span className="quiet"> […]</span>}
      </p>
      {said.judged && said.reason !== '' && <p className="quiet reason">{said.reason}</p>}
    </section>
  );
}

const model = { away: 'the subject', toward: 'the reference' };
const names = { remove: 'removed', away: 'away', toward: 'toward', patch: 'patched' } as const;

/** What was done: `steered by −0.20 s`, `with it removed`. */
function doneText(place: EffectPlace, dose: number): string {
  if (place === 'remove') return 'with it removed';
  return place === 'patch' ? 'with it as in the subject' : `steered by ${signed(dose, 2)} s`;
}
const page = 10;

interface SamplesProps {
  readonly trials: readonly TrialRecord[];
  readonly alone: readonly TrialRecord[];
  /** by id, where known */
  readonly prompts: ReadonlyMap<string, string>;
  /** its query says what was done, which verdict, and the completion that is looked for */
  readonly route: Route;
}

const isFilter = (text: string | undefined): text is Filter => filters.some((one) => one === text);

/** Brings the completion that a link leads to into sight, once. */
function useSought(id: string | undefined, list: RefObject<HTMLElement | null>) {
  useEffect(() => {
    if (id === undefined) return;
    const found = [...(list.current?.children ?? [])].find(({ id: own }) => own === `completion-${id}`);
    found?.scrollIntoView({ block: 'center' });
  }, [id, list]);
}

export function Samples({ trials, alone, prompts, route }: SamplesProps) {
  const measured = effectPlaces.filter((place) => changedAt(trials, place).length > 0);
  const { done, show, completion: sought } = route.query;
  const filter = isFilter(show) ? show : sought === undefined ? 'changed' : 'all';
  const [more, setMore] = useState(page);
  const nameOf = useVerdictName();
  const list = useRef<HTMLOListElement>(null);
  useSought(sought, list);
  const place = measured.find((one) => names[one] === done) ?? measured[0];
  const found = place && samplesOf(trials, alone, place);
  if (!found) return <p className="quiet">It was not sampled on the evaluation prompts.</p>;
  const passing = turnedFirst(found.samples, place).filter((sample) => passes(filter, sample));
  const shown = Math.max(more, 1 + passing.findIndex(({ id }) => id === sought));
  const present = filters.filter(
    (name) => name === filter || found.samples.some((sample) => passes(name, sample)),
  );
  return (
    <>
      <div className="row">
        <Segments
          label="What was done"
          choices={measured.map((one) => names[one])}
          chosen={names[place]}
          onChoose={(name) => replaceQuery(route, { done: name, completion: '' })}
        />
        <Segments
          label="Verdict"
          nameOf={nameOf}
          choices={present}
          chosen={filter}
          onChoose={(name) => replaceQuery(route, { show: name, completion: '' })}
        />
        <span className="quiet">
          {count(passing.length)} of {plural(found.samples.length, 'completion')} of {model[sideOf(place)]},{' '}
          {doneText(place, found.dose)}
        </span>
      </div>
      <ol className="samples" ref={list}>
        {passing.slice(0, shown).map((sample, i) => (
          <li
            key={sample.id}
            id={`completion-${sample.id}`}
            className={sample.id === sought ? 'sought' : undefined}
          >
            <CopyLink
              of={`completion ${sample.id}`}
              hash={hashOf({
                ...route,
                query: { ...route.query, done: names[place], show: '', completion: sample.id },
              })}
            />
            {sample.prompt !== passing[i - 1]?.prompt && (
              <p className="prompt">{prompts.get(sample.prompt)?.trim() ?? `prompt ${sample.prompt}`}</p>
            )}
            <div className="two-columns">
              <Said heading="unsteered" said={sample.alone} />
              <Said heading={doneText(place, found.dose)} said={sample.steered} />
            </div>
          </li>
        ))}
      </ol>
      <ShowMore shown={shown} of={passing.length} page={page} onShow={setMore} />
    </>
  );
}
