/** From a causal test's rows and summary to what its figure shows. */
import {
  countsOf,
  type DirectionEffects,
  directionEffects,
  type FurtherEffect,
  furtherEffects,
  furtherWords,
  type Operation,
  type RankedSteeringRow,
  type SteeringSummary,
  strongestFirst,
  verdictUnder,
} from '../results.ts';
import {
  type ByPanel,
  type FigureDot,
  type FigureEffect,
  type FigureRow,
  type Panel,
  panels,
  type SteeringFigure,
} from './figureData.ts';

/** Candidates that get a row of their own. */
const mostCandidates = 8;

const operationOf: ByPanel<Operation> = { remove: 'remove', away: 'add', toward: 'add' };

const byPanel = <T>(of: (panel: Panel) => T): ByPanel<T> => ({
  remove: of('remove'),
  away: of('away'),
  toward: of('toward'),
});

function estimateOf(row: RankedSteeringRow | undefined): Omit<FigureEffect, 'verdict'> | undefined {
  if (row?.effect == null) return undefined;
  const { effect, low, high, aside_effect, aside_low, aside_high } = row;
  const aside =
    aside_effect === null ? undefined : { effect: aside_effect, low: aside_low!, high: aside_high! };
  return { effect, low: low!, high: high!, aside };
}

function effectOf(one: DirectionEffects, panel: Panel): FigureEffect | undefined {
  const estimate = estimateOf(one[panel]);
  return estimate && { ...estimate, verdict: verdictUnder(one, operationOf[panel]) };
}

/** Marked where it acts through its absence. */
function labelOf({ direction, latent, remove, away, toward }: DirectionEffects): string {
  const sign = (remove ?? away ?? toward)?.sign;
  return latent !== null && sign === -1 ? `${direction} (−)` : direction;
}

function rowOf(one: DirectionEffects): FigureRow {
  const { direction, latent } = one;
  return { direction, label: labelOf(one), latent, effects: byPanel((panel) => effectOf(one, panel)) };
}

function dotOf(one: DirectionEffects): FigureDot {
  const { direction, latent } = one;
  return { direction, latent, effects: byPanel((panel) => one[panel]?.effect ?? undefined) };
}

/** All of it is done to the subject, so it stands where removal does. */
function otherwiseOf({ one, place, row }: FurtherEffect): FigureRow {
  const { direction, latent } = one;
  const remove = { ...estimateOf(row)!, verdict: row.verdict ?? undefined };
  const name = `${direction}, ${furtherWords[place]}`;
  return { direction: name, label: name, latent, effects: { remove, away: undefined, toward: undefined } };
}

const isInPanels = (one: DirectionEffects) => panels.some((panel) => one[panel]?.effect != null);
const wasSampled = (one: DirectionEffects) => isInPanels(one) || furtherEffects([one]).length > 0;

/** Every direction that was sampled: the strongest candidates and what they are compared with as rows. */
export function figureOf(rows: readonly RankedSteeringRow[], summary: SteeringSummary): SteeringFigure {
  const { behaviour, zone, alone, prompts } = summary;
  const all = directionEffects(rows).filter(wasSampled);
  const of = (role: RankedSteeringRow['role']) => all.filter((one) => one.role === role);
  const candidates = strongestFirst(of('candidate'));
  const share = ({ positives, coherent }: SteeringSummary['alone']['away']) => positives / coherent;
  const used = (use: 'evaluation' | 'aside') => prompts.filter((prompt) => prompt.use === use).length;
  return {
    behaviour,
    candidates: candidates.slice(0, mostCandidates).map(rowOf),
    groups: of('group').map(rowOf),
    otherwise: furtherEffects([
      ...candidates.slice(0, mostCandidates),
      ...of('group'),
      ...all.filter(({ further }) => further?.system !== undefined),
    ]).map(otherwiseOf),
    comparisons: [...of('comparison'), ...of('control')].filter(isInPanels).map(rowOf),
    others: candidates.slice(mostCandidates).map(dotOf),
    random: of('random').map(dotOf),
    gaussian: of('gaussian').map(dotOf),
    zone: byPanel((panel) => zone[panel]),
    alone: { subject: share(alone.away), reference: share(alone.toward) },
    prompts: { evaluation: used('evaluation'), aside: used('aside') },
    caption: countsOf({ rows, summary }),
  };
}
