/**
 * Whole studies whose completions come from a stand-in of vLLM that holds the same models: they end with the bytes
 * of one on this machine, go on where they were stopped, and ask for nothing twice.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Progress } from '../../../src/study/open/progress.ts';
import { readStudy } from '../../../src/study/run/ownStudy.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { studyStatus } from '../../../src/study/run/studyStatus.ts';
import { type EngineModels, engineModels } from '../../support/engineModels.ts';
import { putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import {
  causalTestPrompts,
  putStudy,
  type StudyOver,
  sampling,
  smallSteering,
} from '../../support/tinyStudy.ts';
import { type VllmServer, type VllmServerOptions, vllmServer } from '../../support/vllmServer.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-vllm-study-'));
const runtime = nodeRuntime({ threads: 1 });
let tiny: TinyFolder;
let models: EngineModels;
beforeAll(async () => {
  tiny = await putAll(folder);
  models = await engineModels(tiny);
});
let server: VllmServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(options: VllmServerOptions = {}): Promise<VllmServer> {
  server = await vllmServer(runtime, { base: models.reference, tuned: models.subject }, options);
  return server;
}

const key = 'sk-0987654321zyxwvutsrq';
const engine = (baseUrl: string, over: Readonly<Record<string, unknown>> = {}) => ({
  ...{ kind: 'vllm', base_url: baseUrl, model: 'base', adapter: 'tuned', concurrency: 8, retries: 1 },
  ...{ api_key_env: 'SERVER_KEY', ...over },
});

const whole: StudyOver = { prompts: causalTestPrompts, steering: smallSteering };
const put = (name: string, named: object | undefined, over: StudyOver = whole) =>
  putStudy(join(folder, name), tiny, { ...over, sampling: { ...sampling, ...(named && { engine: named }) } });

function told() {
  const notes: string[] = [];
  const progress: Progress = {
    stage: () => ({ advance() {}, end() {} }),
    note: (line) => void notes.push(line),
  };
  return { notes, progress };
}

const request = (study: string, progress?: Progress) => ({
  ...{ study, cacheDir: tiny.cache, environment: { SERVER_KEY: key } },
  ...(progress && { progress }),
});

const bytes = (study: string, name: string) => readFileSync(join(study, name), 'utf8');
const manifestOf = (study: string) => JSON.parse(bytes(study, 'manifest.json'));

/** All that stands in a folder and below it, as text. */
const everything = (study: string) =>
  readdirSync(study, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile() && !one.name.endsWith('.parquet'))
    .map((one) => readFileSync(join(one.parentPath, one.name), 'latin1'))
    .join('\n');

describe('a whole study', () => {
  it('ends with the bytes of one on this machine, and tells what is made where', async () => {
    const { baseUrl } = await serve();
    const local = put('local', undefined);
    await runStudy(request(local));
    const served = put('served', engine(baseUrl));
    const { notes, progress } = told();
    await runStudy(request(served, progress));
    for (const name of ['completions.jsonl', 'grades.jsonl', 'pairs.jsonl', 'steered.jsonl', 'steering.json'])
      expect(bytes(served, name)).toBe(bytes(local, name));
    const { stages } = manifestOf(served);
    expect(manifestOf(local).stages.sample.engines).toBeUndefined();
    expect(stages.sample.options.engine).toEqual({ kind: 'vllm', model: 'tuned' });
    expect(stages.sample.engines).toMatchObject([{ engine: 'vllm', model: 'tuned', version: '0.30.0+cpu' }]);
    expect(stages.steer.options.engine).toEqual({
      away: { kind: 'vllm', model: 'tuned' },
      toward: { kind: 'vllm', model: 'base' },
    });
    expect(stages.steer.engines).toMatchObject([
      { model: 'tuned', steers: 'all, prompt, completion' },
      { model: 'base', steers: 'all, prompt, completion' },
    ]);
    expect(notes.filter((line) => line.startsWith('vLLM 0.30.0+cpu at'))).toHaveLength(2);
    expect(notes).toContainEqual(
      expect.stringMatching(
        /^Projections that are held, and what else vLLM at http:\S+ cannot say as an added/,
      ),
    );
    expect(everything(served) + notes.join('\n')).not.toContain(key);
    expect(readdirSync(join(served, '.work'))).toEqual([]);
  }, 120_000);

  it('is done: its status and another run ask the server for nothing', async () => {
    const served = join(folder, 'served');
    const before = manifestOf(served);
    const { sample, steer } = await runStudy(request(served));
    expect([sample!.upToDate, steer!.upToDate]).toEqual([true, true]);
    expect(manifestOf(served).stages).toEqual(before.stages);
    const { stages } = await studyStatus({ study: served, cacheDir: tiny.cache });
    expect(stages.filter(({ left }) => left > 0)).toEqual([]);
  });

  it('is sampled anew from another of the server’s models, not at another address', async () => {
    const { baseUrl } = await serve();
    const served = put('moved', engine('http://127.0.0.1:9/v1'), {
      prompts: { ...causalTestPrompts, evaluation: 0 },
    });
    await expect(runStudy({ ...request(served), stages: ['sample'] })).rejects.toThrow(
      /^sampling\.engine http:\/\/127\.0\.0\.1:9\/v1: 2 requests without an answer, the last: /,
    );
    const prompts = { prompts: { ...causalTestPrompts, evaluation: 0 } };
    put('moved', engine(baseUrl), prompts);
    await runStudy({ ...request(served), stages: ['sample'] });
    put('moved', engine(baseUrl.replace('127.0.0.1', 'localhost')), prompts);
    expect((await runStudy({ ...request(served), stages: ['sample'] })).sample!.upToDate).toBe(true);
    put('moved', engine(baseUrl, { adapter: undefined, model: 'tuned' }), prompts);
    expect((await runStudy({ ...request(served), stages: ['sample'] })).sample!.upToDate).toBe(true);
    put('moved', undefined, prompts);
    expect((await runStudy({ ...request(served), stages: ['sample'] })).sample!.upToDate).toBe(false);
  });
});

