/** `sae eval` from files to numbers. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { densityHistogram, runSaeEval } from '../../../src/study/sae/saeEvalRun.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { inShared, realModel, shared } from '../../support/shared.ts';
import { corpus, put, putModel, putSae } from '../../support/tinyFolder.ts';

const folder = temporaryFolder();

describe('runSaeEval', () => {
  it('measures, and writes the numbers down', async () => {
    const request = {
      model: await putModel(folder('model')),
      sae: await putSae(folder('sae')),
      corpora: [put(folder('a.jsonl'), corpus), put(folder('b.txt'), 'One.\n\nTwo, and so on.\n')],
      json: folder('eval.json'),
    };
    const told: string[] = [];
    const result = await runSaeEval({
      ...request,
      progress: { note() {}, stage: (label) => ({ advance() {}, end: () => void told.push(label) }) },
    });
    expect(result.site).toBe(1);
    expect(result.density).toHaveLength(40);
    expect(result.neverActive + result.histogram.reduce((sum, bin) => sum + bin.latents, 0)).toBe(40);
    expect(told).toEqual(['Reconstruction, tokens', 'Cross-entropy, tokens']);
    const written = JSON.parse(readFileSync(request.json, 'utf8'));
    expect(written).toMatchObject({
      explained: result.explained,
      l0: result.l0,
      recovered: result.recovered,
    });
    expect(written.density).toEqual([...result.density]);
    expect(Object.keys(written.inputs).sort()).toEqual(['corpus.0', 'corpus.1', 'model', 'sae']);
    const fewer = await runSaeEval({ ...request, passages: 1 });
    expect(fewer.tokens).toBeLessThan(result.tokens);
  });

  it('refuses a corpus without tokens', async () => {
    const request = {
      model: await putModel(folder('model')),
      sae: await putSae(folder('sae')),
      corpora: [put(folder('a.txt'), '\n')],
    };
    await expect(runSaeEval(request)).rejects.toThrow(/a\.txt: no tokens to evaluate on/);
  });

  it('refuses another site than the SAE’s', async () => {
    const request = {
      model: await putModel(folder('model')),
      sae: await putSae(folder('sae')),
      corpora: [put(folder('a.jsonl'), corpus)],
      site: 2,
    };
    await expect(runSaeEval(request)).rejects.toThrow(/--site 2: the SAE .* was trained on resid_post 1/);
  });
});

describe('densityHistogram', () => {
  it('counts latents by half decades', () => {
    const bins = densityHistogram([0, 0.001, 0.002, 0.01, 0.05, 1]);
    expect(bins.map(({ latents }) => latents)).toEqual([2, 0, 1, 1, 0, 0, 1]);
    expect(bins[0]!.from).toBeCloseTo(0.001);
    expect(bins.at(-1)!.from).toBe(1);
    bins.slice(1).forEach((bin, i) => {
      expect(bin.from).toBe(bins[i]!.to);
    });
  });
  it('has no bins where nothing is active', () => {
    expect(densityHistogram([0, 0])).toEqual([]);
  });
});

describe.skipIf(!shared)('needs ../shared: the reference SAE', () => {
  it('explains about what its own evaluation says, over its first passages', async () => {
    // the whole of eval.json takes minutes; the first 4 of its 120 passages a corpus lie within its spread
    const { explained_variance: whole } = JSON.parse(
      readFileSync(inShared('saes/smollm2-135m-resid15/eval.json'), 'utf8'),
    );
    const { explained, l0 } = await runSaeEval({
      model: realModel(),
      sae: inShared('saes/smollm2-135m-resid15'),
      corpora: [inShared('data/corpus/chat.jsonl'), inShared('data/corpus/prose.jsonl')],
      passages: 4,
      lossTokens: 100,
    });
    expect(Math.abs(explained - whole)).toBeLessThan(0.03);
    expect(l0).toBeCloseTo(32, 1);
  });
});
