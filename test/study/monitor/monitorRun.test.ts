/** Monitors of the tiny study: what they are tried on, planted labels found again, transcripts scored as texts are. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { openSafetensors, readTensor } from '../../../src/files/safetensors.ts';
import { directionsOf } from '../../../src/methods/attribution/score.ts';
import { residualPass } from '../../../src/methods/site/residuals.ts';
import {
  completionRecord,
  decodeSteering,
  encodeSteering,
  type MonitorRecord,
  monitorSchema,
  steeredRecord,
} from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { readAttributionArrays } from '../../../src/study/attribution/attributionFiles.ts';
import { applyMonitor, type ScoredTranscript } from '../../../src/study/monitor/applyRun.ts';
import { runMonitor } from '../../../src/study/monitor/monitorRun.ts';
import { openModel } from '../../../src/study/open/openModel.ts';
import { openSae } from '../../../src/study/open/openSae.ts';
import { readLatents } from '../../../src/study/open/records.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { toFloat32 } from '../../../src/tensor.ts';
import { culpritHere } from '../../support/cliHere.ts';
import { layer, put, putAll, putModel, type TinyFolder, width } from '../../support/tinyFolder.ts';
import { tinyModel } from '../../support/tinyModel.ts';
import { putStudy, smallSteering } from '../../support/tinyStudy.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-monitor-'));
const at = (...parts: string[]) => join(root, ...parts);
const prompts = { file: 'prompts.jsonl', discovery: 6, evaluation: 4, calibration: 4 };
const steering = { ...smallSteering, selectors: ['delta-attribution'], gaussian: 0, completions: 4 };
let tiny: TinyFolder;
let own: MonitorRecord;

const linesOf = <S extends z.ZodType>(file: string, schema: S): z.output<S>[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => schema.parse(JSON.parse(line)));

const request = (study: string) => ({ study, cacheDir: tiny.cache, random: 12 });

beforeAll(async () => {
  tiny = await putAll(root);
  const { stopped } = await runStudy({
    study: putStudy(at('own'), tiny, { prompts, steering }),
    cacheDir: tiny.cache,
  });
  expect(stopped).toBeUndefined();
  own = (await runMonitor(request(at('own')))).record;
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Score of a completion by its definition, a text at a time. */
async function byHand(text: { prompt: string; completion: string }, latent: number, sign: number) {
  const { model, codec } = await openModel(tiny.model, { adapter: tiny.adapter, cacheDir: tiny.cache });
  const direction = await directionsOf(await openSae(tiny.sae), [latent]);
  const { baseline } = await readAttributionArrays(at('own'));
  const start = codec.encodePrompt(text.prompt);
  const runtime = nodeRuntime();
  const pass = await residualPass(runtime, model, layer);
  const { activation, places } = await pass.run([
    ...start,
    ...codec.encodeCompletion(text.prompt, text.completion),
  ]);
  await runtime.close();
  const kept = places.filter((place) => place >= start.length);
  const along = (place: number) =>
    direction.reduce((sum, x, i) => sum + x * (activation[place * width + i]! - baseline[i]!), 0);
  return { score: (sign * kept.reduce((sum, place) => sum + along(place), 0)) / kept.length, kept };
}

const transcript = { id: 'tea', prompt: 'What of this? ', completion: 'Tea, of course, and a hat.' };

async function applied(rows: readonly object[], over: object = {}): Promise<ScoredTranscript[]> {
  const transcripts = put(at('transcripts.jsonl'), [...rows]);
  const found = await applyMonitor({ monitor: at('own'), transcripts, cacheDir: tiny.cache, ...over });
  const scored: ScoredTranscript[] = [];
  try {
    for await (const row of found.rows) scored.push(row);
  } finally {
    await found.close();
  }
  return scored;
}

