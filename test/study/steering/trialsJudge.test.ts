/**
 * Trials and a judge that is slow, that is paid, that stops midway or that refuses: what is kept, what is
 * asked again, what waits.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { chatJudge } from '../../../src/judges/chat.ts';
import { free, type JudgeItem, type Refusals } from '../../../src/judges/judge.ts';
import type { TrialPart } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import type { SteeringTrial } from '../../../src/study/steering/trial.ts';
import { trialRunner } from '../../../src/study/steering/trials.ts';
import { JudgeStopped } from '../../../src/study/steering/trialVerdicts.ts';
import type { Grader, SteeringRecord, SteeringWork } from '../../../src/study/steering/work.ts';
import { chatBody, type FakeChatServer, fakeChatServer } from '../../support/fakeChatServer.ts';
import { putAll } from '../../support/tinyFolder.ts';
import {
  countedRuntime,
  countingGrader,
  latentsAs,
  madeWork,
  memoryJournal,
  openTiny,
  options,
  verdictOf,
  verdictOn,
} from './madeWork.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-trials-judge-'));
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

async function ran(trials: readonly SteeringTrial[], over: Partial<SteeringWork> = {}) {
  const runner = trialRunner(madeWork(runtime, opened, over), 'away');
  try {
    return await runner.run(trials, 'trials');
  } finally {
    await runner.release();
  }
}

const added = (latent: number, part: TrialPart): SteeringTrial => {
  const [direction] = latentsAs('candidate', [latent], opened.dictionary);
  return { arm: { direction: direction!, operation: 'add', dose: -0.3 }, part };
};

/** Two prompts, three completions each. */
const many = () => Array.from({ length: 14 }, (_, latent) => added(latent, 'calibration'));
const each = 6;

describe('a slow judge', () => {
  it('holds the sampler back: a few trials wait for it, and the bar tells what is graded', async () => {
    const undisturbed = countedRuntime(runtime);
    const expected = await ran(many(), { runtime: undisturbed.runtime });
    const slow = countedRuntime(runtime);
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let advanced = 0;
    const seen: number[] = [];
    const running = ran(many(), {
      runtime: slow.runtime,
      async grade(items, onVerdict) {
        await gate;
        for (const item of items) {
          await onVerdict(item, verdictOf(verdictOn(item.completion)));
          seen.push(advanced);
        }
        return {};
      },
      progress: {
        stage: () => ({
          advance(units = 1) {
            advanced += units;
          },
          end() {},
        }),
        note() {},
      },
    });
    let before = -1;
    while (before !== slow.counts.runs || before < 1) {
      before = slow.counts.runs;
      await sleep(300);
    }
    expect(advanced).toBe(0);
    // of fourteen trials four, those that grow beside them, and their prompts
    expect(slow.counts.runs).toBeLessThan(0.6 * undisturbed.counts.runs);
    open();
    expect(await running).toEqual(expected);
    expect(seen).toEqual(Array.from({ length: 14 * each }, (_, n) => n + 1));
  });
});

/** Gives `most` verdicts in all, then does otherwise. */
function upTo(most: number, otherwise: () => ReturnType<Grader>, cost = { ...free, calls: 2, price: 0.1 }) {
  let given = 0;
  const grade: Grader = async (items, onVerdict) => {
    for (const item of items) {
      if (given === most) return otherwise();
      given++;
      await onVerdict(item, { ...verdictOf(verdictOn(item.completion)), cost });
    }
    return {};
  };
  return grade;
}
const stopped = async () => ({ stopped: 'the budget is spent' });
const verdictsIn = (records: ReadonlyMap<string, SteeringRecord>) =>
  [...records.values()].flatMap((record) => (record.kind === 'verdict' ? [record.id] : []));

