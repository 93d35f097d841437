/**
 * The search for a fix on the calibration prompts, and its measurement on prompts that had no part in the choice:
 * docs/method.md section 5.
 */

import { InputError } from '../../errors.ts';
import { incoherentShare, positiveShare, type Tally, total } from '../../methods/steering/effect.ts';
import { meanOf } from '../../methods/steering/forced.ts';
import { inferEffects } from '../../methods/steering/inference.ts';
import { predictionInterval } from '../../methods/steering/predictionInterval.ts';
import { shareOfWay, wayInterval } from '../../methods/steering/shareOfWay.ts';
import type { FixRecord, MeasuredFix, TrialPart, TrialRecord } from '../../results.ts';
import type { FixOperation } from '../config/sections/fix.ts';
import { type MeasuredArm, measuredOf } from '../steering/armOutcome.ts';
import type { Coherence } from '../steering/coherence.ts';
import type { Arm } from '../steering/trial.ts';
import type { TrialRunner } from '../steering/trials.ts';
import { leftAloneOn, type Unsteered } from '../steering/unsteered.ts';
import type { LatentSet } from './fixSets.ts';

/** A set under one operation. */
export interface TriedSet extends LatentSet {
  readonly operation: FixOperation;
  readonly arm: Arm;
}

interface Tried extends TriedSet {
  readonly tally: Tally;
}

const numbersOf = ({ latents }: Pick<LatentSet, 'latents'>) => latents.map(({ latent }) => latent);

/**
 * The candidate of the least share of positives among those that leave the texts coherent enough; of equal shares the
 * one of fewest latents, then the first. Undefined where none has a share below that of the model left alone.
 */
export function bestOf<C extends { readonly latents: readonly unknown[]; readonly tally: Tally }>(
  tried: readonly C[],
  alone: Tally,
  limit: number,
): C | undefined {
  const counting = tried.filter(
    ({ tally }) => incoherentShare(tally) <= limit && positiveShare(tally) < positiveShare(alone),
  );
  return counting.toSorted(
    (a, b) => positiveShare(a.tally) - positiveShare(b.tally) || a.latents.length - b.latents.length,
  )[0];
}

/** Tries all candidates; `alone` is the tally of the model left alone on the same prompts. */
export async function searchFix(
  runner: Pick<TrialRunner, 'run'>,
  candidates: readonly TriedSet[],
  { coherence, limit }: Pick<Unsteered, 'coherence' | 'limit'>,
  alone: Tally,
): Promise<{ readonly tried: readonly Tried[]; readonly best: Tried | undefined }> {
  const records = await runner.run(
    candidates.map(({ arm }) => ({ arm, part: 'calibration' as const })),
    'Sets of latents, calibration prompts',
  );
  const tried = candidates.map((one, n) => ({
    ...one,
    tally: coherence.calibration(records[n]!.completions),
  }));
  return { tried, best: bestOf(tried, alone, limit) };
}

const tallyFields = ({ completions, coherent, positives }: Tally) => ({ completions, coherent, positives });

export const triedOf = ({
  operation,
  orders,
  tally,
  ...set
}: Tried): FixRecord['search']['sets'][number] => ({
  operation,
  orders: [...orders],
  latents: numbersOf(set),
  ...tallyFields(tally),
});

/** An arm to measure, and what it is. */
export interface MeasuredSet {
  readonly role: MeasuredFix['role'];
  readonly name: string;
  readonly operation: FixOperation | null;
  readonly latents: readonly number[];
  readonly arm: Arm;
}

export interface Measurement {
  readonly runner: Pick<TrialRunner, 'run'>;
  readonly other: Pick<TrialRunner, 'run'>;
  readonly coherence: Coherence;
  readonly parts: readonly TrialPart[];
  readonly seed: number;
}

const orNull = (x: number) => (Number.isFinite(x) ? x : null);

