/** The whole causal test where the judge, cheap signs or both call text incoherent. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JudgeItem } from '../../../src/judges/judge.ts';
import { signOf } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { testCausally } from '../../../src/study/steering/causalTest.ts';
import type { SteeringWork } from '../../../src/study/steering/work.ts';
import { putAll } from '../../support/tinyFolder.ts';
import { countingGrader, latentsAs, madeWork, memoryJournal, openTiny, options } from './madeWork.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-causal-coherence-'));
let runtime: Runtime;
let opened: Awaited<ReturnType<typeof openTiny>>;
beforeAll(async () => {
  runtime = nodeRuntime({ threads: 1 });
  opened = await openTiny(await putAll(folder));
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

async function tested(over: Partial<SteeringWork>) {
  const journal = memoryJournal();
  const { outcomes } = await testCausally(
    madeWork(runtime, opened, {
      candidates: latentsAs('candidate', [1, 5, 21], opened.dictionary),
      controls: latentsAs('random', [2, 3, 11, 17], opened.dictionary),
      journal,
      ...over,
    }),
  );
  const added = outcomes.filter(({ operation }) => operation === 'add');
  return { added, outcomes, records: [...journal.records.values()] };
}

it('cheap signs: the judge is asked of no calibration text', async () => {
  const { asked, grade } = countingGrader();
  const likelihood: SteeringWork['likelihood'] = async (texts) =>
    texts.map(({ completions }) => completions.map(() => -1));
  const { added, records } = await tested({
    grade,
    likelihood,
    options: { ...options, incoherence: 'cheap' },
  });
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.flat().filter((id) => id.includes('/calibration/'))).toEqual([]);
  for (const record of records) {
    if (record.kind !== 'trial') continue;
    for (const { judged, log_probability, repetition } of record.completions) {
      expect([judged, log_probability]).toEqual([record.part !== 'calibration', -1]);
      // six tokens have three runs of four
      expect([0, 1, 2].map((n) => n / 3)).toContainEqual(expect.closeTo(repetition!, 12));
    }
  }
  for (const { limitedBy } of added) expect([undefined, 'cheap']).toContain(limitedBy);
});

it.each([
  ['cheap', 'cheap', 'no dose'],
  ['both', 'cheap', 'no dose'],
  ['judge', undefined, 'sampled'],
] as const)(
  '%s: texts of candidates that are unlikely refuse every dose of theirs: by %s',
  async (incoherence, by, stage) => {
    let label = '';
    const { outcomes } = await tested({
      options: { ...options, incoherence },
      grade: countingGrader(() => ({ label: 'positive', coherent: true })).grade,
      likelihood: async (texts) =>
        texts.map(({ completions }) =>
          completions.map(() => (/^Candidates, .*, doses/.test(label) ? -50 : -1)),
        ),
      progress: {
        stage(now) {
          label = now;
          return { advance() {}, end() {} };
        },
        note() {},
      },
    });
    for (const { direction, operation, limitedBy, stage: reached } of outcomes)
      if (direction.role === 'candidate' && operation === 'add')
        expect([limitedBy, reached]).toEqual([by, stage]);
      else expect([limitedBy, reached]).toEqual([undefined, 'sampled']);
  },
);

it('the judge: a dose that it refuses is not taken, and it is named for that', async () => {
  const { grade } = countingGrader(({ id }: JudgeItem) => ({
    label: 'positive',
    coherent: !/\/-?0\.6\//.test(id),
  }));
  const { added } = await tested({ grade });
  expect(added.length).toBe(2 * 7);
  for (const { side, dose, limitedBy } of added)
    expect([dose, limitedBy]).toEqual([signOf[side] * 0.3, 'judge']);
});
