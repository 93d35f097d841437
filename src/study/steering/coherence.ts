/**
 * Which steered completions count as incoherent, by the judge, by cheap signs or by either, and which of the
 * two stopped a dose search.
 */

import { type CheapMeasure, cheapLimits, cheaplyBroken } from '../../methods/judging/cheapCoherence.ts';
import type { TriedDose } from '../../methods/steering/doseSearch.ts';
import type { Tally } from '../../methods/steering/effect.ts';
import type { IncoherenceMeasure } from '../../methods/steering/incoherence.ts';
import type { SteeredCompletion } from '../../results.ts';

/** A dose with the shares that judge and cheap signs call incoherent, each for itself. */
export interface MeasuredDose extends TriedDose {
  readonly byJudge: number;
  readonly byCheap: number;
}

export interface Coherence {
  /** Counts of completions of the dose search. */
  calibration(completions: readonly SteeredCompletion[]): Tally & Pick<MeasuredDose, 'byJudge' | 'byCheap'>;
  /** Counts of completions that effects are taken from: the judge has seen them all. */
  evaluation(completions: readonly SteeredCompletion[]): Tally;
}

const measureOf = ({ log_probability, repetition, stop }: SteeredCompletion): CheapMeasure => ({
  logProbability: log_probability!,
  repetition: repetition!,
  ended: stop !== 'length',
});

function tallyOf(
  completions: readonly SteeredCompletion[],
  isBroken: (one: SteeredCompletion) => boolean,
): Tally {
  const coherent = completions.filter((one) => !isBroken(one));
  return {
    completions: completions.length,
    coherent: coherent.length,
    positives: coherent.filter(({ label }) => label === 'positive').length,
  };
}

/** `alone`: the calibration prompts' completions left alone, which set the cheap limits. */
export function coherenceBy(measure: IncoherenceMeasure, alone: readonly SteeredCompletion[]): Coherence {
  const limits = measure === 'judge' ? undefined : cheapLimits(alone.map(measureOf));
  const cheap = (one: SteeredCompletion) =>
    limits !== undefined && cheaplyBroken(measureOf(one), limits) !== undefined;
  const judged = (one: SteeredCompletion) => one.judged && !one.coherent;
  const either = (one: SteeredCompletion) => judged(one) || cheap(one);
  const broken = { judge: judged, cheap, both: either }[measure];
  return {
    calibration(completions) {
      const share = (of: (one: SteeredCompletion) => boolean) =>
        completions.filter(of).length / completions.length;
      return { ...tallyOf(completions, broken), byJudge: share(judged), byCheap: share(cheap) };
    },
    evaluation: (completions) => tallyOf(completions, measure === 'both' ? either : judged),
  };
}

/**
 * Which measure stopped the search: at the weakest dose whose share exceeded the limit, the measures that
 * exceed it by themselves, or both together; undefined where no dose did.
 */
export function stoppedBy(tried: readonly MeasuredDose[], limit: number): IncoherenceMeasure | undefined {
  const [first] = tried.filter(({ incoherent }) => incoherent > limit).sort((a, b) => a.dose - b.dose);
  if (first === undefined) return undefined;
  const [judge, cheap] = [first.byJudge > limit, first.byCheap > limit];
  return judge === cheap ? 'both' : judge ? 'judge' : 'cheap';
}
