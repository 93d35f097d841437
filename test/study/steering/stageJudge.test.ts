/**
 * The causal test of a study and its judge: what a paid one costs however often a run is stopped, what is
 * told of one that was trained, and that it is closed.
 */

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readJsonlAll } from '../../../src/files/jsonl.ts';
import { resultFiles, type SteeredRecord, steeredRecord, steeringFiles } from '../../../src/results.ts';
import type { ClassifierReport } from '../../../src/study/judging/classifierModel.ts';
import type * as judging from '../../../src/study/judging/openJudge.ts';
import type { Progress } from '../../../src/study/open/progress.ts';
import { runStudy, type StudyRequest } from '../../../src/study/run/studyRun.ts';
import { writeSteering } from '../../../src/study/steering/steeringFiles.ts';
import { chatBody, type FakeChatServer, fakeChatServer } from '../../support/fakeChatServer.ts';
import { putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { putStudy, type StudyOver, sampling, smallSteering } from '../../support/tinyStudy.ts';

type JudgeOf = typeof judging.judgeOf;
const spied = vi.hoisted(() => ({
  judge: undefined as ((real: ReturnType<JudgeOf>, folder: string) => ReturnType<JudgeOf>) | undefined,
  reading: undefined as Error | undefined,
}));
vi.mock('../../../src/study/judging/openJudge.ts', async (original) => {
  const real = await original<typeof judging>();
  const judgeOf: JudgeOf = (study, ...more) => {
    const found = real.judgeOf(study, ...more);
    return spied.judge ? spied.judge(found, study.folder) : found;
  };
  return { ...real, judgeOf };
});
vi.mock('../../../src/methods/judging/reading.ts', async (original) => {
  const real = await original<typeof import('../../../src/methods/judging/reading.ts')>();
  const readingPass: typeof real.readingPass = (...args) =>
    spied.reading ? Promise.reject(spied.reading) : real.readingPass(...args);
  return { ...real, readingPass };
});

vi.mock('../../../src/study/steering/figurePng.ts', async (original) =>
  (await import('../../support/drawnOnce.ts')).drawnOnce(await original()),
);

const folder = mkdtempSync(join(tmpdir(), 'culprit-stage-judge-'));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(folder);
});
afterEach(() => {
  spied.judge = undefined;
  spied.reading = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const steering = { ...smallSteering, candidates: 2, random: 3, max_tokens: 6 };
let studies = 0;
const put = (study: string, some: StudyOver['steering'] = {}, rest: StudyOver = {}) =>
  putStudy(study, tiny, {
    prompts: { file: 'prompts.jsonl', discovery: 8, evaluation: 3, calibration: 2 },
    ...rest,
    steering: { ...steering, ...some },
  });
const fresh = (...args: Parameters<typeof put> extends [string, ...infer A] ? A : never) =>
  put(join(folder, `study${studies++}`), ...args);
const run = (study: string, request: Partial<StudyRequest> = {}) =>
  runStudy({ study, cacheDir: tiny.cache, ...request });
const read = (study: string, name: string) => readFileSync(join(study, name));

describe('a judge that is paid', () => {
  let server: FakeChatServer;
  beforeAll(async () => {
    server = await fakeChatServer(({ aspect, completion }) => (response) => {
      const yes = aspect === 'behaviour' ? /[A-Za-z]/.test(completion) : completion.length > 1;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(chatBody(JSON.stringify({ reason: aspect, score: yes ? 90 : 10 })));
    });
  });
  afterAll(() => server.close());

  const judge = (max_calls?: number): StudyOver => ({
    judge: { kind: 'chat', base_url: server.baseUrl, model: 'm', ...(max_calls && { max_calls }) },
  });

  it('is asked once of every completion, however often its budget ends a run within a trial', async () => {
    const undisturbed = fresh({}, judge());
    await run(undisturbed);
    const whole = server.asked.length;
    const study = fresh({}, judge());
    await run(study, { stages: ['sample', 'grade', 'pair', 'attribute'] });
    const graded = server.asked.length - whole;
    for (const limit of [graded + 6, graded + 38, graded + 90, whole - 4]) {
      for (let again = 0; again < 2; again++) {
        put(study, {}, judge(limit));
        const { stopped } = await run(study);
        expect(stopped).toMatchObject({ stage: 'steer', reason: `judge.max_calls ${limit} is used up` });
        expect(server.asked.length - whole).toBe(limit);
      }
      expect(existsSync(join(study, resultFiles.steered))).toBe(false);
    }
    put(study, {}, judge());
    await run(study);
    expect(server.asked.length - whole).toBe(whole);
    for (const name of steeringFiles)
      expect(read(study, name).equals(read(undisturbed, name)), name).toBe(true);
    for (const { kind } of await readJsonlAll(join(study, resultFiles.steered), steeredRecord))
      expect(['trial', 'forced']).toContain(kind);
  });
});

describe('the log-odds of a finished causal test', () => {
  it('are kept for one that asks for more', async () => {
    const study = fresh({ full: true, random: 8 });
    await run(study);
    const left: Record<string, number> = {};
    const progress: Progress = {
      stage(label, total, done = 0) {
        left[label] = total - done;
        return { advance() {}, end() {} };
      },
      note() {},
    };
    put(study, { full: true, random: 8, candidates: 4 });
    const { steer } = await run(study, { progress });
    const arms = steer!.rows.filter(({ side, log_odds }) => side === 'away' && log_odds !== null).length;
    expect(arms).toBeGreaterThan(2 * 10);
    expect(left['Log-odds, away']).toBeGreaterThan(0);
    expect(left['Log-odds, away']).toBeLessThan(arms / 2);
    const atOnce = fresh({ full: true, random: 8, candidates: 4 });
    await run(atOnce);
    for (const name of steeringFiles) expect(read(study, name).equals(read(atOnce, name)), name).toBe(true);
  });
});

describe('a judge that was trained', () => {
  const part = {
    accuracy: 1,
    examples: 2,
    positives: 1,
    calibrationError: 0,
    within: { accuracy: 1, pairs: 1 },
    bins: [
      { from: 0, count: 1, share: 0 },
      { from: 0.5, count: 1, share: 1 },
    ],
  };
  const report = {
    behaviour: part,
    coherence: part,
    kinds: [],
    prompts: { trained: 3, heldOut: 1 },
  } as unknown as ClassifierReport;

  /** Tells a report whenever it is opened; trains, where it does, by writing its file. */
  function training(trains: (opening: number) => boolean) {
    let openings = 0;
    spied.judge = (real, study) => ({
      ...real,
      async open(options) {
        if (trains(openings++)) writeFileSync(join(study, 'judge.safetensors'), `${openings}`);
        options?.onReport?.(report);
        return real.open(options);
      },
    });
  }
  async function headings(study: string): Promise<number> {
    const notes: string[] = [];
    await run(study, {
      progress: { stage: () => ({ advance() {}, end() {} }), note: (line) => void notes.push(line) },
    });
    return notes.filter((line) => /^The judge, on 1 of its \d+ prompts, which were held out/.test(line))
      .length;
  }

  it.each([
    ['before the causal test is told of once', (opening: number) => opening === 0, 1],
    ['again for the causal test is told of again', () => true, 2],
  ])('%s', async (_name, trains, times) => {
    training(trains);
    expect(await headings(fresh())).toBe(times);
  });

  it('is told of with the grades, also where fewer completions leave it nothing to grade', async () => {
    let openings = 0;
    training(() => ++openings === 1);
    const study = fresh();
    const told = { judge_accuracy: 1, judge_sensitivity: 1, judge_prompts_held_out: 1 };
    const graded = async () => (await run(study, { stages: ['sample', 'grade'] })).grade!;
    expect(await graded()).toMatchObject({ upToDate: false, counts: told });
    expect(await graded()).toMatchObject({ upToDate: true, counts: told });
    put(study, {}, { sampling: { ...sampling, completions: sampling.completions - 1 } });
    expect(await graded()).toMatchObject({ upToDate: false, counts: told });
    expect(openings).toBe(1);
  });
});

describe('whatever fails', () => {
  it('the judge is closed, and the error is the one that came first', async () => {
    const study = fresh({ incoherence: 'both' });
    await run(study, { stages: ['sample', 'grade', 'pair', 'attribute'] });
    let closed = 0;
    spied.judge = (real) => ({
      ...real,
      async open(options) {
        const judge = await real.open(options);
        return {
          ...judge,
          async close() {
            closed++;
            await judge.close();
          },
        };
      },
    });
    spied.reading = new Error('no room for the reference');
    await expect(run(study)).rejects.toBe(spied.reading);
    expect(closed).toBe(1);
    spied.reading = undefined;
    expect((await run(study)).steer!.upToDate).toBe(false);
    expect(closed).toBe(2);
  });
});

describe('steered.jsonl', () => {
  it('may be longer than a string', async () => {
    const study = fresh();
    const { steer } = await run(study);
    const [trial] = await readJsonlAll(join(study, resultFiles.steered), steeredRecord);
    if (trial?.kind !== 'trial') throw new Error('the first line is no trial');
    const long = { ...trial, completions: [{ ...trial.completions[0]!, text: 'x'.repeat(2 ** 25) }] };
    const others = Array<SteeredRecord>(16).fill(long);
    const target = join(folder, 'long');
    cpSync(study, target, { recursive: true });
    await writeSteering(target, steer!, [...others, trial]);
    const [line, last] = [long, trial].map((one) => `${JSON.stringify(one)}\n`);
    const file = await open(join(target, resultFiles.steered));
    expect((await file.stat()).size).toBe(16 * Buffer.byteLength(line!) + Buffer.byteLength(last!));
    const end = Buffer.alloc(Buffer.byteLength(last!));
    await file.read(end, 0, end.length, 16 * Buffer.byteLength(line!));
    expect(end.toString()).toBe(last);
    await file.close();
    rmSync(target, { recursive: true });
  });
});
