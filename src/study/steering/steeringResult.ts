/** The proof's two directions as result rows, the table of the source's claims, and what the figure shows. */

import type { Interval } from '../../methods/bootstrap.ts';
import { actsAsCause, total } from '../../methods/effect.ts';
import { meanOf } from '../../methods/forced.ts';
import { rankCorrelation } from '../../methods/rankCorrelation.ts';
import {
  type Direction,
  directions,
  type RankedSteeringRow,
  type SelectorClaim,
  type SteeredPrompt,
  type SteeringSummary,
} from '../../results.ts';
import type { FigurePoint, SteeringFigure } from '../figure/figureData.ts';
import type { Gate } from './proof.ts';
import type { LatentOutcome, SideOutcome } from './side.ts';
import { type SteeringWork, signOf } from './work.ts';

/** Ranks of latents, 1 the first, by selector. */
export type Ranks = ReadonlyMap<number, Readonly<Record<string, number>>>;

export type Sides = Readonly<Record<Direction, SideOutcome>>;

const orNull = (x: number) => (Number.isFinite(x) ? x : null);

function rowOf(outcome: LatentOutcome, direction: Direction, ranks: Ranks): RankedSteeringRow {
  const { latent, role, stage, forced, prompts, effect, interval } = outcome;
  const steered = total(prompts.map((prompt) => prompt.steered));
  const alone = total(prompts.map((prompt) => prompt.alone));
  return {
    latent,
    direction,
    role,
    stage,
    estimate: forced.estimate,
    log_odds: forced.log_odds,
    damage: forced.damage,
    forced_dose: forced.dose,
    dose: outcome.dose ?? null,
    dose_limited_by: outcome.limitedBy ?? null,
    n: steered.completions,
    coherent: steered.coherent,
    positives: steered.positives,
    alone_coherent: alone.coherent,
    alone_positives: alone.positives,
    effect: orNull(effect),
    low: orNull(interval.low),
    high: orNull(interval.high),
    mean_tokens: orNull(outcome.meanTokens),
    outside: outcome.place === 'outside',
    ranks: ranks.get(latent) ?? {},
  };
}

/** Both directions, latent by latent. */
export function steeringRows(sides: Sides, ranks: Ranks): RankedSteeringRow[] {
  return directions.flatMap((direction) =>
    sides[direction].latents.map((outcome) => rowOf(outcome, direction, ranks)),
  );
}

/** Whether steering a latent moved the behaviour as a cause would: down when steered away, up when steered toward, beyond the gray zone. */
const asCause = (sides: Sides, outcome: LatentOutcome | undefined, direction: Direction): boolean =>
  outcome !== undefined && actsAsCause(outcome.effect, sides[direction].zone, signOf[direction]);

const bySide = <T>(of: (direction: Direction) => T) => ({ away: of('away'), toward: of('toward') });

function indexed(sides: Sides) {
  const maps = bySide((direction) => new Map(sides[direction].latents.map((one) => [one.latent, one])));
  return (direction: Direction, latent: number) => maps[direction].get(latent);
}

export interface SelectorCandidates {
  readonly selector: string;
  readonly about: string;
  readonly latents: readonly number[];
}

function claimOf({ selector, about, latents }: SelectorCandidates, sides: Sides): SelectorClaim {
  const outcome = indexed(sides);
  const effects = (direction: Direction) =>
    latents.map((latent) => outcome(direction, latent)!.effect).filter((effect) => !Number.isNaN(effect));
  const caused = (direction: Direction) =>
    latents.filter((latent) => asCause(sides, outcome(direction, latent), direction));
  const both = caused('away').filter((latent) => asCause(sides, outcome('toward', latent), 'toward'));
  return {
    selector,
    about,
    candidates: latents.length,
    outside: { ...bySide((direction) => caused(direction).length), both: both.length },
    sampled: bySide((direction) => effects(direction).length),
    mean_effect: bySide((direction) => orNull(meanOf(effects(direction)))),
  };
}

/** One latent's rows. */
export interface ProvenLatent {
  readonly away: RankedSteeringRow;
  readonly toward: RankedSteeringRow;
}

