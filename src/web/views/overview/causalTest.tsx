/**
 * The causal test: figure, effects in tables, the selectors' claims, and what checks the numbers.
 */
import { useMemo } from 'react';
import { checkFigure, nothingToDraw, type SteeringFigure } from '../../../figure/figureData.ts';
import { figureOf } from '../../../figure/figureOf.ts';
import {
  countsOf,
  directionEffects,
  effectsOf,
  furtherEffects,
  type StudyManifest,
  strongestFirst,
  verdictOf,
} from '../../../results.ts';
import { count, fixed, percent, plural, points } from '../../format.ts';
import { Scroll } from '../../parts/scroll.tsx';
import { inStudy, type Route } from '../../routes.ts';
import type { SteeringRecords } from '../../study.ts';
import { zoneText } from './answer.ts';
import { CountedOtherwise } from './countedOtherwise.tsx';
import { ComparedTable, EffectsTable, FurtherTable } from './effectsTable.tsx';
import { SteeringFigureView } from './steeringFigure.tsx';

/** Why a figure cannot be drawn; undefined where it can. */
function faultOf(figure: SteeringFigure): string | undefined {
  if (figure.random.length === 0) return nothingToDraw;
  try {
    checkFigure(figure);
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
}

interface CausalTestFigureProps {
  readonly steering: SteeringRecords;
  /** of the study */
  readonly name: string;
  readonly route: Route;
}

export function CausalTestFigure({ steering, name, route }: CausalTestFigureProps) {
  const { rows, summary } = steering;
  const effects = useMemo(() => new Map(directionEffects(rows).map((one) => [one.direction, one])), [rows]);
  const figure = useMemo(() => figureOf(rows, summary), [rows, summary]);
  const fault = useMemo(() => faultOf(figure), [figure]);
  if (fault !== undefined) return <p>{fault}</p>;
  return (
    <SteeringFigureView
      figure={figure}
      name={`${name}-causal-test`}
      effects={effects}
      zone={summary.zone}
      hrefOf={(latent) => inStudy(route, 'latent', `${latent}`)}
    />
  );
}

/** Candidates in the first table. */
const mostRows = 20;

export function CausalTestTables({ steering, route }: { steering: SteeringRecords; route: Route }) {
  const { rows, summary } = steering;
  const all = useMemo(() => directionEffects(rows), [rows]);
  const sampled = strongestFirst(
    effectsOf(rows).filter((one) => one.role === 'candidate' && verdictOf(one) !== 'not sampled'),
  );
  const others = all.filter(
    ({ role, further }) =>
      (role === 'comparison' || role === 'control' || role === 'group') && further?.system === undefined,
  );
  const further = furtherEffects([
    ...sampled.slice(0, mostRows),
    ...all.filter(({ role }) => role !== 'candidate'),
  ]);
  const about = new Map(summary.comparisons.map((one) => [one.direction, one.about]));
  const listed = sampled.slice(0, mostRows);
  return (
    <>
      <h3>Latents, strongest first</h3>
      {listed.length > 0 ? <EffectsTable effects={listed} zone={summary.zone} route={route} /> : <p>None.</p>}
      {sampled.length > listed.length && (
        <p>
          <a href={inStudy(route, 'latents')}>
            All {count(sampled.length)} that were sampled are in the list of latents.
          </a>
        </p>
      )}
      {listed.length > 0 && (
        <section className="screen-only">
          <h3>Counted otherwise</h3>
          <CountedOtherwise effects={listed} route={route} />
        </section>
      )}
      {others.length > 0 && (
        <>
          <h3>Compared with</h3>
          <ComparedTable effects={others} zone={summary.zone} about={about} />
        </>
      )}
      {further.length > 0 && (
        <section className="screen-only">
          <h3>Otherwise, on the subject</h3>
          <FurtherTable effects={further} zone={summary.zone} />
        </section>
      )}
      <p className="below-table">{zoneText(steering)}</p>
      {countsOf(steering).map((text) => (
        <p key={text}>{text}</p>
      ))}
    </>
  );
}

const mean = (effect: number | null) => (effect === null ? '' : points(effect, 1));

export function Claims({ steering: { summary } }: { steering: SteeringRecords }) {
  return (
    <Scroll label="Selectors">
      <table>
        <thead>
          <tr>
            <th>selector</th>
            <th className="num">candidates</th>
            <th className="num">
              sampled
              <span className="under">removed / steered</span>
            </th>
            <th className="num">
              beyond the zone
              <span className="under">removed / away / toward</span>
            </th>
            <th className="num">
              confirmed
              <span className="under">by removal / by steering</span>
            </th>
            <th className="num">mean removed</th>
            <th className="num">mean away</th>
            <th className="num">mean toward</th>
          </tr>
        </thead>
        <tbody>
          {summary.selectors.map(
            ({ selector, about, candidates, sampled, outside, confirmed, mean_effect }) => (
              <tr key={selector}>
                <td className="selector">
                  {selector}
                  <br />
                  <span className="quiet">{about}</span>
                </td>
                <td className="num">{count(candidates)}</td>
                <td className="num">
                  {sampled.remove} / {sampled.away}
                </td>
                <td className="num">
                  {outside.remove} / {outside.away} / {outside.toward}
                </td>
                <td className="num">
                  <strong>{confirmed.either}</strong>{' '}
                  <span className="quiet">
                    {confirmed.remove} / {confirmed.add}
                  </span>
                </td>
                <td className="num">{mean(mean_effect.remove)}</td>
                <td className="num">{mean(mean_effect.away)}</td>
                <td className="num">{mean(mean_effect.toward)}</td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </Scroll>
  );
}

const edges = ({ low, high }: { low: number; high: number }) => `${points(low)} to ${points(high)}`;
const agreement = (x: number | null) => (x === null ? 'too few' : fixed(x, 2));

/** Names of what a trained judge's counts tell. */
const judgeQualities: readonly (readonly [key: string, name: string])[] = [
  ['judge_accuracy', 'behaviour: answers right'],
  ['judge_sensitivity', 'of the positive ones (sensitivity)'],
  ['judge_specificity', 'of the negative ones (specificity)'],
  ['judge_pair_accuracy', 'behaviour: pairs in the right order'],
  ['judge_calibration_error', 'behaviour: calibration error'],
  ['judge_coherence_accuracy', 'coherence: texts right'],
];

export function JudgeQualityNote({ manifest }: { manifest: StudyManifest | undefined }) {
  const counts = manifest?.stages.grade?.counts ?? {};
  const known = judgeQualities.filter(([key]) => counts[key] !== undefined);
  if (manifest?.stages.grade?.options.kind === 'exact')
    return (
      <p>The judge knows every sentence of the made-up world of this study, so it does not err there.</p>
    );
  if (known.length === 0)
    return (
      <p>
        How far the judge is right is not known from its training: it was not trained here.{' '}
        <code>culprit judge sample</code> draws steered texts for people or a second judge to read, which
        tells.
      </p>
    );
  return (
    <table>
      <caption>
        The judge, on {plural(counts.judge_prompts_held_out ?? 0, 'prompt')} held out: labelled answers, not
        steered texts
      </caption>
      <tbody>
        {known.map(([key, name]) => (
          <tr key={key}>
            <th scope="row">{name}</th>
            <td className="num">{percent(counts[key]!, 1)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Controls({ steering: { summary } }: { steering: SteeringRecords }) {
  const { alone, zone, log_odds_agreement, limit, norm, gate } = summary;
  const share = ({ positives, coherent }: { positives: number; coherent: number }) =>
    `${percent(positives / coherent)} of ${count(coherent)}`;
  type Place = 'remove' | 'away' | 'toward';
  const model = (place: Place) => (place === 'toward' ? 'toward' : 'away');
  const each = (name: string, of: (place: Place) => string) => (
    <tr>
      <th scope="row">{name}</th>
      <td className="num">{of('remove')}</td>
      <td className="num">{of('away')}</td>
      <td className="num">{of('toward')}</td>
    </tr>
  );
  return (
    <Scroll label="Controls">
      <table>
        <thead>
          <tr>
            <td />
            <th className="num">removed, subject</th>
            <th className="num">away, subject</th>
            <th className="num">toward, reference</th>
          </tr>
        </thead>
        <tbody>
          {each('positive when unsteered', (place) => share(alone[model(place)]))}
          {each('gray zone', (place) => edges(zone[place]))}
          {each('its low edge, 95 % interval', (place) => edges(zone[place].lowInterval))}
          {each('its high edge, 95 % interval', (place) => edges(zone[place].highInterval))}
          {each('random latents’ effects', (place) => `${zone[place].effects} of ${summary.random}`)}
          {each('log-odds with sampled effect, rank correlation', (place) =>
            agreement(log_odds_agreement[place]),
          )}
          {gate &&
            each(
              'log-odds within which none was sampled',
              (place) => `${fixed(gate[place].low, 3)} to ${fixed(gate[place].high, 3)}`,
            )}
          {each('greatest incoherent share of a dose', (place) =>
            place === 'remove' ? '' : percent(limit[place]),
          )}
          {each('mean residual norm s', (place) => (place === 'remove' ? '' : fixed(norm[place], 1)))}
        </tbody>
      </table>
    </Scroll>
  );
}
