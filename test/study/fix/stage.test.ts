/** A fix of the tiny study: its numbers by the records, its vectors by the dictionary, its folder for transformers. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors, readTensor } from '../../../src/files/safetensors.ts';
import { type FixRecord, fixSchema, type TrialRecord, trialRecord } from '../../../src/results.ts';
import { openSae } from '../../../src/study/open/openSae.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { toFloat32 } from '../../../src/tensor.ts';
import { culprit } from '../../support/cli.ts';
import { put, putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { putStudy, smallSteering } from '../../support/tinyStudy.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-fix-'));
const at = (...parts: string[]) => join(root, ...parts);
const prompts = { file: 'prompts.jsonl', discovery: 6, evaluation: 4, calibration: 4 };
const fix = { sizes: [1, 2], random: 4, completions: 4, text: ['texts.jsonl'], text_tokens: 60 };
const texts = ['What a day it was.', 'A long text about hens, and of eggs.', 'More.'].map((text) => ({
  text,
}));
const files = ['fix.json', 'fixed.jsonl', 'fix.safetensors'];
let tiny: TinyFolder;

const make = (name: string, over: object = {}) => {
  put(at(name, 'texts.jsonl'), texts);
  return putStudy(at(name), tiny, { prompts, steering: smallSteering, fix: { ...fix, ...over } });
};
const run = (study: string) => runStudy({ study, cacheDir: tiny.cache });
const read = (name: string): FixRecord =>
  fixSchema.parse(JSON.parse(readFileSync(at(name, 'fix.json'), 'utf8')));
const trialsIn = (name: string): TrialRecord[] =>
  readFileSync(at(name, 'fixed.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => trialRecord.parse(JSON.parse(line)));
const tallyOf = (trials: readonly TrialRecord[]) => {
  const all = trials.flatMap(({ completions }) => completions);
  const coherent = all.filter((one) => !one.judged || one.coherent);
  const positives = coherent.filter(({ label }) => label === 'positive').length;
  return { completions: all.length, coherent: coherent.length, positives };
};
const share = ({ positives, coherent }: { positives: number; coherent: number }) => positives / coherent;

beforeAll(async () => {
  tiny = await putAll(root);
  const { stopped } = await run(make('one'));
  expect(stopped).toBeUndefined();
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('a fix', () => {
  it('is the set that leaves the least share of positives among coherent enough texts, on calibration prompts', () => {
    const { search, fix: found } = read('one');
    const trials = trialsIn('one').filter(({ part }) => part === 'calibration');
    const of = (operation: string | null, latents: readonly number[]) =>
      trials.filter(
        (one) =>
          one.operation === operation &&
          one.side === 'away' &&
          (one.direction ?? '').replace('latent ', '') === latents.join(' + '),
      );
    expect(search.unsteered).toEqual(tallyOf(of(null, [])));
    expect(search.sets.length).toBeGreaterThan(4);
    for (const { operation, latents, orders, ...tally } of search.sets) {
      expect(orders.length).toBeGreaterThan(0);
      expect(tally).toEqual(tallyOf(of(operation, latents)));
    }
    const counting = search.sets.filter(
      ({ coherent, completions }) => 1 - coherent / completions <= search.limit,
    );
    const least = Math.min(...counting.map(share));
    expect(least).toBeLessThan(share(search.unsteered));
    const own = counting.find(
      ({ operation, latents }) => operation === found!.operation && `${latents}` === `${found!.latents}`,
    );
    expect(share(own!)).toBe(least);
  });

  it('is measured on prompts that it was not searched on, beside random sets of its size', () => {
    const { measured, fix: found } = read('one');
    const trials = trialsIn('one').filter(({ part }) => part !== 'calibration');
    const alone = tallyOf(trials.filter(({ side, operation }) => side === 'away' && operation === null));
    expect(measured!.unsteered).toEqual(alone);
    for (const arm of measured!.arms) {
      const own = trials.filter(
        (one) =>
          (arm.role === 'reference' ? one.side === 'toward' : one.operation === arm.operation) &&
          arm.name.startsWith(one.direction ?? 'the reference'),
      );
      const { completions, coherent, positives } = arm;
      expect([arm.name, { completions, coherent, positives }]).toEqual([arm.name, tallyOf(own)]);
      if (coherent > 0) expect(arm.effect).toBeCloseTo(share(arm) - share(alone), 10);
      else expect(arm.effect).toBeNull();
    }
    const random = measured!.arms.filter(({ role }) => role === 'random');
    expect(random).toHaveLength(fix.random);
    const latents = random.map((one) => one.latents);
    for (const set of latents) {
      expect(new Set(set).size).toBe(found!.latents.length);
      for (const latent of set) expect(found!.latents).not.toContain(latent);
    }
    expect(new Set(latents.flat()).size).toBe(fix.random * found!.latents.length);
    expect(measured!.p).toBeGreaterThan(0);
    expect(measured!.p).toBeLessThanOrEqual(1);
  });

  it('has its side effects on ordinary texts told, of itself, a random set, and what does as much', () => {
    const { collateral, measured } = read('one');
    const [own, random, ...rivals] = collateral!.arms;
    expect(own!.name).toBe(measured!.arms[0]!.name);
    expect(measured!.arms.find(({ name }) => name === random!.name)?.role).toBe('random');
    for (const { name } of rivals) {
      const row = measured!.arms.find((one) => one.name === name)!;
      expect(row.role).toBe('comparison');
      expect(row.effect!).toBeLessThanOrEqual(measured!.arms[0]!.effect!);
    }
    expect(collateral!.tokens).toBeLessThanOrEqual(fix.text_tokens);
    for (const { loss, agreement, divergence } of collateral!.arms) {
      expect(loss).toBeGreaterThan(0);
      expect(agreement!).toBeGreaterThanOrEqual(0);
      expect(divergence!).toBeGreaterThan(0);
    }
  });

  it('is written as vectors: the dictionary’s directions, held where the record says', async () => {
    const { fix: found } = read('one');
    const tensors = await openSafetensors(at('one', 'fix.safetensors'));
    const array = async (name: string) => toFloat32(await readTensor(tensors.get(name)!));
    const [directions, dual, baseline] = [
      await array('directions'),
      await array('dual'),
      await array('baseline'),
    ];
    const [low, high] = [await array('low'), await array('high')];
    const sae = await openSae(tiny.sae);
    const d = sae.width;
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    for (const [k, latent] of found!.latents.entries()) {
      const row = directions.subarray(k * d, (k + 1) * d);
      const own = await sae.decoderRows(latent, latent + 1);
      expect(Math.abs(dot(row, own))).toBeCloseTo(1, 5);
      for (const l of found!.latents.keys())
        expect(dot(dual.subarray(l * d, (l + 1) * d), row)).toBeCloseTo(l === k ? 1 : 0, 4);
      expect(high[k]).toBeCloseTo(found!.high[k]!, 5);
      if (found!.operation === 'remove') {
        expect(low[k]).toBe(high[k]);
        expect(low[k]).toBeCloseTo(dot(baseline, row), 4);
      } else expect([low[k], found!.low[k]]).toEqual([Number.NEGATIVE_INFINITY, null]);
    }
  });

  it('of which `steer --ablate` shows texts, at the study’s own baseline', async () => {
    const { fix: found } = read('one');
    const latents = found!.latents.flatMap((latent) => ['--latent', `${latent}`]);
    const asked = ['steer', at('one'), ...latents, '--ablate', '--prompt', 'What of it?', '--samples', '1'];
    const short = ['--max-tokens', '4', '--json'];
    const own = await culprit([...asked, ...short]);
    expect([own.code, own.stderr.includes('--ablate')]).toEqual([0, false]);
    expect(JSON.parse(own.stdout).baseline).toBe(at('one', 'attribution.safetensors'));
    const other = await culprit([...asked, ...short, '--site', '0']);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('--ablate needs a baseline')]);
  });

  it('is made anew by redo, with the same bytes, and then found done', async () => {
    const before = files.map((name) => readFileSync(at('one', name)));
    await runStudy({ study: at('one'), cacheDir: tiny.cache, redo: ['fix'] });
    expect(files.map((name) => readFileSync(at('one', name)))).toEqual(before);
    const { stdout, code } = await culprit(['fix', at('one'), '--cache', tiny.cache]);
    expect(code).toBe(0);
    expect(stdout).toContain('Fix (already done) at resid_post 1');
  });

  it('is not searched without a section of its own, which is said', async () => {
    putStudy(at('none'), tiny, { prompts, steering: smallSteering });
    const { code, stdout } = await culprit(['fix', at('none'), '--cache', tiny.cache]);
    expect(code).toBe(0);
    expect(stdout).toContain('No fix searched: study.yaml has no section fix.');
  });
});

describe('for transformers', () => {
  const to = (name: string, out: string, ...more: string[]) =>
    culprit(['export', at(name), '--to', 'transformers', '--out', at(out), ...more]);

  it('is a folder of vectors, a hook and a card that says what was measured', async () => {
    const { code, stdout } = await to('one', 'out', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      document: 'export',
      to: 'transformers',
      features: null,
      stale: null,
    });
    expect(readFileSync(at('out', 'fix.safetensors'))).toEqual(readFileSync(at('one', 'fix.safetensors')));
    const card = readFileSync(at('out', 'README.md'), 'utf8');
    const { fix: found } = read('one');
    expect(card).toContain(`| latents | ${found!.latents.join(', ')} |`);
    expect(card).toMatch(/\| sae \| `[0-9a-f]{64}` \|/);
    expect(readFileSync(at('out', 'apply_fix.py'), 'utf8')).toContain('def apply_fix(model');
  });

  it('is refused in one line where there is none, where a file was changed, and with options of another form', async () => {
    const refusal = async (name: string, ...more: string[]) => {
      const { code, stderr } = await to(name, 'refused', ...more);
      return [code, stderr];
    };
    expect(await refusal('none')).toEqual([
      2,
      expect.stringMatching(/fix\.json: no such file: `culprit fix .*` makes it\n$/),
    ]);
    expect(await refusal('one', '--latent', '3')).toEqual([
      2,
      'culprit: --latent: expected it with --to neuronpedia only, found --to transformers\n',
    ]);
    cpSync(at('one'), at('changed'), { recursive: true });
    const path = at('changed', 'fix.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"limit"', ' "limit"'));
    expect(await refusal('changed')).toEqual([2, expect.stringMatching(/was changed after stage fix/)]);
  });
});
