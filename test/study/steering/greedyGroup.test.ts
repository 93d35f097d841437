/**
 * A group built greedily, against a search written here over made outcomes, and in a whole causal test on the tiny
 * subject: on calibration prompts alone, measured on the others.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrialRecord } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { testCausally } from '../../../src/study/steering/causalTest.ts';
import { coherenceBy } from '../../../src/study/steering/coherence.ts';
import { type TestedDirection, vectorDirection } from '../../../src/study/steering/direction.ts';
import { greedyGroups, greedyRemovals } from '../../../src/study/steering/greedyGroup.ts';
import type { SteeringTrial } from '../../../src/study/steering/trial.ts';
import type { SteeringWork } from '../../../src/study/steering/work.ts';
import { putAll } from '../../support/tinyFolder.ts';
import { latentsAs, madeWork, memoryJournal, openTiny, options } from './madeWork.ts';

const axis = (at: number) => Float32Array.from({ length: 6 }, (_, i) => Number(i === at));
const latent = (n: number, vector = axis(n)) =>
  vectorDirection(`latent ${n}`, 'candidate', vector, { latent: n });

/** 20 completions of which so many are positive, and so many more incoherent. */
function record(trial: SteeringTrial, positives: number, incoherent = 0): TrialRecord {
  const completions = Array.from({ length: 20 + incoherent }, (_, index) => ({
    prompt_id: `p${index % 4}`,
    index,
    text: 'said',
    tokens: 3,
    stop: 'end' as const,
    score: 0.5,
    label: index < positives ? ('positive' as const) : ('negative' as const),
    coherence: 1,
    coherent: index < 20,
    reason: '',
    judged: true,
    log_probability: null,
    repetition: null,
  }));
  const { direction, operation, dose } = trial.arm!;
  const about = { direction: direction.name, latent: null, operation, dose, part: trial.part };
  return {
    kind: 'trial',
    id: direction.name,
    side: 'away',
    ...about,
    content: '',
    completions,
    cost: { calls: 0, price: 0 },
  };
}

/** Positives of 20 with these latents removed together. */
const positivesOf: Record<string, number> = {
  '0': 12,
  '1': 9,
  '2': 10,
  '3': 15,
  // the best pair does not hold the best single with the second best
  '1,0': 8,
  '1,2': 9,
  '1,3': 4,
  '1,3,0': 4,
  '1,3,2': 4,
};
const membersIn = (name: string) => [...name.matchAll(/\d+/g)].map(([n]) => n).join(',');

function runner(incoherent: Readonly<Record<string, number>> = {}) {
  const asked: SteeringTrial[] = [];
  return {
    asked,
    async run(trials: readonly SteeringTrial[]) {
      asked.push(...trials);
      return trials.map((trial) => {
        const members = membersIn(trial.arm!.direction.name);
        return record(trial, positivesOf[members] ?? 20, incoherent[members]);
      });
    },
  };
}

const measure = { coherence: coherenceBy('judge', []), limit: 0.2 };
const pool = [0, 1, 2, 3].map((n) => latent(n));
const names = (groups: readonly TestedDirection[]) => groups.map(({ name }) => name);

describe('the search', () => {
  it('takes in each time what lowers the share most together with those before, the first of equals', async () => {
    const made = runner();
    const { groups, steps } = await greedyGroups(made, pool, 3, measure);
    expect(names(groups)).toEqual(['greedy: latent 1 + 3', 'greedy: latent 1 + 3 + 0']);
    expect(steps).toEqual([
      { latent: 1, share: 9 / 20, tried: 4 },
      { latent: 3, share: 4 / 20, tried: 3 },
      { latent: 0, share: 4 / 20, tried: 2 },
    ]);
    for (const { arm, part } of made.asked) expect([arm!.operation, part]).toEqual(['remove', 'calibration']);
    expect(made.asked).toHaveLength(greedyRemovals(3, 4));
    expect(await groups[1]!.vectors()).toEqual([axis(1), axis(3), axis(0)]);
  });

  it('passes over what breaks the texts', async () => {
    const { steps } = await greedyGroups(runner({ '1': 6 }), pool, 2, measure);
    expect(steps[0]).toEqual({ latent: 2, share: 0.5, tried: 4 });
  });

  it('passes over a direction in the span of those before, and ends where none is left', async () => {
    const twins = [latent(1), latent(7, axis(1)), latent(3)];
    const { groups, steps } = await greedyGroups(runner(), twins, 3, measure);
    expect(names(groups)).toEqual(['greedy: latent 1 + 3']);
    expect(steps.map(({ tried }) => tried)).toEqual([3, 1]);
  });
});

describe('in a causal test', () => {
  const folder = mkdtempSync(join(tmpdir(), 'culprit-greedy-'));
  let runtime: Runtime;
  let work: SteeringWork;
  beforeAll(async () => {
    runtime = nodeRuntime({ threads: 1 });
    const opened = await openTiny(await putAll(folder));
    work = madeWork(runtime, opened, {
      candidates: latentsAs('candidate', [1, 5, 8, 13], opened.dictionary),
      controls: latentsAs('random', [2, 3, 11], opened.dictionary),
      options: { ...options, greedy: { size: 3, from: 3 } },
      journal: memoryJournal(),
    });
  });
  afterAll(async () => {
    await runtime.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is chosen on calibration prompts, and measured on evaluation prompts and those kept aside', async () => {
    const { outcomes, greedy, trials } = await testCausally(work);
    const searched = trials.filter(({ operation, part }) => operation === 'remove' && part === 'calibration');
    const shareIn = ({ completions }: TrialRecord) => {
      const coherent = completions.filter((one) => one.coherent);
      return coherent.filter(({ label }) => label === 'positive').length / coherent.length;
    };
    const singles = searched.filter(({ direction }) =>
      ['latent 1', 'latent 5', 'latent 8'].includes(direction!),
    );
    expect(singles).toHaveLength(3);
    expect(searched.every(({ direction }) => !/\b13\b/.test(direction!))).toBe(true);
    const found = searched.find(({ direction }) => direction === `latent ${greedy![0]!.latent}`)!;
    expect(shareIn(found)).toBe(greedy![0]!.share);
    const built = outcomes.filter(({ direction }) => direction.name.startsWith('greedy: '));
    expect(built.map(({ direction }) => direction.name)).toEqual(
      greedy!.slice(1).map(
        (_, k) =>
          `greedy: latent ${greedy!
            .slice(0, k + 2)
            .map((one) => one.latent)
            .join(' + ')}`,
      ),
    );
    for (const { direction, measured, aside, stage } of built) {
      expect([direction.role, stage]).toEqual(['group', 'sampled']);
      expect(measured!.prompts).toHaveLength(3);
      expect(aside!.prompts).toHaveLength(2);
      const at = searched.find((one) => one.direction === direction.name)!;
      expect(shareIn(at)).toBe(greedy![(direction.name.match(/\d+/g) ?? []).length - 1]!.share);
    }
  });
});
