/** `culprit interpret` on a study: what its pages hold, what is kept, and what is refused. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJsonlAll } from '../../../src/files/jsonl.ts';
import { readSafetensorsHeader, readTensor } from '../../../src/files/safetensors.ts';
import { residualPass } from '../../../src/methods/site/residuals.ts';
import {
  decodeLatents,
  type LatentPage,
  latentPageSchema,
  pairRecord,
  pairTokens,
} from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { openModel } from '../../../src/study/open/openModel.ts';
import { openSae } from '../../../src/study/open/openSae.ts';
import { interpretStudy } from '../../../src/study/run/interpretRun.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { toFloat32 } from '../../../src/tensor.ts';
import { encode } from '../../saes/oracle/oracle.ts';
import { layer, put, putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { putStudy } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-interpret-'));
let tiny: TinyFolder;
let study: string;
let pages: readonly LatentPage[];

const interpret = (over: object = {}) =>
  interpretStudy({ study, cacheDir: tiny.cache, latents: 6, tokens: 2000, ...over });
const namesOf = () => readdirSync(join(study, 'latents')).sort();
const bytesOf = () => namesOf().map((name) => readFileSync(join(study, 'latents', name), 'utf8'));

beforeAll(async () => {
  tiny = await putAll(folder);
  study = putStudy(join(folder, 'study'), tiny);
  await runStudy({ study, cacheDir: tiny.cache });
  ({ pages } = await interpret());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the pages of a study', () => {
  it('are of its first latents, a file each, as they are returned', async () => {
    const rows = await decodeLatents(
      Uint8Array.from(readFileSync(join(study, 'latents.parquet'))).buffer as ArrayBuffer,
    );
    expect(pages.map(({ latent }) => latent)).toEqual(rows.slice(0, 6).map(({ latent }) => latent));
    for (const page of pages) {
      const found = JSON.parse(readFileSync(join(study, 'latents', `${page.latent}.json`), 'utf8'));
      expect(latentPageSchema.parse(found)).toEqual(JSON.parse(JSON.stringify(page)));
      expect(page.delta).toBe(rows.find(({ latent }) => latent === page.latent)!.delta);
    }
    expect(namesOf()).toHaveLength(6);
  });

  it('show pairs whose δ over the prompt have the pair’s own Δ as their mean, the weightiest first', async () => {
    const { tensors } = await readSafetensorsHeader(join(study, 'attribution.safetensors'));
    const each = toFloat32(await readTensor(tensors.get('delta_per_pair')!));
    const count = tensors.get('delta_per_pair')!.shape[1]!;
    for (const { latent, pairs } of pages) {
      const own = Array.from({ length: each.length / count }, (_, p) => Math.abs(each[p * count + latent]!));
      const sorted = [...own].sort((a, b) => b - a);
      expect(pairs.map(({ delta }) => Math.abs(delta))).toEqual(sorted.slice(0, 3));
      for (const { delta, prompt } of pairs) {
        const known = prompt.delta.filter((x) => x !== null);
        const mean = known.reduce((sum, x) => sum + x, 0) / known.length;
        const greatest = Math.max(...known.map(Math.abs));
        // float32: terms of both signs cancel
        expect(Math.abs(mean - delta)).toBeLessThan(1e-5 * greatest);
        expect(prompt.tokens).toHaveLength(prompt.delta.length);
        expect(prompt.activations.map((x) => x === null)).toEqual(prompt.delta.map((x) => x === null));
      }
    }
  });

  it('go with every pair token by token: losses as attributed, δ over the prompt with the pair’s own Δ as their mean', async () => {
    const lines = await readJsonlAll(join(study, 'pair-tokens.jsonl'), pairTokens);
    const pairs = await readJsonlAll(join(study, 'pairs.jsonl'), pairRecord);
    expect(lines.map(({ pair }) => pair)).toEqual(pairs.map(({ id }) => id));
    const { tensors } = await readSafetensorsHeader(join(study, 'attribution.safetensors'));
    const losses = toFloat32(await readTensor(tensors.get('losses')!));
    const mean = (values: readonly (number | null)[]) => {
      const known = values.filter((x) => x !== null);
      return known.reduce((sum, x) => sum + x, 0) / known.length;
    };
    lines.forEach(({ prompt, completions, latents }, p) => {
      expect(completions.map(({ id, label }) => [id, label])).toEqual([
        [pairs[p]!.positive_id, 'positive'],
        [pairs[p]!.negative_id, 'negative'],
      ]);
      for (const [b, { loss, tokens, total }] of completions.entries()) {
        expect(Math.abs(loss - losses[2 * p + b]!)).toBeLessThan(1e-6 * loss);
        expect(total).toHaveLength(tokens.length);
      }
      expect(prompt.total.map((x) => x === null)).toEqual(latents[0]!.prompt.map((x) => x === null));
      const sizes = latents.map(({ delta }) => Math.abs(delta));
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
      for (const { delta, prompt: own, completions: each } of latents) {
        const greatest = Math.max(...own.map((x) => Math.abs(x ?? 0)));
        // four digits are kept of each
        expect(Math.abs(mean(own) - delta)).toBeLessThan(5e-4 * greatest);
        expect(each.map((one) => one.length)).toEqual(completions.map(({ tokens }) => tokens.length));
      }
    });
  });

  it('show at each token of a pair the activation that the plain encoder gives', async () => {
    const { model } = await openModel(tiny.model, { adapter: tiny.adapter, cacheDir: tiny.cache });
    const sae = await openSae(tiny.sae);
    const runtime = nodeRuntime({ threads: 1 });
    const pass = await residualPass(runtime, model, layer);
    let positive = 0;
    for (const { latent, pairs } of pages)
      for (const { prompt, ...completions } of pairs)
        for (const completion of [completions.positive, completions.negative]) {
          const { activation } = await pass.run([...prompt.ids, ...completion.ids]);
          const { z } = await encode(sae, activation);
          const shown = [...prompt.activations, ...completion.activations];
          shown.forEach((found, t) => {
            const wanted = z[t * sae.latents + latent]!;
            if (found !== null) expect(Math.abs(found - wanted)).toBeLessThan(1e-5 * (1 + wanted));
            positive += Number((found ?? 0) > 0);
          });
        }
    await pass.release();
    await runtime.close();
    expect(positive).toBeGreaterThan(100);
  });

  it('have the passages of the study’s completions with the activations that the encoder gives', async () => {
    const { codec } = await openModel(tiny.model, { cacheDir: tiny.cache });
    const sae = await openSae(tiny.sae);
    const fired = pages.filter(({ passages }) => passages.active > 0);
    expect(fired.length).toBeGreaterThan(2);
    for (const { passages, corpora, lens, neighbours } of pages) {
      expect(corpora).toEqual(["the study's completions"]);
      const tops = passages.top.map(({ activations, peak }) => activations[peak]!);
      expect(tops).toEqual([...tops].sort((a, b) => b - a));
      if (tops.length > 0) expect(tops[0]).toBe(passages.max);
      for (const { ids, tokens } of passages.top)
        expect(tokens).toEqual(ids.map((id) => codec.tokenizer.tokenText(id)));
      for (const { activations } of passages.zero)
        expect(activations.every((x) => x === null || x === 0)).toBe(true);
      expect(lens.cosine.top[0]!.cosine).toBeGreaterThanOrEqual(lens.cosine.top[1]!.cosine);
      expect(lens.dot.bottom[0]!.dot).toBeLessThanOrEqual(lens.dot.bottom[1]!.dot);
      expect(neighbours).toHaveLength(Math.min(10, sae.latents - 1));
    }
  });

  it('are not made again, and are the same bytes when they are', async () => {
    const before = bytesOf();
    expect((await interpret()).upToDate).toBe(true);
    expect((await interpret({ latents: 3 })).upToDate).toBe(false);
    expect(namesOf()).toHaveLength(3);
    expect((await interpret()).upToDate).toBe(false);
    expect(bytesOf()).toEqual(before);
    expect(existsSync(join(study, '.work', 'interpret'))).toBe(false);
  });

  it('may be of what the reference makes of the texts, with the subject’s pairs', async () => {
    const found = await interpret({ reader: 'reference' });
    expect(found.upToDate).toBe(false);
    const { model } = await openModel(tiny.model, { cacheDir: tiny.cache });
    const sae = await openSae(tiny.sae);
    const runtime = nodeRuntime({ threads: 1 });
    const pass = await residualPass(runtime, model, layer);
    let windows = 0;
    for (const { latent, passages } of found.pages)
      for (const { ids, activations } of passages.top.filter(({ start }) => start === 0)) {
        const { z } = await encode(sae, (await pass.run([...ids])).activation);
        activations.forEach((shown, t) => {
          const wanted = z[t * sae.latents + latent]!;
          if (shown !== null) expect(Math.abs(shown - wanted)).toBeLessThan(1e-5 * (1 + wanted));
        });
        windows++;
      }
    await pass.release();
    await runtime.close();
    expect(windows).toBeGreaterThan(0);
    expect(found.pages.map(({ passages }) => passages)).not.toEqual(pages.map(({ passages }) => passages));
    expect(found.pages.map((page) => page.pairs)).toEqual(pages.map((page) => page.pairs));
  });

  it('may be of a corpus', async () => {
    const found = await interpret({ corpora: [tiny.corpus] });
    expect(found.pages[0]!.corpora).toEqual([tiny.corpus]);
    expect(found.pages[0]!.passages.tokens).not.toBe(pages[0]!.passages.tokens);
  });
});

describe('what is refused', () => {
  it('a study without latents', async () => {
    const bare = putStudy(join(folder, 'bare'), tiny);
    await expect(interpretStudy({ study: bare, cacheDir: tiny.cache })).rejects.toThrow(
      /no such file: stage attribute needs it/,
    );
    expect(existsSync(join(bare, 'latents'))).toBe(false);
  });

  it('a page that was changed by hand is not overwritten', async () => {
    const page = join(study, 'latents', namesOf()[0]!);
    const text = readFileSync(page, 'utf8');
    put(page, `${text} `);
    await expect(interpret({ latents: 5 })).rejects.toThrow(/was changed after stage interpret/);
    expect(readFileSync(page, 'utf8')).toBe(`${text} `);
    put(page, text);
  });

  it('a corpus that is not there', async () => {
    await expect(interpret({ corpora: [join(folder, 'none.jsonl')] })).rejects.toThrow(/none\.jsonl/);
  });
});
