/** steering.json: the gray zones, and the table of the source's claims. */
import { rankCorrelation } from '../../methods/statistics/rankCorrelation.ts';
import { total } from '../../methods/steering/effect.ts';
import { meanOf } from '../../methods/steering/forced.ts';
import type { FurtherPlace, Side } from '../../results.ts';
import {
  confirmedBy,
  confirmedLatents,
  type EffectPlace,
  type EffectZone,
  effectsOf,
  familyWiseP,
  furtherPlaces,
  type LatentEffects,
  leavesBothWays,
  placeOfRow,
  type RankedSteeringRow,
  rowActsAsCause,
  type SelectorClaim,
  type SteeredPrompt,
  type SteeringSummary,
  verdictUnder,
  type Zone,
} from '../../results.ts';
import { type ArmOutcome, effectIn } from './armOutcome.ts';
import type { CausalTest } from './causalTest.ts';
import { exitsOf } from './effectTests.ts';
import type { Zones } from './steeringResult.ts';
import { promptsByPart } from './trialParts.ts';
import type { SteeringWork } from './work.ts';

const orNull = (x: number) => (Number.isFinite(x) ? x : null);
const bySide = <T>(of: (side: Side) => T) => ({ away: of('away'), toward: of('toward') });
const byPlace = <T>(of: (place: 'remove' | Side) => T) => ({
  remove: of('remove'),
  away: of('away'),
  toward: of('toward'),
});

export interface SelectorCandidates {
  readonly selector: string;
  readonly about: string;
  readonly latents: readonly number[];
}

export interface SummaryOf {
  readonly behaviour: string;
  readonly site: string;
  readonly work: Pick<SteeringWork, 'sides' | 'prompts' | 'options' | 'controls' | 'others' | 'system'>;
  readonly candidates: readonly SelectorCandidates[];
  readonly comparisons: SteeringSummary['comparisons'];
}

function claimOf(
  { selector, about, latents }: SelectorCandidates,
  effects: ReadonlyMap<number, LatentEffects>,
  zone: Zone,
): SelectorClaim {
  const found = latents.map((latent) => effects.get(latent)!);
  const sampled = (place: 'remove' | Side) => found.flatMap((one) => one[place]?.effect ?? []);
  const count = (is: (one: LatentEffects) => boolean) => found.filter(is).length;
  return {
    selector,
    about,
    candidates: latents.length,
    confirmed: {
      remove: count((one) => verdictUnder(one, 'remove') === 'confirmed'),
      add: count((one) => verdictUnder(one, 'add') === 'confirmed'),
      either: count((one) => confirmedBy(one).length > 0),
    },
    outside: {
      ...byPlace((place) => count((one) => rowActsAsCause(one[place], zone))),
      both: count((one) => leavesBothWays(one, zone)),
    },
    sampled: byPlace((place) => sampled(place).length),
    mean_effect: byPlace((place) => orNull(meanOf(sampled(place)))),
  };
}

const armsOn = (outcomes: readonly ArmOutcome[], place: EffectPlace | FurtherPlace) =>
  outcomes.filter((one) => placeOfRow(one) === place);

function agreementOf(outcomes: readonly ArmOutcome[]): number | null {
  const both = outcomes.filter((one) => one.forced !== undefined && !Number.isNaN(effectIn(one)));
  if (both.length < 3) return null;
  return orNull(
    rankCorrelation(
      both.map(({ forced }) => forced!.log_odds),
      both.map(effectIn),
    ),
  );
}

function stagesOf(outcomes: readonly ArmOutcome[]): SteeringSummary['stages'] {
  const counts: Record<string, Record<string, number>> = {};
  for (const { direction, operation, side, stage } of outcomes) {
    const place = `${operation} ${side}`;
    const name = direction.role === 'candidate' ? stage : `${direction.role}: ${stage}`;
    counts[place] = { ...counts[place], [name]: (counts[place]?.[name] ?? 0) + 1 };
  }
  return counts;
}

/** Undefined where nothing was sampled there. */
function zoneOf(
  place: EffectPlace | FurtherPlace,
  zones: Zones,
  outcomes: readonly ArmOutcome[],
): EffectZone | undefined {
  const zone = zones[place];
  if (zone === undefined) return undefined;
  const random = armsOn(outcomes, place).filter(({ direction }) => direction.role === 'random');
  return { ...zone, effects: random.filter((one) => !Number.isNaN(effectIn(one))).length };
}

/** Without their ids. */
function promptsOf(work: SummaryOf['work']): SteeredPrompt[] {
  const parts = promptsByPart(work);
  return (['calibration', 'evaluation', 'aside'] as const).flatMap((use) =>
    parts[use].prompts.map(({ id, prompt }) => ({ id, use, prompt })),
  );
}

export function steeringSummary(
  test: CausalTest,
  zones: Zones,
  rows: readonly RankedSteeringRow[],
  { behaviour, site, work, candidates, comparisons }: SummaryOf,
): SteeringSummary {
  const { outcomes, unsteered } = test;
  const zone = (place: EffectPlace | FurtherPlace) => zoneOf(place, zones, outcomes);
  const further = furtherPlaces.flatMap((place) => {
    const found = zone(place);
    return found ? [[place, found] as const] : [];
  });
  const zoned = {
    ...byPlace((place) => zone(place)!),
    patch: zone('patch') ?? null,
    ...Object.fromEntries(further),
  };
  const effects = new Map(effectsOf(rows).map((one) => [one.latent, one]));
  return {
    behaviour,
    site,
    norm: bySide((side) => work.sides[side].norm),
    zone: zoned,
    exits: exitsOf(outcomes, work.options.seed),
    gate: test.gate ?? null,
    limit: bySide((side) => unsteered[side].limit),
    alone: bySide((side) => total([...unsteered[side].byPrompt.values()])),
    random: work.controls.length,
    gaussian: work.others.filter(({ role }) => role === 'gaussian').length,
    log_odds_agreement: byPlace((place) => agreementOf(armsOn(outcomes, place))),
    first: firstOf(confirmedLatents(rows)[0]),
    selectors: candidates.map((one) => claimOf(one, effects, zoned)),
    comparisons,
    ...(test.greedy && { greedy: [...test.greedy] }),
    ...(work.system && { system: work.system.text }),
    stages: stagesOf(outcomes),
    prompts: promptsOf(work),
  };
}

function firstOf(one: LatentEffects | undefined): SteeringSummary['first'] {
  if (one === undefined) return null;
  const [operation] = confirmedBy(one).sort((a, b) => familyWiseP(one, a) - familyWiseP(one, b));
  return {
    latent: one.latent,
    operation: operation!,
    family_wise_p: familyWiseP(one, operation!),
    ranks: { ...one.ranks },
  };
}
