/**
 * The search for each direction's dose on the calibration prompts, all directions together, a round of trials
 * at a time.
 */
import { doseStep } from '../../methods/steering/doseSearch.ts';
import { incoherentShare } from '../../methods/steering/effect.ts';
import { type Side, type SteeredCompletion, signOf } from '../../results.ts';
import { type Coherence, type MeasuredDose, stoppedBy } from './coherence.ts';
import type { TestedDirection } from './direction.ts';
import type { SteeringTrial } from './trial.ts';
import type { TrialRunner } from './trials.ts';
import type { Unsteered } from './unsteered.ts';
import type { SteeringOptions } from './work.ts';

/** One direction's search. */
export interface DoseSearch {
  readonly direction: TestedDirection;
  /** |α|; undefined while it goes on, and where even the weakest dose leaves too much text incoherent */
  found: number | undefined;
  readonly tried: MeasuredDose[];
}

/** Shares of counts are compared with a sum of two: equal ones may differ by this. */
const rounding = 1e-9;

/** What stopped the search for a stronger dose. */
export const limitedBy = ({ tried }: DoseSearch, { limit }: Pick<Unsteered, 'limit'>) =>
  stoppedBy(tried, limit + rounding);

/** The searches in the order of the directions, each at its end. */
export async function searchDoses(
  runner: TrialRunner,
  side: Side,
  directions: readonly TestedDirection[],
  { limit, coherence }: Unsteered,
  { doses, label }: Pick<SteeringOptions, 'doses'> & { readonly label: string },
): Promise<DoseSearch[]> {
  const searches = directions.map((direction): DoseSearch => ({ direction, found: undefined, tried: [] }));
  for (let round = 1; ; round++) {
    const asked = nextDoses(searches, doses, limit + rounding);
    if (asked.length === 0) return searches;
    const trials = asked.map(({ search: { direction }, dose }): SteeringTrial => {
      return { arm: { direction, operation: 'add', dose: signOf[side] * dose }, part: 'calibration' };
    });
    const records = await runner.run(trials, `${label}, doses, round ${round}`);
    for (const [n, { search, dose }] of asked.entries())
      search.tried.push(measuredDose(dose, records[n]!.completions, coherence));
  }
}

/** The next dose of each search that goes on; those that do not keep what they found. */
function nextDoses(searches: readonly DoseSearch[], doses: readonly number[], limit: number) {
  const asked: { readonly search: DoseSearch; readonly dose: number }[] = [];
  for (const search of searches) {
    const step = doseStep(doses, search.tried, limit);
    if ('next' in step) asked.push({ search, dose: step.next });
    else search.found = step.found;
  }
  return asked;
}

function measuredDose(
  dose: number,
  completions: readonly SteeredCompletion[],
  { calibration }: Coherence,
): MeasuredDose {
  const { byJudge, byCheap, ...tally } = calibration(completions);
  return { dose, incoherent: incoherentShare(tally), byJudge, byCheap };
}
