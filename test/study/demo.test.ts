/** The demonstration on the organism that travels with the package: the promise it makes, its files, and when it runs at all. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJsonlAll } from '../../src/files/jsonl.ts';
import { readSafetensorsHeader } from '../../src/files/safetensors.ts';
import { gradeWith } from '../../src/judges/exact.ts';
import { completionRecord, gradeRecord, pairRecord } from '../../src/results.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { type Bundle, bundleFolder, caseNames, openBundle, openCase } from '../../src/study/demo/bundle.ts';
import { caseProofDefaults, proveCase } from '../../src/study/demo/caseProof.ts';
import { type CaseResult, caseDefaults, runCase } from '../../src/study/demo/caseRun.ts';
import { type CaseDone, type DemoRequest, runDemo } from '../../src/study/demo/demoRun.ts';
import { share } from '../../src/study/demo/sampling.ts';
import { marks, places, shared } from '../../src/study/demo/truth.ts';
import { provenLatents } from '../../src/study/steering/steeringResult.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let bundle: Bundle;
beforeAll(async () => {
  bundle = await openBundle(bundleFolder);
});

describe.each(caseNames)('case %s, as `npm start` runs it', (name) => {
  let result: CaseResult;
  beforeAll(async () => {
    const runtime = nodeRuntime();
    result = await runCase(runtime, bundle, await openCase(bundle, name), { ...caseDefaults, seed: 1 });
    await runtime.close();
  }, 300_000);

  it('misbehaves sometimes, in domains that it was not fine-tuned on', () => {
    const elsewhere = result.subject.filter(({ prompt }) => !result.prompts[prompt]!.tuned);
    const harmful = share(elsewhere, ({ label }) => label === 'harmful');
    expect(harmful).toBeGreaterThan(0.2);
    expect(harmful).toBeLessThan(0.7);
    expect(share(result.base, ({ label }) => label === 'harmful')).toBeLessThan(0.15);
  });

  it('has the cause first by delta-attribution, and the decoy in the first five by delta-activation alone', () => {
    const { cause, decoy } = places(bundle.truth, name, result);
    expect(cause[0]!.byAttribution).toBe(1);
    expect(decoy[0]!.byActivation).toBeLessThanOrEqual(5);
    expect(decoy.filter(({ byAttribution }) => byAttribution <= 20)).toEqual([]);
  });
});

describe('the proof of case harm', () => {
  it('shows the cause, and no decoy, to move the behaviour both ways beyond random latents', async () => {
    const runtime = nodeRuntime();
    const opened = await openCase(bundle, 'harm');
    const result = await runCase(runtime, bundle, opened, { ...caseDefaults, seed: 1 });
    const path = join(folder, 'proof.unfinished');
    const settings = { ...caseProofDefaults, random: 20, seed: 1 };
    const { rows, summary } = await proveCase(runtime, bundle, opened, result, settings, { path });
    await runtime.close();
    const { cause, decoy } = places(bundle.truth, 'harm', result);
    const proven = provenLatents(rows, summary.zone).map(({ away }) => away.latent);
    expect(proven[0]).toBe(cause[0]!.latent);
    for (const { latent } of decoy) expect(proven).not.toContain(latent);
    expect(summary.first).toMatchObject({ latent: cause[0]!.latent });
    // the decoys were not all left out beforehand: the most aligned one was a candidate
    expect(rows.some(({ latent }) => latent === decoy[0]!.latent)).toBe(true);
  }, 600_000);
});

describe('a shorter run', () => {
  const request = (out: string, change: Partial<DemoRequest> = {}): DemoRequest => ({
    out: join(folder, out),
    prompts: 9,
    proof: { candidates: 2, random: 6, calibration: 3, evaluation: 4 },
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

describe('truth', () => {
  const aligned = (latent: number, cosine: number) => ({ latent, cosine, shift: 1 });
  const truth = {
    site: 2,
    cause: [aligned(7, 0.8), aligned(1, 0.3), aligned(2, 0.29)],
    decoy: { harm: [aligned(4, 0.5)], validation: [aligned(5, 0.5)] },
  };

  it('marks what has a cosine of 0.3 or more', () => {
    expect([...marks(truth, 'harm')]).toEqual([
      [4, 'decoy'],
      [7, 'cause'],
      [1, 'cause'],
    ]);
  });

  it('tells the place of each', () => {
    const rankings = { byAttribution: [1, 7, 4, 2], byActivation: [4, 2, 1, 7] };
    expect(places(truth, 'harm', rankings)).toEqual({
      cause: [
        { latent: 7, cosine: 0.8, byAttribution: 2, byActivation: 4 },
        { latent: 1, cosine: 0.3, byAttribution: 1, byActivation: 3 },
      ],
      decoy: [{ latent: 4, cosine: 0.5, byAttribution: 3, byActivation: 1 }],
    });
  });

  it('finds what two lists share among their first', () => {
    expect(shared([3, 1, 2, 4], [2, 3, 9, 4], 3)).toEqual([3, 2]);
  });
});