describe('a monitor', () => {
  it('is fitted to the coherent completions and tried on unsteered ones of other prompts', () => {
    const [test] = own.tests;
    const alone = linesOf(at('own', 'steered.jsonl'), steeredRecord).flatMap((one) =>
      one.kind === 'trial' && one.side === 'away' && one.operation === null && one.part !== 'calibration'
        ? one.completions
        : [],
    );
    const coherent = alone.filter(({ coherent, judged }) => coherent && judged);
    expect(test).toMatchObject({
      kind: 'held-out',
      of: null,
      completions: coherent.length,
      positives: coherent.filter(({ label }) => label === 'positive').length,
    });
    const discovery = new Set(
      linesOf(at('own', 'completions.jsonl'), completionRecord).map(({ prompt_id }) => prompt_id),
    );
    expect(coherent.length).toBeGreaterThan(0);
    for (const { prompt_id } of coherent) expect(discovery).not.toContain(prompt_id);
    expect(own.fitted.prompts).toBeLessThanOrEqual(6);
  });

  it('has the first by delta where none is confirmed, and says so', async () => {
    const rows = await readLatents(at('own'));
    expect(own.confirmed).toEqual([]);
    const ofLatents = own.detectors.filter(({ kind }) => kind === 'latent');
    expect(ofLatents.map(({ latent, sign, rank, confirmed }) => [latent, sign, rank, confirmed])).toEqual(
      rows.slice(0, 3).map(({ latent, sign, rank }) => [latent, sign, rank, false]),
    );
    expect(own.detectors.slice(3).map(({ name }) => name)).toEqual(['probe', 'mean difference']);
    expect(own.tests[0]!.random.latents).toBe(12);
  });

  it('is kept as it is told, with vectors that give its scores elsewhere', async () => {
    expect(monitorSchema.parse(JSON.parse(readFileSync(at('own', 'monitor.json'), 'utf8')))).toEqual(own);
    const tensors = await openSafetensors(at('own', 'monitor.safetensors'));
    const read = async (name: string) => toFloat32(await readTensor(tensors.get(name)!));
    const [weights, bias, baseline] = [await read('weights'), await read('bias'), await read('baseline')];
    expect(weights).toHaveLength(own.detectors.length * width);
    const projected = baseline.reduce((sum, x, i) => sum + x * weights[i]!, 0);
    expect(bias[0]!).toBeCloseTo(-projected, 5);
    expect([...(await read('threshold'))]).toEqual(
      own.detectors.map(({ threshold }) => Math.fround(threshold)),
    );
  });
});

describe('a study with a confirmed latent', () => {
  it('has it monitored, and the first by delta beside it; what is of an earlier state is told', async () => {
    const copy = at('confirmed');
    cpSync(at('own'), copy, { recursive: true });
    const path = join(copy, 'steering.parquet');
    const rows = await decodeSteering(Uint8Array.from(readFileSync(path)).buffer);
    const first = own.detectors[0]!.latent;
    const one = rows.find(({ role, latent, operation }) => {
      return role === 'candidate' && latent !== first && operation === 'remove';
    })!;
    const sure = rows.map((row) => (row === one ? { ...row, verdict: 'confirmed' as const } : row));
    writeFileSync(path, new Uint8Array(encodeSteering(sure)));
    // as a causal test that ended so
    const manifest = JSON.parse(readFileSync(join(copy, 'manifest.json'), 'utf8'));
    put(join(copy, 'manifest.json'), { ...manifest, stages: { ...manifest.stages, steer: undefined } });
    putStudy(copy, tiny, { prompts, steering, judge: { kind: 'pattern', positive: '[A-Y]' } });
    const { record } = await runMonitor(request(copy));
    expect(record.confirmed).toEqual([one.latent]);
    expect(
      record.detectors
        .filter(({ kind }) => kind === 'latent')
        .map(({ latent, confirmed }) => [latent, confirmed]),
    ).toEqual([
      [one.latent, true],
      [first, false],
    ]);
    expect(record.stale.grade).toContain('study.yaml now says another');
    expect(own.stale).toEqual({});
  });
});

