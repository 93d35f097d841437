/**
 * The sampling of one direction: dose, few samples, many samples. Random latents go through all of them first and give the gray zone; candidates go as
 * far as it takes to decide them (`full`: all the way).
 */

import { InputError } from '../../errors.ts';
import { grouped } from '../../methods/statistics/groups.ts';
import { doseStep } from '../../methods/steering/doseSearch.ts';
import {
  decidedEarly,
  effectInterval,
  effectOf,
  incoherentShare,
  type Place,
  type PromptTallies,
  placeOf,
  type Tally,
  total,
} from '../../methods/steering/effect.ts';
import { type GrayZone, grayZone } from '../../methods/steering/grayZone.ts';
import type { IncoherenceMeasure } from '../../methods/steering/incoherence.ts';
import {
  type Direction,
  type ForcedRecord,
  type SteeredCompletion,
  type SteeringStage,
  signOf,
  type TrialPart,
  type TrialRecord,
} from '../../results.ts';
import { type Coherence, coherenceBy, type MeasuredDose, stoppedBy } from './coherence.ts';
import type { Trial } from './trial.ts';
import { type TrialRunner, trialRunner } from './trials.ts';
import type { SteeringWork } from './work.ts';

/** What came of one latent in one direction. */
export interface LatentOutcome {
  readonly latent: number;
  readonly role: 'candidate' | 'random';
  readonly forced: ForcedRecord;
  /** how far it went */
  readonly stage: SteeringStage;
  /** α, signed; undefined where it was not sampled, or where even the weakest dose left too much text incoherent */
  readonly dose: number | undefined;
  readonly tried: readonly MeasuredDose[];
  /** what stopped the search for a stronger dose; undefined where nothing did, or where it was not sampled */
  readonly limitedBy: IncoherenceMeasure | undefined;
  /** of the evaluation prompts sampled on, steered and left alone; empty where it was not sampled */
  readonly prompts: readonly PromptTallies[];
  /** NaN where it was not sampled */
  readonly effect: number;
  readonly interval: { readonly low: number; readonly high: number };
  readonly place: Place;
  /** of the steered completions */
  readonly meanTokens: number;
}

