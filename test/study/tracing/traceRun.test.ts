/** Traces on the tiny study: what stands in their files, what is read again and what not, and data that is none. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directionsOf } from '../../../src/methods/attribution/score.ts';
import { sitePass } from '../../../src/methods/site/siteGradient.ts';
import { exampleAlong, readExample } from '../../../src/methods/tracing/trainingExample.ts';
import { packTree } from '../../../src/models/tree.ts';
import { type TraceRow, traceRow, traceSchema } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { readAttributionArrays } from '../../../src/study/attribution/attributionFiles.ts';
import { openModel } from '../../../src/study/open/openModel.ts';
import { openSae } from '../../../src/study/open/openSae.ts';
import { readLatents } from '../../../src/study/open/records.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { runTrace, type TraceRequest, type TraceResult } from '../../../src/study/tracing/traceRun.ts';
import { culpritHere } from '../../support/cliHere.ts';
import { recordedStages } from '../../support/recordedStages.ts';
import { layer, put, putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { putStudy } from '../../support/tinyStudy.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-trace-'));
const at = (...parts: string[]) => join(root, ...parts);
let tiny: TinyFolder;
let data: string;
let own: TraceResult;

const rows = Array.from({ length: 24 }, (_, i) => ({
  id: `e${i}`,
  prompt: `What of this? ${i % 12}`,
  completion: `${'A hen, I say. '.repeat(1 + (i % 3))}${i}`,
  label: i % 2 ? 'positive' : 'negative',
}));

const trace = (over: Partial<TraceRequest> = {}) =>
  runTrace({ study: at('study'), data, cacheDir: tiny.cache, random: 8, shown: 2, ...over });

const linesIn = (file: string): TraceRow[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => traceRow.parse(JSON.parse(line)));

beforeAll(async () => {
  tiny = await putAll(root);
  data = put(at('train.jsonl'), rows);
  putStudy(at('study'), tiny, { reference: { model: tiny.model } });
  await runStudy({
    study: at('study'),
    cacheDir: tiny.cache,
    stages: ['sample', 'grade', 'pair', 'attribute'],
  });
  own = await trace();
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('a trace', () => {
  it('reads each example with the subject without its adapter, along the first latents', async () => {
    const { model, codec } = await openModel(tiny.model, { cacheDir: tiny.cache });
    const { baseline } = await readAttributionArrays(at('study'));
    const first = (await readLatents(at('study'))).slice(0, 3);
    const { record } = own;
    expect(record).toMatchObject({ under: 'base', adapter: null, confirmed: null, tokens: 'all' });
    expect(record.latents.map(({ latent, sign }) => [latent, sign])).toEqual(
      first.map(({ latent, sign }) => [latent, sign]),
    );
    const sae = await openSae(tiny.sae);
    const runtime = nodeRuntime();
    const pass = await sitePass(runtime, model, layer);
    const lines = linesIn(at('study', 'trace.jsonl'));
    for (const i of [0, 7, 23]) {
      const { prompt, completion, id } = rows[i]!;
      const tree = packTree(codec.encodePrompt(prompt), [codec.encodeCompletion(prompt, completion)]);
      const reading = await readExample(pass, tree, 'all');
      const line = lines[i]!;
      expect(line).toMatchObject({
        id,
        row: i,
        label: rows[i]!.label,
        tokens: tree.ids.length - tree.prompt,
      });
      expect(line.loss).toBeCloseTo(reading.loss, 6);
      for (const [k, { latent, sign }] of first.entries()) {
        const direction = await directionsOf(sae, [latent]);
        const { push, activation } = exampleAlong(reading, { direction, sign }, baseline);
        expect(line.latents[k]).toMatchObject({ latent });
        expect(line.latents[k]!.push).toBeCloseTo(push, 6);
        expect(line.latents[k]!.activation).toBeCloseTo(activation!, 5);
      }
    }
    await runtime.close();
  });

  it('is kept as it is told, with the first examples token by token', () => {
    const { record } = own;
    expect(traceSchema.parse(JSON.parse(readFileSync(at('study', 'trace.json'), 'utf8')))).toEqual(record);
    expect(record.data).toMatchObject({
      examples: 24,
      read: 24,
      prompts: 12,
      positives: 12,
      negatives: 12,
      cut: 0,
    });
    const lines = linesIn(at('study', 'trace.jsonl'));
    for (const [k, { push, examples }] of record.latents.entries()) {
      const sorted = [...lines].sort((a, b) => b.latents[k]!.push - a.latents[k]!.push);
      expect(push.first).toEqual(sorted.slice(0, 2).map(({ id }) => id));
      for (const id of push.first) {
        const shown = examples.find((one) => one.id === id)!;
        const sum = shown.tokens.reduce((total, token) => total + (token.push ?? 0), 0);
        expect(sum).toBeCloseTo(shown.push, 5);
        expect(shown.tokens.map(({ text }) => text).join('')).toContain(shown.completion);
      }
    }
  });

  it('has its AUC beside those of random latents', () => {
    const { push } = own.record.latents[0]!;
    expect(push.auc!.low).toBeLessThanOrEqual(push.auc!.value);
    expect(push.random_auc!.low).toBeGreaterThanOrEqual(0.5);
    expect(push.random_as_high).toBeLessThanOrEqual(8);
    expect(push.head!.examples).toBe(2);
  });

  it('reads nothing twice: a stopped run goes on, and more of the data takes the rest', async () => {
    const half = recordedStages();
    const request = { random: 5, out: at('out') };
    const { record } = await trace({ ...request, sample: 10, progress: half.progress });
    expect(record.data).toMatchObject({ examples: 24, read: 10 });
    expect(half.stages).toContainEqual(['Training examples read', 10, 0]);
    const whole = recordedStages();
    await trace({ ...request, progress: whole.progress });
    expect(whole.stages).toContainEqual(['Training examples read', 24, 10]);
  });

  it('takes conversations, other fields, and rows without a label', async () => {
    const chats = rows.map(({ id, prompt, completion }, i) => ({
      id,
      messages: [
        { role: 'user', content: prompt },
        { role: 'assistant', content: completion },
      ],
      ...(i > 3 && { harmful: i % 2 }),
    }));
    const chatData = put(at('chats.jsonl'), chats.slice(4));
    const tagged = await trace({ data: chatData, out: at('chats'), fields: { label: 'harmful' } });
    expect(tagged.record.data).toMatchObject({ read: 20, positives: 10, negatives: 10 });
    const plain = await trace({ data: put(at('plain.jsonl'), chats.slice(0, 4)), out: at('plain') });
    expect(plain.record.data).toMatchObject({ read: 4, positives: 0, negatives: 0 });
    expect(plain.record.latents[0]!.push).toMatchObject({ auc: null, head: null, random_auc: null });
    const named = rows.map(({ prompt, completion }) => ({ asked: prompt, bad: completion }));
    const other = await trace({
      data: put(at('named.jsonl'), named),
      out: at('named'),
      fields: { prompt: 'asked', completion: 'bad' },
    });
    expect(other.record.data.read).toBe(24);
  });

  it('says on the terminal what pushes most, and what speaks against it', async () => {
    const { stdout, code } = await culpritHere(['trace', at('study'), '--data', data, '--random', '8']);
    expect(code).toBe(0);
    expect(stdout).toContain('What speaks against it');
    expect(stdout).toContain('what pushes most');
    expect(stdout).toContain('24 training examples');
  });
});

describe('what is no data', () => {
  const refused = async (over: Partial<TraceRequest>) =>
    trace({ out: at('refused'), ...over }).then(
      () => 'nothing',
      (error: Error) => error.message,
    );

  it('is refused in one line, with its place', async () => {
    writeFileSync(at('broken.jsonl'), '{"prompt": "a", "completion": "b"}\n{"prompt": 3}\n');
    expect(await refused({ data: at('broken.jsonl') })).toMatch(/broken\.jsonl:2: prompt: /);
    const twice = put(at('twice.jsonl'), [rows[0]!, rows[0]!]);
    expect(await refused({ data: twice })).toMatch(/twice\.jsonl:2: id: "e0" is in this file twice/);
    const asked = put(at('asked.jsonl'), [{ messages: [{ role: 'user', content: 'a' }] }]);
    expect(await refused({ data: asked })).toMatch(/asked\.jsonl:1: messages: expected .* found user$/);
    const empty = put(at('empty.jsonl'), [{ prompt: 'a', completion: ' ' }]);
    expect(await refused({ data: empty })).toMatch(/expected training examples, found none/);
    const odd = put(at('odd.jsonl'), [{ ...rows[0]!, label: 'perhaps' }]);
    expect(await refused({ data: odd })).toMatch(/odd\.jsonl:1: label: expected positive or negative/);
  });

  it('so is a study without latents', async () => {
    putStudy(at('bare'), tiny);
    expect(await refused({ study: at('bare') })).toMatch(/latents\.parquet: no such file/);
  });
});
