/** From a causal test's rows and summary to what its figure shows. */
import {
  countsOf,
  type DirectionEffects,
  directionEffects,
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

function effectOf(one: DirectionEffects, panel: Panel): FigureEffect | undefined {
  const row = one[panel];
  if (row?.effect == null) return undefined;
  const { effect, low, high, aside_effect, aside_low, aside_high } = row;
  const aside =
    aside_effect === null ? undefined : { effect: aside_effect, low: aside_low!, high: aside_high! };
  return { effect, low: low!, high: high!, verdict: verdictUnder(one, operationOf[panel]), aside };
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

const wasSampled = (one: DirectionEffects) => panels.some((panel) => one[panel]?.effect != null);

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
    comparisons: [...of('comparison'), ...of('control')].map(rowOf),
    others: candidates.slice(mostCandidates).map(dotOf),
    random: of('random').map(dotOf),
    gaussian: of('gaussian').map(dotOf),
    zone: byPanel((panel) => zone[panel]),
    alone: { subject: share(alone.away), reference: share(alone.toward) },
    prompts: { evaluation: used('evaluation'), aside: used('aside') },
    caption: countsOf({ rows, summary }),
  };
}
