/** The causal test as result rows. */

import { type PromptTallies, total } from '../../methods/steering/effect.ts';
import { meanOf } from '../../methods/steering/forced.ts';
import type { GrayZone } from '../../methods/steering/grayZone.ts';
import { momentsOf } from '../../methods/steering/likeRandom.ts';
import { effectAtMatchedLength } from '../../methods/steering/matchedLength.ts';
import { predictionInterval } from '../../methods/steering/predictionInterval.ts';
import { shareOfAll } from '../../methods/steering/shareEffects.ts';
import { shareOfWay, type WayTallies, wayInterval } from '../../methods/steering/shareOfWay.ts';
import type { EffectPlace, FurtherPlace, RankedSteeringRow, SteeringRow } from '../../results.ts';
import { effectPlaces, furtherPlaces, placeOfRow } from '../../results.ts';
import { type ArmOutcome, effectIn, type MeasuredArm } from './armOutcome.ts';
import type { CausalTest } from './causalTest.ts';
import { type ArmInference, armInferences, inferenceOf } from './effectTests.ts';
import { tokensUnder } from './trial.ts';
import type { SteeringOptions } from './work.ts';

/** Ranks of latents, 1 the first, by selector. */
export type Ranks = ReadonlyMap<number, Readonly<Record<string, number>>>;

/** Where one more random latent is expected, and mean and deviation of those that were measured. */
export interface RandomZone extends GrayZone {
  readonly mean: number;
  readonly deviation: number;
}

/** The random latents' effects by operation and side; undefined where they were not sampled. */
export type Zones = Readonly<Record<EffectPlace | FurtherPlace, RandomZone | undefined>>;

const orNull = (x: number | undefined) => (x !== undefined && Number.isFinite(x) ? x : null);

export function zonesOf({ outcomes }: Pick<CausalTest, 'outcomes'>, seed: number): Zones {
  const zone = (place: EffectPlace | FurtherPlace) => {
    const effects = outcomes
      .filter((one) => one.direction.role === 'random' && placeOfRow(one) === place)
      .map(effectIn)
      .filter((effect) => !Number.isNaN(effect));
    if (effects.length === 0) return undefined;
    const { mean, deviation } = momentsOf(effects);
    return { ...predictionInterval(effects, { seed }), mean, deviation };
  };
  const places = [...effectPlaces, ...furtherPlaces];
  return Object.fromEntries(places.map((place) => [place, zone(place)])) as Zones;
}

/** What was sampled of an arm. */
function counts(measured: MeasuredArm | undefined) {
  const sums = (of: keyof PromptTallies) => total((measured?.prompts ?? []).map((prompt) => prompt[of]));
  const [steered, alone] = [sums('steered'), sums('alone')];
  return {
    n: steered.completions,
    coherent: steered.coherent,
    positives: steered.positives,
    alone_n: alone.completions,
    alone_coherent: alone.coherent,
    alone_positives: alone.positives,
    effect: orNull(measured?.effect),
    low: orNull(measured?.interval.low),
    high: orNull(measured?.interval.high),
    mean_tokens: orNull(meanOf((measured?.completions ?? []).map(({ tokens }) => tokens))),
  };
}

/** The same effect counted otherwise: of all completions, and between completions of one length. */
function countedOtherwise(
  { side, measured }: ArmOutcome,
  { trials }: Pick<CausalTest, 'trials'>,
  seed: number,
): Pick<
  SteeringRow,
  | 'effect_of_all'
  | 'of_all_low'
  | 'of_all_high'
  | 'effect_same_length'
  | 'same_length_low'
  | 'same_length_high'
> {
  const alone = trials.find(
    (one) => one.side === side && one.operation === null && one.part === 'evaluation',
  );
  const of = measured && shareOfAll(measured.prompts, seed);
  const same = measured && effectAtMatchedLength(measured.completions, alone?.completions ?? [], { seed });
  return {
    effect_of_all: orNull(of?.effect),
    of_all_low: orNull(of?.low),
    of_all_high: orNull(of?.high),
    effect_same_length: orNull(same?.effect),
    same_length_low: orNull(same?.low),
    same_length_high: orNull(same?.high),
  };
}

function asideCounts(aside: MeasuredArm | undefined) {
  const { completions, coherent } = total((aside?.prompts ?? []).map(({ steered }) => steered));
  return {
    aside_n: completions,
    aside_coherent: coherent,
    aside_effect: orNull(aside?.effect),
    aside_low: orNull(aside?.interval.low),
    aside_high: orNull(aside?.interval.high),
  };
}

const tested = (found: ArmInference | undefined) => ({
  effect_minus_random: orNull(found?.effectMinusRandom),
  t: orNull(found?.t),
  p: orNull(found?.p),
  q: orNull(found?.q),
  family_wise_p: orNull(found?.familyWise),
  verdict: found?.verdict ?? null,
});

/** How far a removal or a patch takes its model to the other one. */
function wayOf(
  { operation, side, measured }: ArmOutcome,
  { unsteered }: Pick<CausalTest, 'unsteered'>,
  seed: number,
): Pick<SteeringRow, 'way' | 'way_low' | 'way_high'> {
  if (operation === 'add' || measured === undefined) return { way: null, way_low: null, way_high: null };
  const others = [...unsteered[side === 'away' ? 'toward' : 'away'].byPrompt.values()];
  const prompts = measured.prompts.map(
    ({ steered, alone }, n): WayTallies => ({ from: alone, changed: steered, to: others[n]! }),
  );
  const { low, high } = wayInterval(prompts, seed);
  return { way: orNull(shareOfWay(prompts)), way_low: orNull(low), way_high: orNull(high) };
}

export interface RowContext {
  readonly test: CausalTest;
  readonly zones: Zones;
  readonly ranks: Ranks;
  readonly options: Pick<SteeringOptions, 'tokens' | 'heldTokens' | 'seed'>;
}

/** A row of every arm. */
export function steeringRows({ test, zones, ranks, options }: RowContext): RankedSteeringRow[] {
  const { seed } = options;
  const inferences = armInferences(test.outcomes, seed);
  return test.outcomes.map((outcome) => {
    const { direction, operation, side, stage, forced, measured } = outcome;
    const zone = zones[placeOfRow(outcome)];
    const effect = effectIn(outcome);
    return {
      direction: direction.name,
      latent: direction.latent,
      role: direction.role,
      operation,
      side,
      tokens: tokensUnder(operation, options),
      sign: direction.sign,
      stage,
      estimate: forced?.estimate ?? null,
      log_odds: forced?.log_odds ?? null,
      damage: forced?.damage ?? null,
      forced_dose: forced?.dose ?? null,
      dose: outcome.dose ?? null,
      dose_limited_by: outcome.limitedBy ?? null,
      ...counts(measured),
      ...countedOtherwise(outcome, test, seed),
      ...tested(inferenceOf(inferences, outcome)),
      ...wayOf(outcome, test, seed),
      ...asideCounts(outcome.aside),
      outside: zone !== undefined && (effect < zone.low || effect > zone.high),
      ranks: direction.latent === null ? {} : (ranks.get(direction.latent) ?? {}),
    };
  });
}