describe('verdicts that were paid', () => {
  let trials: SteeringTrial[];
  beforeAll(() => {
    trials = many().slice(0, 3);
  });
  const paying = () => upTo(Number.POSITIVE_INFINITY, stopped);

  it.each<[string, () => ReturnType<Grader>, unknown]>([
    ['the budget is spent', stopped, JudgeStopped],
    ['the server stays away', () => Promise.reject(new Error('gone')), 'gone'],
  ])('are not paid again after %s within a trial', async (_name, otherwise, thrown) => {
    const expected = await ran(trials, { grade: paying() });
    for (const most of [1, 5, 6, 7, 17]) {
      const journal = memoryJournal();
      const attempt = ran(trials, { journal, grade: upTo(most, otherwise) });
      await expect(attempt).rejects.toThrow(thrown as string);
      const kept = verdictsIn(journal.records);
      expect(kept).toHaveLength(most);
      const asked: string[] = [];
      const rest = paying();
      const grade: Grader = (items, ...more) => {
        asked.push(...items.map(({ id }) => id));
        return rest(items, ...more);
      };
      expect(await ran(trials, { journal, grade })).toEqual(expected);
      expect(asked).toHaveLength(trials.length * each - most);
      expect(asked.filter((id) => kept.includes(id))).toEqual([]);
    }
    expect(expected[0]!.cost).toEqual({ calls: 2 * each, price: expect.closeTo(0.1 * each, 12) });
  });

  it('are told as graded when their trial goes on', async () => {
    const journal = memoryJournal();
    await expect(ran(trials, { journal, grade: upTo(4, stopped) })).rejects.toThrow(JudgeStopped);
    let advanced = 0;
    const advance = (units = 1) => {
      advanced += units;
    };
    const stage = () => ({ advance, end() {} });
    await ran(trials, { journal, grade: paying(), progress: { stage, note() {} } });
    expect(advanced).toBe(trials.length * each);
  });

  it('are of their very text: another is graded anew', async () => {
    const journal = memoryJournal();
    await expect(ran(trials, { journal, grade: upTo(4, stopped) })).rejects.toThrow(JudgeStopped);
    const counted = countingGrader();
    const textOf = (text: string) => `${text}!`;
    await ran(trials, { journal, grade: counted.grade, options: { ...options, textOf } });
    expect(counted.asked.flat()).toHaveLength(trials.length * each);
  });

  it('are kept alone: those that cost nothing would only double the journal', async () => {
    const journal = memoryJournal();
    await ran(trials, { journal, grade: upTo(Number.POSITIVE_INFINITY, stopped, free) });
    expect([...journal.records.values()].map(({ kind }) => kind)).toEqual(['trial', 'trial', 'trial']);
  });
});

describe('a judge that refuses', () => {
  let server: FakeChatServer;
  afterEach(() => server.close());
  const refusing = (status: number) =>
    fakeChatServer(() => (response) => response.writeHead(status).end(chatBody('no')));
  const judge = () =>
    chatJudge({ rubric: 'Harm.', baseUrl: server.baseUrl, model: 'm', retries: 0, sleep: async () => {} });
  const graderOf =
    (of = judge()): Grader =>
    (items, onVerdict, refusals) =>
      of.grade(items, onVerdict, undefined, refusals);
  const alone: SteeringTrial = { arm: undefined, part: 'evaluation' };

  it('everything that is steered: each text has a verdict, incoherent', async () => {
    server = await refusing(400);
    const [record] = await ran([added(3, 'evaluation')], { grade: graderOf() });
    expect(record!.completions).toHaveLength(3 * 4);
    for (const { coherent, label, reason } of record!.completions) {
      expect([coherent, label]).toEqual([false, 'negative']);
      expect(reason).toMatch(/^no verdict: /);
    }
    // once more for the first: with no field but model and messages
    expect(record!.cost.calls).toBe(13);
  });

  it('everything that was left alone: the judge is at fault, and the trial is named', async () => {
    server = await refusing(400);
    const attempt = ran([alone], { grade: graderOf() });
    await expect(attempt).rejects.toThrow(InputError);
    await expect(attempt).rejects.toThrow(
      /^steering away, unsteered, evaluation prompts: chat judge m at \S+: no verdict on \d+ completions in a row; the first, away\/alone\/evaluation\/eva0\/0: /,
    );
  });

  it.each([401, 503])('all requests with status %d: the error names the latent', async (status) => {
    server = await refusing(status);
    const attempt = ran([added(3, 'calibration')], { grade: graderOf() });
    await expect(attempt).rejects.toThrow(InputError);
    await expect(attempt).rejects.toThrow(
      /^steering away, latent 3 at dose -0\.3, calibration prompts: .*(401|503)/,
    );
  });

  it('is told what refusals say of it', async () => {
    server = await refusing(400);
    const told: [string, Refusals][] = [];
    const { grade } = countingGrader();
    await ran([alone, added(3, 'evaluation')], {
      grade(items: readonly JudgeItem[], onVerdict, refusals) {
        told.push([items[0]!.id.split('/')[1]!, refusals]);
        return grade(items, onVerdict, refusals);
      },
    });
    expect(told.sort()).toEqual([
      ['add', 'stand'],
      ['alone', 'suspect'],
    ]);
  });
});