describe('a server that goes away', () => {
  it('in the middle: what is confirmed is kept, and asked for once', async () => {
    let down = false;
    let answered = 0;
    const isCompletion = (body: Readonly<Record<string, unknown>>) =>
      body.max_tokens === 12 && body.top_k !== undefined;
    const { baseUrl, accepted, asked } = await serve({
      fault: ({ body }) => {
        if (isCompletion(body) && !down) down = ++answered > 90;
        return down ? (response) => response.writeHead(503).end('starting') : undefined;
      },
    });
    const over = { prompts: { file: 'prompts.jsonl', discovery: 14, evaluation: 0 } };
    const many = { ...sampling, completions: 12 };
    const study = putStudy(join(folder, 'restarted'), tiny, {
      ...over,
      sampling: { ...many, engine: engine(baseUrl) },
    });
    await expect(runStudy({ ...request(study), stages: ['sample'] })).rejects.toThrow(
      /^sampling\.engine http:\S+: 2 requests without an answer, the last: status 503: starting$/,
    );
    const kept = readFileSync(
      join(
        study,
        '.work',
        readdirSync(join(study, '.work')).find((name) => /^sample-\w+\.jsonl$/.test(name))!,
      ),
      'utf8',
    )
      .trim()
      .split('\n').length;
    expect(kept).toBeGreaterThanOrEqual(64);
    down = false;
    answered = -1000;
    const before = asked.length;
    const { sample } = await runStudy({ ...request(study), stages: ['sample'] });
    expect(sample!.records).toHaveLength(14 * 12);
    const again = asked.slice(before).filter(({ body }) => isCompletion(body));
    expect(again.length).toBeLessThanOrEqual(14 * 12 - 64);
    const twice = [...accepted].filter(([body, times]) => isCompletion(JSON.parse(body)) && times > 1);
    // what had come and was not confirmed when the server went away
    expect(twice.length).toBeLessThanOrEqual(90 - 64 + 8);
    const undisturbed = putStudy(join(folder, 'undisturbed'), tiny, { ...over, sampling: many });
    await runStudy({ ...request(undisturbed), stages: ['sample'] });
    expect(bytes(study, 'completions.jsonl')).toBe(bytes(undisturbed, 'completions.jsonl'));
    expect(manifestOf(study).stages.sample.engines).toHaveLength(1);
  });
});

describe('study.yaml', () => {
  const read = (named: object) => readStudy(put('wrong', named));
  it.each([
    [{ kind: 'vlm' }, /sampling\.engine\.kind: expected an engine of one kind: local, vllm/],
    [{ kind: 'vllm' }, /sampling\.engine\.base_url: expected a URL/],
    [{ kind: 'local', rows: 3 }, /sampling\.engine: expected one of the fields kind, found "rows"/],
    [
      { ...engine('http://h/v1'), concurrency: 0 },
      /concurrency: expected a whole number from 1 to 1024, found 0/,
    ],
    [{ ...engine('http://u:secret@h/v1') }, /base_url: expected a URL without a user or a password/],
    [{ ...engine('http://h/v1'), timeout_s: 301 }, /timeout_s: expected a number above 0 and at most 300/],
  ])('%j is refused', async (named, said) => {
    await expect(read(named)).rejects.toThrow(said);
    await expect(read(named)).rejects.not.toThrow('secret');
  });

  it('that serves subject and reference under one name is refused before anything is computed', async () => {
    const { baseUrl } = await serve();
    const study = put('one', engine(baseUrl, { adapter: undefined, model: 'tuned' }));
    await expect(runStudy(request(study))).rejects.toThrow(
      'sampling.engine.reference_model: expected the name under which the reference is served, found that of the subject, "tuned"',
    );
    expect(readdirSync(study)).not.toContain('completions.jsonl');
    expect(readdirSync(join(study, '.work'))).toEqual([]);
  });
});
