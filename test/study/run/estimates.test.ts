/** What is left takes about as long as the first units say: by clocks that the tests set, never by a real one. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Progress } from '../../../src/study/open/progress.ts';
import { estimateStudy } from '../../../src/study/run/studyEstimate.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { studyStatus } from '../../../src/study/run/studyStatus.ts';
import { journalFile } from '../../../src/study/store/folder.ts';
import { openJournal } from '../../../src/study/store/journal.ts';
import { readStatus, secondsEach } from '../../../src/study/store/status.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { putStudy } from '../../support/tinyStudy.ts';

const at = temporaryFolder();
const within2 = (estimate: number, truth: number) => {
  expect(estimate).toBeGreaterThanOrEqual(truth / 2);
  expect(estimate).toBeLessThanOrEqual(truth * 2);
};

describe('units side by side', () => {
  /** Seconds until so many are done, of which each takes 2. */
  const waves = {
    alone: (n: number) => 2 * (1 + Math.ceil((n - 1) / 8)),
    all: (n: number) => 2 * Math.ceil(n / 8),
  };

  it.each([
    ['after a first one alone', true, waves.alone],
    ['from the first one on', false, waves.all],
  ])('%s', (_, firstAlone, seconds) => {
    const units = 100;
    for (let done = 1; done <= units - 8; done++)
      within2(
        secondsEach(seconds(done), done, { units: 8, firstAlone }) * (units - done),
        Math.max(2, seconds(units) - seconds(done)),
      );
  });

  it('are no more than there are', async () => {
    mkdirSync(at('.work'));
    const stage = { name: 'sample', key: 'k', inputs: {}, options: {}, outputs: ['out'] };
    let now = 0;
    const clock = () => new Date(now);
    const journal = await openJournal(journalFile(at(), stage), z.string(), (id) => id, {
      clock,
      note: expect.unreachable,
    });
    now = 12_000;
    await journal.append(['a']);
    const abreast = { units: 64, firstAlone: false };
    const { stages } = await readStatus(at(), [{ name: 'sample', units: 6, abreast, stage }]);
    expect(stages[0]).toMatchObject({ done: 1, left: 5, secondsPerUnit: 2, secondsLeft: 10 });
  });
});

describe('a study that is stopped', () => {
  const folder = mkdtempSync(join(tmpdir(), 'culprit-estimates-'));
  let tiny: TinyFolder;
  let study: string;
  beforeAll(async () => {
    tiny = await putAll(folder);
    study = putStudy(join(folder, 'study'), tiny, {
      attribution: { rank: 'exact', rank_pairs: 2 },
      steering: { candidates: 2 },
      fidelity: { latents: 4, pairs: 2, integrated: 1, steps: 2 },
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  let now = 0;
  const clock = () => new Date(now);
  /** A unit of such work takes so many seconds. */
  const takes: Readonly<Record<string, number>> = {
    Pairs: 70,
    'Latents ranked by removal': 30,
    'Removed latents': 11,
  };
  /** Lets the clock go on as work does, and stops a run after `most` units of `label`. */
  const working = (label?: string, most = Number.POSITIVE_INFINITY): Progress => ({
    stage: (name) => {
      const pass = () => {
        now += 1000 * (takes[name] ?? 0);
      };
      let done = 0;
      pass();
      return {
        advance() {
          if (name === label && ++done >= most) throw new Error('stopped');
          pass();
        },
        end() {},
      };
    },
    note() {},
  });
  const request = () => ({ study, cacheDir: tiny.cache, clock });
  const go = (progress: Progress) => runStudy({ ...request(), progress });

  it.each([
    // what is not timed yet takes as long as the model does, for which no time passes here
    ['attribute', 'Pairs', (left: number) => 70 * left],
    ['attribute', 'Latents ranked by removal', () => 30 * (4 * 2 - 1)],
    ['fidelity', 'Removed latents', (left: number) => 11 * left],
  ])('in stage %s after the first of "%s" knows what is left', async (stage, label, truth) => {
    await expect(go(working(label, 1))).rejects.toThrow('stopped');
    const status = (await studyStatus(request())).stages.find(({ name }) => name === stage)!;
    expect(status.finished).toBe(false);
    expect(truth(status.left)).toBeGreaterThan(20);
    const { lines } = await estimateStudy(request());
    within2(lines.find((line) => line.stage === stage)!.seconds, truth(status.left));
  });
});