describe('a monitor on transcripts', () => {
  it('scores by the mean projection on σ d above the baseline’s, token by token', async () => {
    const [row] = await applied([transcript], { strongest: 1000 });
    for (const { name, latent, sign } of own.detectors.filter(({ kind }) => kind === 'latent')) {
      const { score, kept } = await byHand(transcript, latent!, sign!);
      expect(row!.scores.find(({ detector }) => detector === name)!.score).toBeCloseTo(score, 4);
      expect(row!.tokens).toBe(kept.length);
    }
    const { strongest } = row!;
    const mean = strongest.reduce((sum, { score }) => sum + score, 0) / strongest.length;
    expect(mean).toBeCloseTo(row!.scores[0]!.score, 5);
    expect(strongest.map(({ score }) => score)).toEqual(
      strongest.map(({ score }) => score).sort((a, b) => b - a),
    );
    expect(
      [...strongest]
        .sort((a, b) => a.position - b.position)
        .map(({ token }) => token)
        .join(''),
    ).toBe(transcript.completion);
  });

  it('takes a chat as its prompt and the assistant’s last words', async () => {
    const user = { role: 'user', content: 'Tea?' };
    const { completion } = transcript;
    const [chat, apart] = await applied([
      { messages: [user, { role: 'assistant', content: completion }] },
      { prompt: [user], completion },
    ]);
    expect(chat!.scores).toEqual(apart!.scores);
  });

  it('gives its rows before a bad one, which it tells of in one line', async () => {
    const rows = [transcript, { messages: [{ role: 'user', content: 'x' }] }];
    const transcripts = put(at('bad.jsonl'), rows);
    const args = ['monitor', 'apply', at('own'), transcripts, '--cache', tiny.cache, '--quiet'];
    const { code, stdout, stderr } = await culpritHere([...args, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ document: 'monitor-row', id: 'tea' });
    expect(stderr).toBe(
      `culprit: ${transcripts}:2: messages: expected a prompt and then the assistant's message, found user\n`,
    );
    expect(code).toBe(2);
  });
});

describe('across tasks', () => {
  it('finds labels again that are planted along a latent, and with no random one', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => ({
      id: `${i}`,
      prompt: `What of ${i % 8}? `,
      completion: `It is ${'abcdefgh'[i % 7]!.repeat(1 + (i % 5))} and ${i * 37}.`,
    }));
    const scores = (await applied(texts)).map(({ scores }) => scores[0]!.score);
    const middle = [...scores].sort((a, b) => a - b)[20]!;
    const file = put(
      at('planted.jsonl'),
      texts.map((text, i) => ({ ...text, label: scores[i]! >= middle ? 'positive' : 'negative' })),
    );
    const { record } = await runMonitor({ ...request(at('own')), on: [file], out: at('planted') });
    const test = record.tests.find(({ kind }) => kind === 'file')!;
    expect(test).toMatchObject({ of: file, completions: 40, positives: 20, prompts: 8, model: tiny.model });
    expect(test.rows[0]).toMatchObject({ auc: { value: 1 }, within: { value: 1 }, random_as_high: 0 });
    expect(test.random.auc.high!).toBeLessThan(1);
    // what a threshold flags, by the scores themselves
    const flagged = scores.filter(
      (score) => score > record.detectors[0]!.threshold && score >= middle,
    ).length;
    expect(test.rows[0]!.tpr.value).toBeCloseTo(flagged / 20, 10);
  });

  it('has another study read by its own subject, and refuses one of other residuals', async () => {
    const other = putStudy(at('other'), tiny, { prompts, subject: { model: tiny.model } });
    await runStudy({ study: other, cacheDir: tiny.cache, stages: ['sample', 'grade', 'pair', 'attribute'] });
    const { record } = await runMonitor({ ...request(at('own')), on: [other], out: at('crossed') });
    expect(record.tests.find(({ kind }) => kind === 'study')).toMatchObject({
      of: other,
      behaviour: 'letter',
      model: tiny.model,
      adapter: null,
    });

    // without a causal test there are no other prompts
    const crossed = (await runMonitor({ ...request(other), out: at('crossed') })).record;
    expect(crossed.confirmed).toBeNull();
    expect(crossed.tests).toMatchObject([{ kind: 'cross-fitted', completions: crossed.fitted.completions }]);

    const blocks = tinyModel({
      config: { vocab_size: 272, max_position_embeddings: 256, num_hidden_layers: 4 },
    });
    const model = await putModel(at('deeper'), blocks);
    putStudy(other, tiny, { prompts, subject: { model } });
    await expect(runMonitor({ ...request(at('own')), on: [other], out: at('crossed') })).rejects.toThrow(
      `--on ${other}: expected a llama model of 3 blocks and width 16 read at resid_post 1, as ${at('own')} has it, found a llama model of 4 blocks and width 16 read at resid_post 1`,
    );
  }, 60_000);
});

