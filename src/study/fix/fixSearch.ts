/** The whole of a fix: which sets there are, which is the best, what it does beside others, what it costs. */
import { InputError } from '../../errors.ts';
import type { Steering } from '../../methods/steering/steer.ts';
import type { FixRecord, LatentRow, SteeringRow, TrialPart, TrialRecord } from '../../results.ts';
import type { AttributionArrays } from '../attribution/attributionFiles.ts';
import type { FixConfig } from '../config/sections/fix.ts';
import type { StudyContrast } from '../open/contrasts.ts';
import type { FittingDictionary, OpenStudy } from '../open/study.ts';
import { steeringOf } from '../steering/armSteering.ts';
import { systemDirection } from '../steering/furtherArms.ts';
import { keptAside, leastEvaluated } from '../steering/trialParts.ts';
import { type TrialRunner, trialRunner } from '../steering/trials.ts';
import { leftAlone } from '../steering/unsteered.ts';
import type { SteeringWork } from '../steering/work.ts';
import { setArm } from './fixArms.ts';
import { type CollateralArm, fixCollateral } from './fixCollateral.ts';
import {
  type MeasuredSet,
  type Measurement,
  measureFix,
  searchFix,
  type TriedSet,
  triedOf,
} from './fixMeasure.ts';
import { capsOf, fixLatents, inWords, otherDirections, randomSets } from './fixParts.ts';
import { type FixLatent, orderedLatents, setsOf } from './fixSets.ts';

export interface FixRequest {
  readonly fix: FixConfig;
  readonly dictionary: FittingDictionary;
  readonly attribution: AttributionArrays;
  readonly contrasts: readonly StudyContrast[];
  readonly rows: readonly LatentRow[];
  readonly steered: readonly SteeringRow[];
  readonly behaviour: string;
}

export interface FoundFix {
  readonly record: FixRecord;
  readonly trials: readonly TrialRecord[];
  /** undefined where there is no fix */
  readonly steering: Steering | undefined;
}

async function candidatesOf(
  study: OpenStudy,
  work: SteeringWork,
  { fix, dictionary, contrasts, rows, steered }: FixRequest,
): Promise<TriedSet[]> {
  const ordered = orderedLatents(rows, steered, fix);
  const known = await fixLatents(dictionary, rows, [...ordered.values()].flat());
  const caps = fix.operations.includes('cap')
    ? await capsOf(study, dictionary, contrasts, [...known.values()], {
        quantile: fix.quantile,
        tokens: work.options.heldTokens,
      })
    : new Map<number, number>();
  return setsOf(ordered, fix.sizes, known).flatMap((set) =>
    fix.operations.map(
      (operation): TriedSet => ({ ...set, operation, arm: setArm(set.latents, operation, caps) }),
    ),
  );
}

/**
 * On which prompts a fix is measured: where its latents are first by the causal test, those that the test kept aside; else
 * all that it was not searched on. Fewer than two kept aside do not do.
 */
export function measuredOn(
  orders: readonly string[],
  aside: number,
): { readonly parts: readonly TrialPart[]; readonly aside: boolean } {
  const isByTest = orders.every((order) => order === 'confirmed');
  if (isByTest && aside >= leastEvaluated) return { parts: ['aside'], aside: true };
  return { parts: aside > 0 ? ['evaluation', 'aside'] : ['evaluation'], aside: false };
}

interface Measuring {
  readonly measurement: Measurement;
  readonly best: TriedSet;
}

async function armsFor(
  study: OpenStudy,
  work: SteeringWork,
  request: FixRequest,
  best: TriedSet,
): Promise<{ random: MeasuredSet[]; compared: MeasuredSet[] }> {
  const { fix, dictionary, contrasts, rows, attribution } = request;
  const { operation } = best;
  const fixed = best.latents.map(({ latent }) => latent);
  const sets = await randomSets(study, dictionary, contrasts, fixed, fix);
  const drawn = await fixLatents(dictionary, rows, sets.flat());
  const caps =
    operation === 'cap'
      ? await capsOf(study, dictionary, contrasts, [...drawn.values()], {
          quantile: fix.quantile,
          tokens: work.options.heldTokens,
        })
      : new Map<number, number>();
  const random = sets.map((latents): MeasuredSet => {
    const arm = setArm(
      latents.map((latent) => drawn.get(latent)!),
      operation,
      caps,
      'random',
    );
    return { role: 'random', name: arm.direction.name, operation, latents, arm };
  });
  const others = fix.comparisons
    ? await otherDirections(study, dictionary, contrasts, attribution, fix.seed)
    : [];
  const compared = others.map(
    (direction): MeasuredSet => ({
      role: 'comparison',
      name: `${direction.name} removed`,
      operation: 'remove',
      latents: [],
      arm: { direction, operation: 'remove', dose: 0 },
    }),
  );
  if (work.system)
    compared.push({
      role: 'system',
      name: 'system message',
      operation: null,
      latents: [],
      arm: { direction: systemDirection, operation: 'system', dose: 0 },
    });
  return { random, compared };
}

