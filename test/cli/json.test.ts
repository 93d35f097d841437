/** What `--json` prints, held against the schemas of docs/schemas, which are those of the source. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type DocumentName, documents } from '../../src/cli/json.ts';
import { readCsv } from '../../src/files/csv.ts';
import { culpritHere } from '../support/cliHere.ts';
import { put, putAll, type TinyFolder } from '../support/tinyFolder.ts';
import { putStudy, smallSteering } from '../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-json-'));
const at = (name: string) => join(folder, name);
const schemas = resolve(import.meta.dirname, '../../docs/schemas');
const over = {
  prompts: { file: 'prompts.jsonl', discovery: 8, evaluation: 2, calibration: 1 },
  steering: {
    ...smallSteering,
    selectors: ['delta-attribution'],
    random: 3,
    candidates: 2,
    gaussian: 0,
    doses: [0.1],
    incoherent: 0.9,
    calibration_completions: 4,
  },
};
let tiny: TinyFolder;
let study: string;
beforeAll(async () => {
  tiny = await putAll(at('tiny'));
  study = putStudy(at('study'), tiny, over);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The document that a command prints, nothing beside it on standard output, as its published schema has it. */
async function printed<N extends DocumentName>(
  name: N,
  args: readonly string[],
): Promise<z.output<(typeof documents)[N]>> {
  const { code, stdout, stderr } = await culpritHere([...args, '--json', '--quiet']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const published = z.fromJSONSchema(JSON.parse(readFileSync(join(schemas, `${name}.json`), 'utf8')));
  const document: unknown = JSON.parse(stdout);
  expect(published.safeParse(document).error).toBeUndefined();
  expect(published.safeParse({ ...(document as object), document: 'other' }).success).toBe(false);
  return documents[name].parse(document) as z.output<(typeof documents)[N]>;
}

describe('the published schemas', () => {
  it('are all there are', () =>
    expect(readdirSync(schemas).sort()).toEqual(
      Object.keys(documents)
        .map((name) => `${name}.json`)
        .sort(),
    ));

  it.each(Object.entries(documents))('%s', async (name, schema) => {
    const text = `${JSON.stringify(z.toJSONSchema(schema), undefined, 2)}\n`;
    await expect(text).toMatchFileSnapshot(join(schemas, `${name}.json`));
  });
});

describe('a study', () => {
  it('status, before', async () => {
    const { stages, running } = await printed('status', ['status', study]);
    expect(running).toBe(null);
    expect(stages.map(({ stage, state, will }) => [stage, state, will])).toEqual(
      ['sample', 'grade', 'pair', 'attribute', 'fidelity', 'steer'].map((name) => [name, 'to do', 'run it']),
    );
  });

  it('run --dry-run', async () => {
    const { stages, seconds } = await printed('estimate', ['run', study, '--dry-run']);
    expect(stages.find(({ stage }) => stage === 'sample')).toMatchObject({ units: 48, done: 0 });
    expect(seconds).toBeGreaterThan(0);
  });

  it('run --until pair, which leaves the rest', async () => {
    const { stages, latents } = await printed('run', ['run', study, '--until', 'pair']);
    expect(stages.map(({ stage, up_to_date }) => [stage, up_to_date])).toEqual([
      ['sample', false],
      ['grade', false],
      ['pair', false],
    ]);
    expect(latents).toBe(null);
  });

  it('run, which says first what the causal test takes', async () => {
    const { stages, latents, effects, stopped } = await printed('run', ['run', study, '--rows', '3']);
    expect(stages.find(({ stage }) => stage === 'grade')).toMatchObject({ up_to_date: true });
    expect(latents!.map(({ rank }) => rank)).toEqual([1, 2, 3]);
    expect(new Set(effects!.map(({ role }) => role))).toContain('candidate');
    expect(stopped).toBe(null);
  });

  it('attribute, of the study', async () => {
    const { stages, latents } = await printed('run', ['attribute', study, '--rows', '1']);
    expect(stages).toMatchObject([{ stage: 'attribute', up_to_date: true }]);
    expect(latents).toHaveLength(1);
  });

  it('compare', async () => {
    const asked = ['compare', study, tiny.model, '--random-removed', '2', '--completions', '6'];
    const { compare, files, stopped } = await printed('compare', asked);
    expect(stopped).toBe(null);
    expect(files).toEqual([join(study, 'checkpoints.json')]);
    expect(JSON.parse(readFileSync(files[0]!, 'utf8'))).toEqual(compare);
  });

  it('trace', async () => {
    const data = put(at('train.jsonl'), [
      { prompt: 'What of this? 1', completion: 'A hen.', label: 'positive' },
      { prompt: 'What of this? 2', completion: 'No hat.', label: 'negative' },
    ]);
    const { trace, files } = await printed('trace', ['trace', study, '--data', data, '--random', '3']);
    expect(files).toEqual(['trace.json', 'trace.jsonl'].map((name) => join(study, name)));
    expect(JSON.parse(readFileSync(files[0]!, 'utf8'))).toEqual(trace);
  });

  it('monitor, and each transcript that it scores', async () => {
    const { monitor, files } = await printed('monitor', ['monitor', study, '--random', '3']);
    expect(files).toEqual(['monitor.json', 'monitor.safetensors'].map((name) => join(study, name)));
    expect(JSON.parse(readFileSync(files[0]!, 'utf8'))).toEqual(monitor);
    const text = put(at('one.jsonl'), [{ id: 'x', prompt: 'What? ', completion: 'This.' }]);
    const row = await printed('monitor-row', ['monitor', 'apply', study, text, '--strongest', '2']);
    expect(row.strongest).toHaveLength(2);
    expect(row.scores.map(({ detector }) => detector)).toEqual(monitor.detectors.map(({ name }) => name));
  });

  it('grade --batch, of a chat judge', async () => {
    const judge = { kind: 'chat', base_url: 'http://127.0.0.1:9/v1', model: 'none' };
    putStudy(study, tiny, { ...over, judge });
    const out = at('questions.jsonl');
    const { written } = await printed('judge-batch', ['grade', study, '--batch', 'write', out]);
    expect(written!.files).toEqual([{ file: out, requests: 2 * written!.texts }]);
    putStudy(study, tiny, over);
  });

  it('status, after an option was changed, tells which, and what that comes to', async () => {
    putStudy(study, tiny, {
      ...over,
      judge: { kind: 'pattern', positive: '[A-Y]', incoherent: '^.{0,1}$' },
    });
    const { stages } = await printed('status', ['status', study]);
    const will = Object.fromEntries(stages.map((stage) => [stage.stage, stage.will]));
    expect(will).toMatchObject({
      sample: 'nothing: it is done',
      grade: 'run it again, nothing is kept: positive "[A-Za-z]" → "[A-Y]"',
      steer: 'run it again if grade comes out otherwise than before',
    });
    const dry = await printed('estimate', ['run', study, '--dry-run']);
    expect(Object.fromEntries(dry.stages.map((stage) => [stage.stage, stage.will]))).toEqual(will);
    expect((await culpritHere(['status', study])).stdout.replaceAll(/\s+/g, ' ')).toContain(will.grade);
  });
});

describe('files of one’s own', () => {
  const model = () => ['--model', tiny.model, '--adapter', tiny.adapter, '--sae', tiny.sae];

  it('attribute', async () => {
    const args = ['attribute', ...model(), '--pairs', tiny.pairs, '--baseline', tiny.baseline];
    const found = await printed('attribute', [...args, '--out', at('out'), '--rows', '2']);
    expect(found).toMatchObject({ up_to_date: false, site: 'resid_post 1', counts: { pairs: 4 } });
    expect(found.latents).toHaveLength(2);
  });

  it('steer, on the screen and in a file alike', async () => {
    const args = ['steer', ...model(), '--latent', '3', '--dose', '0.1', '--prompt', 'Why?'];
    const out = at('texts.json');
    const found = await printed('steer', [...args, '--max-tokens', '4', '--samples', '1', '--out', out]);
    expect(found.comparisons).toHaveLength(1);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(found);
  });

  it('sae eval', async () => {
    const args = ['sae', 'eval', '--model', tiny.model, '--sae', tiny.sae, '--corpus', tiny.corpus];
    const found = await printed('sae-eval', args);
    expect(found.density).toHaveLength(40);
    expect(found.never_active).toBe(found.density.filter((x) => x === 0).length);
  });

  it('judge compare', async () => {
    const rows = Array.from({ length: 6 }, (_, i) => ({
      id: `${i}`,
      prompt: `p${i % 3}`,
      completion: `text ${i}`,
      label: i % 2 === 0 ? 'positive' : 'negative',
    }));
    const file = put(at('labelled.jsonl'), rows);
    const grades = put(
      at('grades.jsonl'),
      rows.map(({ id }, i) => ({ id, label: i < 5 ? rows[i]!.label : 'positive', score: i / 6 })),
    );
    const found = await printed('judge-compare', [
      'judge',
      'compare',
      file,
      '--a',
      'label',
      '--b',
      `grades:${grades}`,
    ]);
    expect(found.table).toEqual({ both: 3, only_a: 0, only_b: 1, neither: 2 });
    expect(found.strongest).toMatchObject([{ id: '5', a: { label: 'negative' }, b: { label: 'positive' } }]);
  });

  it('power', async () => {
    const args = ['power', '--evaluation', '10', '--completions', '2', '--random', '6', '--effect', '10,90'];
    const found = await printed('power', [...args, '--share', '0.6', '--candidates', '2']);
    expect(found.size).toMatchObject({ prompts: 10, completions: 2, random: 6, share: 0.6 });
    expect(found.chances).toMatchObject([
      { effect: 0.1, removal: expect.any(Number), steering: expect.any(Number) },
      { effect: 0.9, removal: null, steering: null },
    ]);
    expect(found.sizes[0]!.size).toEqual(found.size);
    expect(found.sizes.map(({ size }) => size.prompts)).toContain(20);
  });

  it('baseline', async () => {
    const out = at('mean.safetensors');
    const args = ['baseline', '--model', tiny.model, '--corpus', tiny.corpus, '--site', '1', '--out', out];
    const found = await printed('baseline', args);
    expect(found).toMatchObject({ out, site: 'resid_post 1' });
    expect(found.norm.least).toBeLessThanOrEqual(found.norm.mean);
    expect(found.tokens).toBeGreaterThan(found.passages);
  });

  it('sae train, and again', async () => {
    const model = ['--model', tiny.model, '--corpus', tiny.corpus, '--site', '1'];
    const size = [
      '--latents',
      '8',
      '--k',
      '2',
      '--tokens',
      '64',
      '--batch-tokens',
      '32',
      '--out',
      at('trained'),
    ];
    const found = await printed('sae-train', ['sae', 'train', ...model, ...size]);
    expect(found).toMatchObject({ kind: 'topk', latents: 8, tokens: 64, up_to_date: false });
    expect(found.harvested).toBeGreaterThan(0);
    const again = await printed('sae-train', ['sae', 'train', ...model, ...size]);
    expect(again).toMatchObject({ tokens: 64, up_to_date: true, harvested: null });
  });
});

describe('what a causal test is read for', () => {
  const restored = () => putStudy(study, tiny, over);

  it('interpret, then export, which says when the pages are of an earlier state', async () => {
    restored();
    const found = await printed('interpret', ['interpret', study, '--pages', '3', '--rows', '2']);
    expect(found).toMatchObject({ up_to_date: false, stopped: null, pages: 3 });
    expect(found.latents.map(({ rank }) => rank)).toEqual([1, 2]);
    expect(JSON.parse(readFileSync(join(study, found.latents[0]!.file), 'utf8'))).toMatchObject({
      latent: found.latents[0]!.latent,
    });
    const args = ['export', study, '--to', 'neuronpedia', '--out', at('export')];
    expect(await printed('export', args)).toMatchObject({ features: 3, stale: null, unchecked: null });
    putStudy(study, tiny, { ...over, pairs: { limit: 5 } });
    const { stale } = await printed('export', args);
    expect(stale).toContain('it rests on stage attribute, which is of an earlier state too');
    const { stdout } = await culpritHere(args);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      'Stage interpret is of an earlier state of the study: it rests on stage attribute, which is of an',
    );
    restored();
  });

  it('check', async () => {
    putStudy(study, tiny, { ...over, check: { mode: 'warn' } });
    const found = await printed('check', ['check', study]);
    expect(found).toMatchObject({ skipped: null, stopped: null });
    expect(found.lines).toEqual(JSON.parse(readFileSync(join(study, 'check.json'), 'utf8')));
    expect(found.lines.length).toBeGreaterThan(10);
    restored();
    expect(await printed('check', ['check', study])).toMatchObject({
      skipped: expect.any(String),
      lines: [],
    });
  });

  it('judge sample, judge read, and judge sample --by another judge', async () => {
    restored();
    const out = at('sheet.csv');
    const drawn = await printed('judge-sheet', ['judge', 'sample', study, '--out', out, '--count', '12']);
    expect(drawn).toMatchObject({ out, rows: 12 });
    expect(drawn.texts).toBeGreaterThan(12);
    const rows: Readonly<Record<string, string>>[] = [];
    for await (const { value } of readCsv(out)) rows.push(value);
    const cell = (text = '') => `"${text.replaceAll('"', '""')}"`;
    const filled = rows.map(({ id, prompt, completion }, i) =>
      [id, prompt, completion, i % 2 ? 'positive' : 'negative', 'yes'].map(cell).join(','),
    );
    writeFileSync(out, ['id,prompt,completion,label,coherent', ...filled, ''].join('\n'));
    const found = await printed('judge-error', ['judge', 'read', study, out]);
    expect(found.sheet).toMatchObject({ reader: 'people', rows: 12, empty: 0 });
    const by = put(at('other.yaml'), readFileSync(join(study, 'study.yaml'), 'utf8'));
    const args = ['judge', 'sample', study, '--by', by, '--count', '12'];
    const second = await printed('judge-error', args);
    expect(second.sheet.rows).toBe(12);
    expect(second.sheet.reader).not.toBe('people');
  });
});