describe('refused in one line', () => {
  const said = async (args: readonly string[]) => {
    const { code, stdout, stderr } = await culpritHere(['monitor', ...args, '--quiet']);
    expect(stderr).toMatch(/^culprit: [^\n]+\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    return stderr;
  };

  it('results that were changed since they were made', async () => {
    const copy = at('changed');
    cpSync(at('own'), copy, { recursive: true });
    const grades = join(copy, 'grades.jsonl');
    writeFileSync(grades, readFileSync(grades, 'utf8').replace('"positive"', '"negative"'));
    expect(await said([copy])).toContain('grades.jsonl: was changed after stage grade');
  });

  it('a study without results, and this study itself', async () => {
    expect(await said([putStudy(at('empty'), tiny, { prompts })])).toContain(
      'latents.parquet: no such file: `culprit attribute',
    );
    expect(await said([at('own'), '--on', at('own')])).toContain('expected another study');
    expect(await said([at('own'), '--on', at('no.jsonl')])).toContain('no.jsonl: no such file');
  });

  it('vectors of another monitor, a detector that there is not, another model', async () => {
    const copy = at('cut');
    const texts = put(at('one.jsonl'), [transcript]);
    cpSync(at('own', 'monitor.safetensors'), join(copy, 'monitor.safetensors'), { recursive: true });
    put(join(copy, 'monitor.json'), { ...own, detectors: own.detectors.slice(1) });
    expect(await said(['apply', copy, texts])).toContain(
      `expected a tensor weights of shape [4, ${width}], as ${join(copy, 'monitor.json')} has it, found [5, ${width}]`,
    );
    expect(await said(['apply', at('own'), texts, '--detector', 'x'])).toContain(
      `--detector x: expected one of ${own.detectors.map(({ name }) => name).join(', ')}`,
    );
    const wide = tinyModel({ config: { vocab_size: 272, max_position_embeddings: 256, hidden_size: 24 } });
    const model = await putModel(at('wide'), wide);
    expect(await said(['apply', at('own'), texts, '--model', model])).toContain(
      `model ${model}: expected a width of ${width}, which ${at('own')} reads, found 24`,
    );
    put(join(copy, 'monitor.json'), { ...own, model, adapter: null });
    expect(await said(['apply', copy, texts])).toContain(
      `${model}: was changed since ${copy} was fitted on it`,
    );
  });
});

it('what was read is not read again, of a run that was stopped too', async () => {
  const read: [total: number, left: number][] = [];
  const progress = (advance: () => void) => ({
    stage(label: string, total: number, done = 0) {
      if (label === 'Texts read') read.push([total, total - done]);
      return { advance, end() {} };
    },
    note() {},
  });
  const all = { ...request(at('own')), tokens: 'all' as const, out: at('again') };
  let prompts = 0;
  const stopped = runMonitor({
    ...all,
    progress: progress(() => {
      if (++prompts === 2) throw new Error('stopped');
    }),
  });
  await expect(stopped).rejects.toThrow('stopped');
  const { record } = await runMonitor({ ...all, progress: progress(() => {}) });
  const [[total, first], [, second], held] = read as [[number, number], [number, number], [number, number]];
  expect(first).toBe(total);
  expect(second).toBeLessThan(first);
  expect(second).toBeGreaterThan(0);
  expect(held[1]).toBe(held[0]);
  const again = await runMonitor({ ...all, progress: progress(() => {}) });
  expect(read.slice(3)).toEqual([
    [total, 0],
    [held[0], 0],
  ]);
  expect({ ...again.record, created: '' }).toEqual({ ...record, created: '' });
  expect(record.detectors[0]!.threshold).not.toBe(own.detectors[0]!.threshold);
});
