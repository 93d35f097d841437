/** What `--json` prints, held against the schemas of docs/schemas, which are those of the source. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type DocumentName, documents } from '../../src/cli/json.ts';
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
});
