/** The causal test's two directions as result rows, and the table of the source's claims. */

import { rankCorrelation } from '../../methods/statistics/rankCorrelation.ts';
import { total } from '../../methods/steering/effect.ts';
import { meanOf } from '../../methods/steering/forced.ts';
import {
  bothSides,
  confirmedLatents,
  effectsOf,
  type LatentEffects,
  type LatentVerdict,
  type RankedSteeringRow,
  type SelectorClaim,
  type Side,
  type SteeredPrompt,
  type SteeringSummary,
  verdictOf,
  type Zone,
} from '../../results.ts';
import type { Gate } from './causalTest.ts';
import type { LatentOutcome } from './latentOutcome.ts';
import type { SideOutcome } from './side.ts';
import type { SteeringWork } from './work.ts';

/** Ranks of latents, 1 the first, by selector. */
export type Ranks = ReadonlyMap<number, Readonly<Record<string, number>>>;

export type Sides = Readonly<Record<Side, SideOutcome>>;

const orNull = (x: number) => (Number.isFinite(x) ? x : null);

function rowOf(outcome: LatentOutcome, side: Side, ranks: Ranks): RankedSteeringRow {
  const { latent, role, stage, forced, prompts, effect, interval } = outcome;
  const steered = total(prompts.map((prompt) => prompt.steered));
  const alone = total(prompts.map((prompt) => prompt.alone));
  return {
    latent,
    side,
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
  return bothSides.flatMap((side) => sides[side].latents.map((outcome) => rowOf(outcome, side, ranks)));
}

const bySide = <T>(of: (side: Side) => T) => ({ away: of('away'), toward: of('toward') });

export interface SelectorCandidates {
  readonly selector: string;
  readonly about: string;
  readonly latents: readonly number[];
}

function claimOf(
  { selector, about, latents }: SelectorCandidates,
  effects: ReadonlyMap<number, LatentEffects>,
  zone: Zone,
): SelectorClaim {
  const found = latents.map((latent) => effects.get(latent)!);
  const sampled = (side: Side) => found.flatMap((one) => one[side]?.effect ?? []);
  const as = (...sides: readonly LatentVerdict[]) =>
    found.filter((one) => sides.includes(verdictOf(one, zone))).length;
  return {
    selector,
    about,
    candidates: latents.length,
    outside: { away: as('away', 'both'), toward: as('toward', 'both'), both: as('both') },
    sampled: bySide((side) => sampled(side).length),
    mean_effect: bySide((side) => orNull(meanOf(sampled(side)))),
  };
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
  readonly norm: Readonly<Record<Side, number>>;
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
  const zone = bySide((side) => sides[side].zone);
  const first = confirmedLatents(rows, zone)[0];
  const effects = new Map(effectsOf(rows).map((one) => [one.latent, one]));
  const { behaviour, site, norm, gate, candidates, prompts } = about;
  return {
    behaviour,
    site,
    norm: { ...norm },
    zone: bySide((side) => ({ ...zone[side], effects: sides[side].effects })),
    gate: gate ? bySide((side) => gate[side]) : null,
    limit: bySide((side) => sides[side].limit),
    alone: bySide((side) => total(sides[side].alone)),
    random: sides.away.latents.filter(({ role }) => role === 'random').length,
    log_odds_agreement: bySide((side) => agreementOf(sides[side])),
    first: first
      ? {
          latent: first.away.latent,
          away: first.away.effect!,
          toward: first.toward.effect!,
          ranks: { ...first.away.ranks },
        }
      : null,
    selectors: candidates.map((one) => claimOf(one, effects, zone)),
    stages: bySide((side) => stagesOf(sides[side])),
    prompts: promptsOf(prompts),
  };
}
