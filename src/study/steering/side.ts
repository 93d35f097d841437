/**
 * The sampling of one side: what is added along a direction at its own dose, what is removed or patched at
 * none. Each arm is measured on the evaluation prompts against the same prompts left alone.
 */
import { type Operation, type Side, signOf, type TrialRecord } from '../../results.ts';
import { type ArmOutcome, measuredOf, unsampled } from './armOutcome.ts';
import type { TestedDirection } from './direction.ts';
import { limitedBy, searchDoses } from './doseSearches.ts';
import type { ForcedEffects } from './forcedEffects.ts';
import { type GreedyGroups, greedyGroups } from './greedyGroup.ts';
import type { Arm } from './trial.ts';
import { type TrialRunner, trialRunner } from './trials.ts';
import { leftAlone, leftAloneOn, type Unsteered } from './unsteered.ts';
import type { SteeringWork } from './work.ts';

/** One model, ready to be sampled. */
export interface OpenSide {
  readonly side: Side;
  readonly unsteered: Unsteered;
  /** Each direction at its own dose. */
  add(directions: readonly TestedDirection[], label: string): Promise<ArmOutcome[]>;
  /** Each direction at this |α|. */
  addAt(directions: readonly TestedDirection[], dose: number, label: string): Promise<ArmOutcome[]>;
  /** Each direction's projection held. */
  hold(
    operation: Exclude<Operation, 'add'>,
    directions: readonly TestedDirection[],
    label: string,
  ): Promise<ArmOutcome[]>;
  /** A group of these, built greedily on the calibration prompts. */
  greedy(pool: readonly TestedDirection[], size: number): Promise<GreedyGroups>;
  /** The outcomes with what they come to on the prompts kept aside; as they are where none are. */
  again(outcomes: readonly ArmOutcome[], label: string): Promise<ArmOutcome[]>;
  /** all that was sampled, left alone too */
  readonly trials: ReadonlyMap<string, TrialRecord>;
  release(): Promise<void>;
}

/**
 * Samples the model left alone. Throws JudgeStopped where the judge's budget is spent, InputError where nothing
 * that was left alone is coherent.
 */
export async function openSide(work: SteeringWork, side: Side, forced: ForcedEffects): Promise<OpenSide> {
  const runner = trialRunner(work, side);
  try {
    return openedSide(work, side, forced, runner, await leftAlone(runner, side, work.options));
  } catch (error) {
    await runner.release();
    throw error;
  }
}

function openedSide(
  work: SteeringWork,
  side: Side,
  forced: ForcedEffects,
  runner: TrialRunner,
  unsteered: Unsteered,
): OpenSide {
  const { doses } = work.options;
  const begun = (operation: Operation) => (direction: TestedDirection) =>
    unsampled({ direction, operation, side, forced: forced.of(side, operation, direction) });

  async function sampled(outcomes: readonly ArmOutcome[], label: string): Promise<ArmOutcome[]> {
    const trials = outcomes.map((one) => ({ arm: armOf(one), part: 'evaluation' as const }));
    const records = await runner.run(trials, label);
    return outcomes.map((one, n) => ({
      ...one,
      stage: 'sampled',
      measured: measuredOf(records[n]!.completions, unsteered),
    }));
  }

  return {
    side,
    unsteered,
    async add(directions, label) {
      const searches = await searchDoses(runner, side, directions, unsteered, { doses, label });
      const found = searches.map(
        (search): ArmOutcome => ({
          ...begun('add')(search.direction),
          stage: 'no dose',
          dose: search.found === undefined ? undefined : signOf[side] * search.found,
          tried: search.tried,
          limitedBy: limitedBy(search, unsteered),
        }),
      );
      const dosed = await sampled(
        found.filter(({ dose }) => dose !== undefined),
        label,
      );
      const byName = new Map(dosed.map((one) => [one.direction.name, one]));
      return found.map((one) => byName.get(one.direction.name) ?? one);
    },
    addAt: (directions, dose, label) =>
      sampled(
        directions.map((direction) => ({ ...begun('add')(direction), dose: signOf[side] * dose })),
        label,
      ),
    hold: (operation, directions, label) => sampled(directions.map(begun(operation)), label),
    greedy: (pool, size) => greedyGroups(runner, pool, size, unsteered),
    async again(outcomes, label) {
      const aside = await leftAloneOn(runner, side, 'aside', unsteered.coherence);
      if (aside.size === 0) return [...outcomes];
      const trials = outcomes.map((one) => ({ arm: armOf(one), part: 'aside' as const }));
      const records = await runner.run(trials, label);
      const alone = { coherence: unsteered.coherence, byPrompt: aside };
      return outcomes.map((one, n) => ({ ...one, aside: measuredOf(records[n]!.completions, alone) }));
    },
    trials: runner.used,
    release: () => runner.release(),
  };
}

const armOf = ({ direction, operation, dose = 0 }: ArmOutcome): Arm => ({ direction, operation, dose });
