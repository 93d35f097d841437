/** What a row's effect comes to of all completions and at the same length, from the records of the trials. */
import { effectAtMatchedLength } from '../../src/methods/steering/matchedLength.ts';
import type { RankedSteeringRow, SteeredCompletion, TrialRecord } from '../../src/results.ts';

const positiveShare = (some: readonly SteeredCompletion[]) =>
  some.filter(({ coherent, label }) => coherent && label === 'positive').length / some.length;

/** `own`: the trials of the row; NaN where there is nothing to compare. */
export function countedOtherwise(
  { side }: RankedSteeringRow,
  own: readonly TrialRecord[],
  all: readonly TrialRecord[],
): { readonly ofAll: number; readonly sameLength: number } {
  const evaluated = (some: readonly TrialRecord[]) =>
    some.filter(({ part }) => part === 'evaluation').flatMap(({ completions }) => completions);
  const sampled = evaluated(own);
  const alone = evaluated(all.filter((one) => one.operation === null && one.side === side));
  return {
    ofAll: positiveShare(sampled) - positiveShare(alone),
    sameLength: sampled.length > 0 ? effectAtMatchedLength(sampled, alone, { seed: 1 }).effect : Number.NaN,
  };
}
