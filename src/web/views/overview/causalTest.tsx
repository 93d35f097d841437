/**
 * The validation by steering: figure, what is selected in it, the selectors' claims, and what checks the
 * numbers.
 */
import { useMemo, useState } from 'react';
import { checkFigure, nothingToDraw, type SteeringFigure } from '../../../figure/figureData.ts';
import { figureOf } from '../../../figure/figureOf.ts';
import { effectsOf, type StudyManifest, withVerdict } from '../../../results.ts';
import { count, fixed, percent, plural, points } from '../../format.ts';
import { Scroll } from '../../parts/scroll.tsx';
import { inStudy, type Route } from '../../routes.ts';
import type { SteeringRecords } from '../../study.ts';
import { EffectsTable } from './effectsTable.tsx';
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

export function CausalTestFigure({ steering, route }: { steering: SteeringRecords; route: Route }) {
  const { rows, summary } = steering;
  const [selected, setSelected] = useState<readonly number[]>([]);
  const effects = useMemo(() => effectsOf(rows), [rows]);
  const figure = useMemo(() => figureOf(rows, summary), [rows, summary]);
  const fault = useMemo(() => faultOf(figure), [figure]);
  const outside = (['both', 'away', 'toward'] as const).flatMap((verdict) =>
    withVerdict(effects, summary.zone, verdict),
  );
  const chosen = new Set(selected);
  const listed = selected.length > 0 ? effects.filter(({ latent }) => chosen.has(latent)) : outside;
  const undrawn = effects.length - figure.points.length - figure.random.length;
  return (
    <>
      {fault === undefined ? (
        <SteeringFigureView
          figure={figure}
          effectsOf={(latent) => effects.find((one) => one.latent === latent)!}
          selected={chosen}
          hrefOf={(latent) => inStudy(route, 'latent', `${latent}`)}
          onSelect={setSelected}
        />
      ) : (
        <p>{fault}</p>
      )}
      {undrawn > 0 && (
        <p className="quiet">
          Not drawn: {plural(undrawn, 'latent')} that {undrawn === 1 ? 'was' : 'were'} not sampled in both
          directions.
        </p>
      )}
      <h3>
        {selected.length > 0
          ? `Selected: ${plural(listed.length, 'latent')}`
          : 'Outside the gray zone, as a cause would be'}{' '}
        {selected.length > 0 && (
          <button type="button" onClick={() => setSelected([])}>
            clear
          </button>
        )}
      </h3>
      {listed.length > 0 ? <EffectsTable effects={listed} zone={summary.zone} route={route} /> : <p>None.</p>}
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
            <th className="num">sampled</th>
            <th className="num">outside away</th>
            <th className="num">outside toward</th>
            <th className="num">both</th>
            <th className="num">mean away</th>
            <th className="num">mean toward</th>
          </tr>
        </thead>
        <tbody>
          {summary.selectors.map(({ selector, about, candidates, sampled, outside, mean_effect }) => (
            <tr key={selector}>
              <td>
                {selector}
                <br />
                <span className="quiet">{about}</span>
              </td>
              <td className="num">{count(candidates)}</td>
              <td className="num">
                {sampled.away === sampled.toward ? sampled.away : `${sampled.away} / ${sampled.toward}`}
              </td>
              <td className="num">{outside.away}</td>
              <td className="num">{outside.toward}</td>
              <td className="num">
                <strong>{outside.both}</strong>
              </td>
              <td className="num">{mean(mean_effect.away)}</td>
              <td className="num">{mean(mean_effect.toward)}</td>
            </tr>
          ))}
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
    return <p>The judge knows every sentence of the made-up world that the study is of: it is right.</p>;
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
  const both = (name: string, of: (side: 'away' | 'toward') => string) => (
    <tr>
      <th scope="row">{name}</th>
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
            <th className="num">away, subject</th>
            <th className="num">toward, reference</th>
          </tr>
        </thead>
        <tbody>
          {both('positive when left alone', (side) => share(alone[side]))}
          {both('gray zone', (side) => edges(zone[side]))}
          {both('its low edge, 95 % interval', (side) => edges(zone[side].lowInterval))}
          {both('its high edge, 95 % interval', (side) => edges(zone[side].highInterval))}
          {both('random latents’ effects', (side) => `${zone[side].effects} of ${summary.random}`)}
          {both('log-odds with sampled effect, rank correlation', (side) =>
            agreement(log_odds_agreement[side]),
          )}
          {gate &&
            both(
              'log-odds within which none was sampled',
              (side) => `${fixed(gate[side].low, 3)} to ${fixed(gate[side].high, 3)}`,
            )}
          {both('greatest incoherent share of a dose', (side) => percent(limit[side]))}
          {both('mean residual norm s', (side) => fixed(norm[side], 1))}
        </tbody>
      </table>
    </Scroll>
  );
}
