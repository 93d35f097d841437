/**
 * The sampling of one direction: dose, few samples, many samples. Random latents go through all of them first
 * and give the gray zone; candidates go as far as it takes to decide them (`full`: all the way).
 */
import { decidedEarly, placeOf, type Tally } from '../../methods/steering/effect.ts';
import type { GrayZone } from '../../methods/steering/grayZone.ts';
import { type ForcedRecord, type Side, signOf, type TrialRecord } from '../../results.ts';
import { type LatentSearch, limitedBy, searchDoses } from './doseSearches.ts';
import { type Decide, type EvaluatedLatent, evaluateLatents } from './evaluation.ts';
import { type LatentOutcome, measuredEffect, unsampled } from './latentOutcome.ts';
import { randomZone } from './randomZone.ts';
import { type TrialRunner, trialRunner } from './trials.ts';
import { leftAlone, type Unsteered } from './unsteered.ts';
import type { SteeringWork } from './work.ts';

export interface SideOutcome {
  readonly side: Side;
  readonly zone: GrayZone;
  /** random latents that the zone is made of: those that have an effect */
  readonly effects: number;
  /** share of incoherent completions, at most, of a dose */
  readonly limit: number;
  /** left alone, on all evaluation prompts */
  readonly alone: readonly Tally[];
  readonly latents: readonly LatentOutcome[];
  /** all that was sampled for it, left alone too */
  readonly trials: readonly TrialRecord[];
}

/** One direction, the runner of its trials, and what its latents do to the log-odds. */
interface SideWork {
  readonly work: SteeringWork;
  readonly side: Side;
  readonly runner: TrialRunner;
  readonly forced: ReadonlyMap<number, ForcedRecord>;
}

/**
 * Samples the random latents, then those candidates that are `chosen`; the others stand in the outcome with
 * their log-odds. Throws JudgeStopped where the judge's budget is spent, InputError where too few random
 * latents have an effect to make a gray zone of, or nothing that was left alone is coherent.
 */
export async function steerSide(
  work: SteeringWork,
  side: Side,
  forced: ReadonlyMap<number, ForcedRecord>,
  chosen: ReadonlySet<number>,
): Promise<SideOutcome> {
  const runner = trialRunner(work, side);
  try {
    return await sideOf({ work, side, runner, forced }, chosen);
  } finally {
    await runner.release();
  }
}

async function sideOf(own: SideWork, chosen: ReadonlySet<number>): Promise<SideOutcome> {
  const { work, side, runner, forced } = own;
  const { options, controls, candidates } = work;
  const unsteered = await leftAlone(runner, side, options);
  const { limit, byPrompt } = unsteered;
  const random = await sampled(own, 'random', controls, unsteered, () => false);
  const { zone, effects } = randomZone(side, random, limit, options);
  const decide: Decide = (prompts) => !options.full && decidedEarly(prompts, zone) !== undefined;
  const proposed = await sampled(
    own,
    'candidate',
    candidates.filter((latent) => chosen.has(latent)),
    unsteered,
    decide,
  );
  const rest = candidates.filter((latent) => !chosen.has(latent));
  return {
    side,
    zone,
    effects,
    limit,
    alone: [...byPrompt.values()],
    latents: [
      ...[...random, ...proposed].map((one) => ({ ...one, place: placeOf(one.effect, zone) })),
      ...rest.map((latent) => unsampled(latent, 'candidate', forced.get(latent)!)),
    ],
    trials: [...runner.used.values()],
  };
}

const shownRole = { random: 'Random latents', candidate: 'Candidates' };

/**
 * Dose and evaluation of these latents; `decide` may end one after the first prompts. Their places are not
 * known yet.
 */
async function sampled(
  { work, side, runner, forced }: SideWork,
  role: LatentOutcome['role'],
  latents: readonly number[],
  unsteered: Unsteered,
  decide: Decide,
): Promise<LatentOutcome[]> {
  const { doses, seed } = work.options;
  const label = `${shownRole[role]}, ${side}`;
  const searches = await searchDoses(runner, side, latents, unsteered, { doses, label });
  const dosed = searches.flatMap(({ latent, found }) =>
    found === undefined ? [] : [{ latent, dose: found }],
  );
  const evaluated = await evaluateLatents(runner, side, dosed, unsteered, { label, decide });
  return searches.map((search) => ({
    ...unsampled(search.latent, role, forced.get(search.latent)!),
    ...searched(search, side, unsteered),
    ...evaluation(evaluated.get(search.latent), seed),
  }));
}

/** What the dose search says of a latent. */
const searched = (search: LatentSearch, side: Side, unsteered: Unsteered) => ({
  stage: 'no dose' as const,
  dose: search.found === undefined ? undefined : signOf[side] * search.found,
  tried: search.tried,
  limitedBy: limitedBy(search, unsteered),
});

/** What the evaluation says of a latent that has a dose. */
const evaluation = (found: EvaluatedLatent | undefined, seed: number): Partial<LatentOutcome> =>
  found === undefined
    ? {}
    : { stage: found.stage, ...measuredEffect(found.prompts, found.completions, seed) };