/** Arms measured on all parts together. */
async function measuredArms(
  { runner, coherence, parts }: Measurement,
  arms: readonly Arm[],
  byPrompt: ReadonlyMap<string, Tally>,
  label: string,
): Promise<MeasuredArm[]> {
  const trials = arms.flatMap((arm) => parts.map((part) => ({ arm, part })));
  const records = await runner.run(trials, label);
  return arms.map((_, n) => {
    const own = records.slice(n * parts.length, (n + 1) * parts.length);
    return measuredOf(
      own.flatMap(({ completions }: TrialRecord) => completions),
      { coherence, byPrompt },
    );
  });
}

async function aloneOn(
  runner: Pick<TrialRunner, 'run'>,
  side: 'away' | 'toward',
  { coherence, parts }: Measurement,
): Promise<Map<string, Tally>> {
  const found: [string, Tally][] = [];
  for (const part of parts) found.push(...(await leftAloneOn(runner, side, part, coherence)));
  return new Map(found);
}

/** Fewer effects than these say nothing of one more. */
const leastSets = 3;

type Measured = NonNullable<FixRecord['measured']>;

/**
 * The fix, what it is compared with, the reference as it is, random sets. Throws InputError where too few of these leave
 * coherent texts.
 */
export async function measureFix(
  measurement: Measurement,
  fix: MeasuredSet,
  random: readonly MeasuredSet[],
  compared: readonly MeasuredSet[],
): Promise<Omit<Measured, 'aside'>> {
  const { runner, other, seed } = measurement;
  const alone = await aloneOn(runner, 'away', measurement);
  const reference = await aloneOn(other, 'toward', measurement);
  const asked = [fix, ...compared];
  const own = await measuredArms(
    measurement,
    asked.map(({ arm }) => arm),
    alone,
    'The fix and what it is compared with',
  );
  const others = await measuredArms(
    measurement,
    random.map(({ arm }) => arm),
    alone,
    'Sets of random latents',
  );
  const rowOf = (
    { role, name, operation, latents }: Omit<MeasuredSet, 'arm'>,
    arm: MeasuredArm,
  ): MeasuredFix => {
    const way = arm.prompts.map(({ steered, alone: from }, n) => ({
      from,
      changed: steered,
      to: [...reference.values()][n]!,
    }));
    const interval = wayInterval(way, seed);
    return {
      name,
      role,
      operation,
      latents: [...latents],
      ...tallyFields(total(arm.prompts.map(({ steered }) => steered))),
      effect: orNull(arm.effect),
      low: orNull(arm.interval.low),
      high: orNull(arm.interval.high),
      way: orNull(shareOfWay(way)),
      way_low: orNull(interval.low),
      way_high: orNull(interval.high),
      mean_tokens: orNull(meanOf(arm.completions.map(({ tokens }) => tokens))),
    };
  };
  const effects = others.map(({ effect }) => effect);
  const known = effects.filter((effect) => !Number.isNaN(effect));
  if (known.length < leastSets)
    throw new InputError(
      `fix: expected coherent texts under at least ${leastSets} sets of random latents, found them under ${known.length} of ${effects.length}: raise fix.random, or lower fix.sizes`,
    );
  const zone = predictionInterval(known, { seed });
  const [first] = own as [MeasuredArm];
  const inferred = inferEffects(
    {
      fix: { sides: [{ sign: -1, random: effects, candidates: [first.effect], prompts: [first.prompts] }] },
    },
    { seed },
  ).fix![0]!;
  const atReference = {
    ...tallyFields(total([...reference.values()])),
    effect: orNull(positiveShare(total([...reference.values()])) - positiveShare(total([...alone.values()]))),
  };
  return {
    prompts: alone.size,
    unsteered: tallyFields(total([...alone.values()])),
    arms: [
      ...asked.map((one, n) => rowOf(one, own[n]!)),
      {
        name: 'the reference',
        role: 'reference',
        operation: null,
        latents: [],
        ...atReference,
        low: null,
        high: null,
        way: 1,
        way_low: null,
        way_high: null,
        mean_tokens: null,
      },
      ...random.map((one, n) => rowOf(one, others[n]!)),
    ],
    random: { sets: effects.length, low: zone.low, high: zone.high },
    p: inferred.familyWise,
  };
}