/** Candidates that move the behaviour as a cause would in both directions, those with the greatest two effects together first. */
export function provenLatents(
  rows: readonly RankedSteeringRow[],
  zone: Readonly<Record<Direction, Interval>>,
): ProvenLatent[] {
  const causes = rows.filter(
    ({ role, direction, effect }) =>
      role === 'candidate' && actsAsCause(effect ?? Number.NaN, zone[direction], signOf[direction]),
  );
  const toward = new Map(causes.filter((row) => row.direction === 'toward').map((row) => [row.latent, row]));
  const size = (one: ProvenLatent) => one.toward.effect! - one.away.effect!;
  return causes
    .flatMap((away) => {
      const other = toward.get(away.latent);
      return away.direction === 'away' && other ? [{ away, toward: other }] : [];
    })
    .sort((a, b) => size(b) - size(a) || a.away.latent - b.away.latent);
}

function agreementOf({ latents }: SideOutcome): number | null {
  const both = latents.filter(({ effect }) => !Number.isNaN(effect));
  if (both.length < 3) return null;
  return orNull(
    rankCorrelation(
      both.map(({ forced }) => forced.log_odds),
      both.map(({ effect }) => effect),
    ),
  );
}

function stagesOf({ latents }: SideOutcome): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { role, stage } of latents) {
    const name = role === 'random' ? `random: ${stage}` : stage;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

export interface SummaryOf {
  readonly behaviour: string;
  readonly site: string;
  readonly norm: Readonly<Record<Direction, number>>;
  /** undefined where every candidate was sampled */
  readonly gate: Gate | undefined;
  readonly candidates: readonly SelectorCandidates[];
  readonly prompts: SteeringWork['prompts'];
}

/** Without their ids. */
const promptsOf = ({ calibration, evaluation }: SteeringWork['prompts']): SteeredPrompt[] =>
  Object.entries({ calibration, evaluation }).flatMap(([use, prompts]) =>
    prompts.map(({ id, prompt }) => ({ id, use: use as SteeredPrompt['use'], prompt })),
  );

export function steeringSummary(
  sides: Sides,
  rows: readonly RankedSteeringRow[],
  about: SummaryOf,
): SteeringSummary {
  const zone = bySide((direction) => sides[direction].zone);
  const first = provenLatents(rows, zone)[0];
  const { behaviour, site, norm, gate, candidates, prompts } = about;
  return {
    behaviour,
    site,
    norm: { ...norm },
    zone: bySide((direction) => ({ ...zone[direction], effects: sides[direction].effects })),
    gate: gate ? bySide((direction) => gate[direction]) : null,
    limit: bySide((direction) => sides[direction].limit),
    alone: bySide((direction) => total(sides[direction].alone)),
    random: sides.away.latents.filter(({ role }) => role === 'random').length,
    log_odds_agreement: bySide((direction) => agreementOf(sides[direction])),
    first: first
      ? {
          latent: first.away.latent,
          away: first.away.effect!,
          toward: first.toward.effect!,
          ranks: { ...first.away.ranks },
        }
      : null,
    selectors: candidates.map((one) => claimOf(one, sides)),
    stages: bySide((direction) => stagesOf(sides[direction])),
    prompts: promptsOf(prompts),
  };
}

/** What the figure shows: latents that were sampled in both directions. */
export function figureOf(
  rows: readonly RankedSteeringRow[],
  { behaviour, zone, selectors }: Pick<SteeringSummary, 'behaviour' | 'zone' | 'selectors'>,
): SteeringFigure {
  const toward = new Map(rows.filter((row) => row.direction === 'toward').map((row) => [row.latent, row]));
  const points = (role: RankedSteeringRow['role']): FigurePoint[] =>
    rows.flatMap((away) => {
      const other = toward.get(away.latent);
      if (away.direction !== 'away' || away.role !== role) return [];
      if (away.effect === null || other === undefined || other.effect === null) return [];
      return [
        {
          latent: away.latent,
          away: away.effect,
          toward: other.effect,
          awayInterval: { low: away.low!, high: away.high! },
          towardInterval: { low: other.low!, high: other.high! },
          selectors: Object.keys(away.ranks),
        },
      ];
    });
  const proposed = Object.fromEntries(selectors.map(({ selector, candidates }) => [selector, candidates]));
  return { behaviour, points: points('candidate'), random: points('random'), proposed, zone };
}
