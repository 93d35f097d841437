/**
 * A group of latents built one by one: each time the candidate whose removal together with those before lowers the
 * share of positives most, on calibration prompts alone. docs/method.md section 5.
 */
import { incoherentShare, positiveShare } from '../../methods/steering/effect.ts';
import { dependsOn } from '../../methods/steering/steer.ts';
import type { GreedyStep, TrialRecord } from '../../results.ts';
import { groupDirection, type TestedDirection } from './direction.ts';
import type { SteeringTrial } from './trial.ts';
import type { TrialRunner } from './trials.ts';
import type { Unsteered } from './unsteered.ts';

export interface GreedyGroups {
  /** of two, of three and so on */
  readonly groups: readonly TestedDirection[];
  readonly steps: readonly GreedyStep[];
}

/** The most removals that a search tries. */
export const greedyRemovals = (size: number, pool: number): number =>
  Array.from({ length: Math.min(size, pool) }, (_, step) => pool - step).reduce((a, b) => a + b, 0);

/** Members with one more; undefined where its direction lies in their span. */
async function extended(
  members: readonly TestedDirection[],
  next: TestedDirection,
): Promise<TestedDirection | undefined> {
  const [vectors, own] = [
    (await Promise.all(members.map((one) => one.vectors()))).flat(),
    (await next.vectors())[0]!,
  ];
  if (dependsOn(own, vectors)) return undefined;
  if (members.length === 0) return next;
  const group = groupDirection([...members, next]);
  return { ...group, name: `greedy: ${group.name}` };
}

interface Tried {
  readonly next: TestedDirection;
  readonly direction: TestedDirection;
}

/**
 * Of the first candidates by rank. A removal counts only where it leaves the texts as coherent as a dose has to; of
 * equal shares the first by rank is taken. Ends early where none is left that counts.
 */
export async function greedyGroups(
  runner: Pick<TrialRunner, 'run'>,
  pool: readonly TestedDirection[],
  size: number,
  { coherence, limit }: Pick<Unsteered, 'coherence' | 'limit'>,
): Promise<GreedyGroups> {
  const shareOf = ({ completions }: TrialRecord) => {
    const tally = coherence.calibration(completions);
    return incoherentShare(tally) > limit ? Number.NaN : positiveShare(tally);
  };
  const members: TestedDirection[] = [];
  const groups: TestedDirection[] = [];
  const steps: GreedyStep[] = [];
  while (members.length < size) {
    const tried: Tried[] = [];
    for (const next of pool.filter((one) => !members.includes(one))) {
      const direction = await extended(members, next);
      if (direction !== undefined) tried.push({ next, direction });
    }
    const trials = tried.map(
      ({ direction }): SteeringTrial => ({
        arm: { direction, operation: 'remove', dose: 0 },
        part: 'calibration',
      }),
    );
    const records = await runner.run(trials, `Greedy group, latent ${members.length + 1}`);
    const shares = records.map(shareOf);
    const least = Math.min(...shares.filter((share) => !Number.isNaN(share)));
    if (!Number.isFinite(least)) break;
    const { next, direction } = tried[shares.indexOf(least)]!;
    members.push(next);
    steps.push({ latent: next.latent!, share: least, tried: tried.length });
    if (members.length > 1) groups.push(direction);
  }
  return { groups, steps };
}
