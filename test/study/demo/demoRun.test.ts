/** A short run of the demonstration: its files, and when it runs at all. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJsonlAll } from '../../../src/files/jsonl.ts';
import { readSafetensorsHeader } from '../../../src/files/safetensors.ts';
import { gradeWith } from '../../../src/judges/exact.ts';
import { completionRecord, gradeRecord, pairRecord } from '../../../src/results.ts';
import { type Bundle, bundleFolder, caseNames, openBundle } from '../../../src/study/demo/bundle.ts';
import { caseDefaults } from '../../../src/study/demo/caseRun.ts';
import { type CaseDone, type DemoRequest, runDemo } from '../../../src/study/demo/demoRun.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-demo-run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let bundle: Bundle;
beforeAll(async () => {
  bundle = await openBundle(bundleFolder);
});

describe('a shorter run', () => {
  const request = (out: string, change: Partial<DemoRequest> = {}): DemoRequest => ({
    out: join(folder, out),
    prompts: 9,
    causalTest: { candidates: 2, random: 6, calibration: 3, evaluation: 4 },
    ...change,
  });
  async function run(given: DemoRequest): Promise<CaseDone[]> {
    const done: CaseDone[] = [];
    for await (const one of runDemo(bundle, given)) done.push(one);
    return done;
  }
  let done: CaseDone[];
  beforeAll(async () => {
    done = await run(request('first'));
  });

  it('records each completion with its grade, and both rankings of every latent', () => {
    expect(done.map(({ opened }) => opened.name)).toEqual([...caseNames]);
    for (const { record } of done) {
      const { completions, baseCompletions, tunedPrompts } = caseDefaults;
      const prompts = 9 + tunedPrompts;
      expect(record.samples).toHaveLength(prompts * (completions + baseCompletions));
      for (const { prompt, completion, label, quirk } of record.samples)
        expect(gradeWith(bundle.judge, prompt, completion)).toMatchObject({ label, quirk });
      for (const ranking of [record.latents, record.differences]) {
        expect(ranking.map(({ rank }) => rank)).toEqual([...ranking.keys()].map((i) => i + 1));
        expect(new Set(ranking.map(({ latent }) => latent)).size).toBe(bundle.sae.latents);
      }
    }
  });

  it('records a study’s completions, grades and pairs, of which the attribution is', async () => {
    for (const { record, folder: of } of done) {
      const completions = await readJsonlAll(join(of, 'completions.jsonl'), completionRecord);
      const grades = await readJsonlAll(join(of, 'grades.jsonl'), gradeRecord);
      const pairs = await readJsonlAll(join(of, 'pairs.jsonl'), pairRecord);
      expect(completions).toHaveLength(9 * caseDefaults.completions);
      expect(grades.map(({ id }) => id)).toEqual(completions.map(({ id }) => id));
      const { tensors } = await readSafetensorsHeader(join(of, 'attribution.safetensors'));
      const contrasts = new Set(pairs.map(({ prompt_id }) => prompt_id));
      expect(contrasts.size).toBe(record.manifest.counts.prompts_with_both_kinds);
      expect(tensors.get('delta_per_pair')!.shape[0]).toBe(contrasts.size);
      const said = new Map(completions.map((one) => [one.id, one]));
      const labels = new Map(grades.map((one) => [one.id, one.label]));
      for (const pair of pairs) {
        expect(said.get(pair.positive_id)).toMatchObject({ text: pair.positive, prompt: pair.prompt });
        expect([pair.positive_id, pair.negative_id].map((id) => labels.get(id))).toEqual([
          'positive',
          'negative',
        ]);
      }
    }
  });

  it('comes out the same again, and is not run again where it is finished', async () => {
    const other = await run(request('second'));
    expect(other.map(({ record }) => record.latents)).toEqual(done.map(({ record }) => record.latents));
    const again = await run(request('first'));
    expect(again.map(({ upToDate }) => upToDate)).toEqual([true, true]);
    expect(again.map(({ record }) => record)).toEqual(done.map(({ record }) => record));
  });

  it('runs only the case that is missing', async () => {
    rmSync(join(folder, 'second', 'validation', 'manifest.json'));
    const again = await run(request('second', { overwrite: true }));
    expect(again.map(({ upToDate }) => upToDate)).toEqual([true, false]);
    expect(again[1]!.record.differences).toEqual(done[1]!.record.differences);
  });

  it('leaves results of something else alone', async () => {
    cpSync(join(folder, 'first'), join(folder, 'other'), { recursive: true });
    const path = join(folder, 'other', 'harm', 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...manifest, command: 'attribute' }));
    await expect(run(request('other'))).rejects.toThrow(
      /^--out .*harm: holds a latents.parquet that is not of a finished demo: name another folder/,
    );
  });
});