export interface SideOutcome {
  readonly direction: Direction;
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

/** Shares of counts are compared with a sum of two: equal ones may differ by this. */
const rounding = 1e-9;

const byPrompt = (completions: readonly SteeredCompletion[], { evaluation }: Coherence) =>
  new Map([...grouped(completions, ({ prompt_id }) => prompt_id)].map(([id, own]) => [id, evaluation(own)]));

interface Search {
  found: number | undefined;
  readonly tried: MeasuredDose[];
}

/** Steps the search of every latent, a round of trials at a time. */
async function searchDoses(
  { options }: SteeringWork,
  runner: TrialRunner,
  direction: Direction,
  latents: readonly number[],
  { limit, coherence }: { limit: number; coherence: Coherence },
  label: string,
): Promise<Map<number, Search>> {
  const searches = new Map<number, Search>(
    latents.map((latent) => [latent, { found: undefined, tried: [] }]),
  );
  for (let round = 1; ; round++) {
    const trials: (Trial & { latent: number })[] = [];
    for (const [latent, search] of searches) {
      const step = doseStep(options.doses, search.tried, limit + rounding);
      if ('next' in step) trials.push({ latent, dose: signOf[direction] * step.next, part: 'calibration' });
      else search.found = step.found;
    }
    if (trials.length === 0) return searches;
    const records = await runner.run(trials, `${label}, doses, round ${round}`);
    records.forEach(({ completions }, n) => {
      const { latent, dose } = trials[n]!;
      const { byJudge, byCheap, ...tally } = coherence.calibration(completions);
      const incoherent = incoherentShare(tally);
      searches.get(latent)!.tried.push({ dose: Math.abs(dose), incoherent, byJudge, byCheap });
    });
  }
}

/**
 * Samples the random latents, then those candidates that are `chosen`; the others stand in the outcome with their log-odds. Throws JudgeStopped where the judge's
 * budget is spent, InputError where too few random latents have an effect to make a gray zone of, or nothing that was left alone is coherent.
 */
export async function steerSide(
  work: SteeringWork,
  direction: Direction,
  forced: ReadonlyMap<number, ForcedRecord>,
  chosen: ReadonlySet<number>,
): Promise<SideOutcome> {
  const runner = trialRunner(work, direction);
  try {
    return await sideOf(work, direction, forced, chosen, runner);
  } finally {
    await runner.release();
  }
}

async function sideOf(
  work: SteeringWork,
  direction: Direction,
  forced: ReadonlyMap<number, ForcedRecord>,
  chosen: ReadonlySet<number>,
  runner: TrialRunner,
): Promise<SideOutcome> {
  const { options, controls, candidates } = work;
  const alone = async (part: TrialPart) =>
    (await runner.run([{ latent: undefined, dose: 0, part }], `Left alone, ${direction}`))[0]!.completions;
  const calibrated = await alone('calibration');
  const coherence = coherenceBy(options.incoherence, calibrated);
  const limit = options.incoherent + incoherentShare(coherence.calibration(calibrated));
  const aloneByPrompt = byPrompt([...(await alone('first')), ...(await alone('rest'))], coherence);
  const leftAlone = total([...aloneByPrompt.values()]);
  if (leftAlone.coherent === 0)
    throw new InputError(
      `steering ${direction}: no gray zone: all ${leftAlone.completions} completions of the evaluation prompts left alone are incoherent`,
    );

  /** Dose and evaluation of these latents; `decide` may end one after the first prompts. */
  async function sampled(
    latents: readonly number[],
    role: LatentOutcome['role'],
    decide: (prompts: readonly PromptTallies[]) => boolean,
  ): Promise<LatentOutcome[]> {
    const label = role === 'random' ? `Random latents, ${direction}` : `Candidates, ${direction}`;
    const searches = await searchDoses(work, runner, direction, latents, { limit, coherence }, label);
    const dosed = latents.filter((latent) => searches.get(latent)!.found !== undefined);
    const completions = new Map<number, SteeredCompletion[]>();
    async function evaluate(some: readonly number[], part: TrialPart): Promise<void> {
      const trials = some.map((latent) => ({
        latent,
        dose: signOf[direction] * searches.get(latent)!.found!,
        part,
      }));
      const records = await runner.run(trials, `${label}, ${part === 'first' ? 'few' : 'many'} samples`);
      records.forEach((record, n) => {
        completions.set(some[n]!, [...(completions.get(some[n]!) ?? []), ...record.completions]);
      });
    }
    const tallies = (latent: number): PromptTallies[] =>
      [...byPrompt(completions.get(latent) ?? [], coherence)].map(([id, steered]) => ({
        steered,
        alone: aloneByPrompt.get(id)!,
      }));
    await evaluate(dosed, 'first');
    const undecided = dosed.filter((latent) => !decide(tallies(latent)));
    await evaluate(undecided, 'rest');
    const many = new Set(undecided);
    return latents.map((latent) => {
      const { found, tried } = searches.get(latent)!;
      const prompts = tallies(latent);
      const own = completions.get(latent) ?? [];
      return {
        ...unsampled(latent, role),
        stage: found === undefined ? 'no dose' : many.has(latent) ? 'many' : 'few',
        dose: found === undefined ? undefined : signOf[direction] * found,
        tried,
        limitedBy: stoppedBy(tried, limit + rounding),
        prompts,
        effect: prompts.length > 0 ? effectOf(prompts) : Number.NaN,
        interval: prompts.length > 0 ? effectInterval(prompts, options.seed) : nowhere,
        meanTokens: own.reduce((sum, { tokens }) => sum + tokens, 0) / own.length,
      };
    });
  }

  const unsampled = (latent: number, role: LatentOutcome['role']): LatentOutcome => ({
    latent,
    role,
    forced: forced.get(latent)!,
    stage: 'log-odds',
    dose: undefined,
    tried: [],
    limitedBy: undefined,
    prompts: [],
    effect: Number.NaN,
    interval: nowhere,
    place: 'inside',
    meanTokens: Number.NaN,
  });

  const random = await sampled(controls, 'random', () => false);
  const effects = random.map(({ effect }) => effect).filter((effect) => !Number.isNaN(effect));
  const needed = leastEffects(random.length);
  if (effects.length < needed)
    throw new InputError(
      `steering ${direction}: no gray zone: ${effects.length} of the ${random.length} random latents (steering.random) have an effect, expected at least ${needed}: ${withoutEffects(random, options.doses[0]!, limit)}`,
    );
  const zone = grayZone(effects, { seed: options.seed });
  const proposed = await sampled(
    candidates.filter((latent) => chosen.has(latent)),
    'candidate',
    (prompts) => !options.full && decidedEarly(prompts, zone) !== undefined,
  );
  const placed = [...random, ...proposed].map((outcome) => ({
    ...outcome,
    place: placeOf(outcome.effect, zone),
  }));
  const rest = candidates.filter((latent) => !chosen.has(latent));
  return {
    direction,
    zone,
    effects: effects.length,
    limit,
    alone: [...aloneByPrompt.values()],
    latents: [...placed, ...rest.map((latent) => unsampled(latent, 'candidate'))],
    trials: [...runner.used.values()],
  };
}

/** Fewer effects than these make no gray zone, of so many random latents. */
const leastEffects = (random: number) => Math.max(3, Math.ceil(random / 2));

/** Why random latents have no effect. */
function withoutEffects(random: readonly LatentOutcome[], weakest: number, limit: number): string {
  const none = random.filter(({ effect }) => Number.isNaN(effect));
  const noDose = none.filter(({ dose }) => dose === undefined).length;
  const broken = none.length - noDose;
  return [
    noDose > 0 &&
      `even the weakest dose, ${weakest} (steering.doses), leaves more than ${(100 * limit).toFixed(0)} % of the text incoherent with ${noDose}`,
    broken > 0 && `all completions of the evaluation prompts are incoherent under ${broken}`,
  ]
    .filter(Boolean)
    .join('; ');
}

const nowhere = { low: Number.NaN, high: Number.NaN };