async function measured(
  study: OpenStudy,
  work: SteeringWork,
  request: FixRequest,
  { measurement, best }: Measuring,
) {
  const { random, compared } = await armsFor(study, work, request, best);
  const fix: MeasuredSet = {
    role: 'fix',
    name: `${best.arm.direction.name} ${inWords[best.operation]}`,
    operation: best.operation,
    latents: best.latents.map(({ latent }) => latent),
    arm: best.arm,
  };
  const found = await measureFix(measurement, fix, random, compared);
  const [own, ...rest] = found.arms;
  // what does as much as the fix is held against it on ordinary texts too
  const rivals = compared.filter(({ name, role }) => {
    const row = rest.find((one) => one.name === name);
    return role === 'comparison' && row?.effect != null && row.effect <= (own!.effect ?? 0);
  });
  const onTexts: CollateralArm[] = [];
  for (const { name, arm } of [fix, random[0]!, ...rivals])
    onTexts.push({ name, steering: (await steeringOf(work, 'away', arm))! });
  return { found, onTexts };
}

const bound = (x: number) => (Number.isFinite(x) ? x : null);

/** Throws JudgeStopped where the judge's budget is spent. */
export async function findFix(study: OpenStudy, work: SteeringWork, request: FixRequest): Promise<FoundFix> {
  const { fix, dictionary, behaviour } = request;
  const { layer } = dictionary;
  const [away, toward]: [TrialRunner, TrialRunner] = [trialRunner(work, 'away'), trialRunner(work, 'toward')];
  try {
    const candidates = await candidatesOf(study, work, request);
    if (candidates.length === 0)
      throw new InputError(
        `${study.file}: fix: expected latents that support ${behaviour}, found none by ${fix.orders.join(', ')}`,
      );
    const unsteered = await leftAlone(away, 'away', work.options);
    const [calibrated] = await away.run([{ arm: undefined, part: 'calibration' }], 'Without a fix');
    const alone = unsteered.coherence.calibration(calibrated!.completions);
    const { tried, best } = await searchFix(away, candidates, unsteered, alone);
    const steering = best && (await steeringOf(work, 'away', best.arm));
    const aside = keptAside(work.prompts.evaluation.length, work.options.aside);
    const on = best && measuredOn(best.orders, aside);
    const result =
      best &&
      (await measured(study, work, request, {
        best,
        measurement: {
          runner: away,
          other: toward,
          coherence: unsteered.coherence,
          parts: on!.parts,
          seed: fix.seed,
        },
      }));
    await Promise.all([away.release(), toward.release()]);
    const record: FixRecord = {
      behaviour,
      site: `resid_post ${layer}`,
      tokens: work.options.heldTokens,
      search: {
        prompts: work.prompts.calibration.length,
        unsteered: { completions: alone.completions, coherent: alone.coherent, positives: alone.positives },
        limit: unsteered.limit,
        sets: tried.map(triedOf),
      },
      fix: best
        ? {
            operation: best.operation,
            orders: [...best.orders],
            latents: best.latents.map(({ latent }: FixLatent) => latent),
            low: steering!.held.map(({ low }) => bound(low)),
            high: steering!.held.map(({ high }) => bound(high)),
          }
        : null,
      measured: result ? { ...result.found, aside: on!.aside } : null,
      collateral: result ? await fixCollateral(study, layer, fix, result.onTexts) : null,
    };
    return { record, trials: [...away.used.values(), ...toward.used.values()], steering };
  } finally {
    await Promise.all([away.release(), toward.release()]);
  }
}
