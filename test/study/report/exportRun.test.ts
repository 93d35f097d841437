/**
 * `culprit export`: what is written has the published shape, says what the pages say, and is read back by
 * our own reader.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  neuronpediaActivation,
  neuronpediaExplanation,
  neuronpediaFeature,
  readNeuronpedia,
} from '../../../src/files/neuronpedia.ts';
import type { LatentPage } from '../../../src/results.ts';
import { labelFiles, readLabels } from '../../../src/study/interpretation/labels.ts';
import { exportStudy } from '../../../src/study/report/exportRun.ts';
import { interpretStudy } from '../../../src/study/run/interpretRun.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { culpritHere } from '../../support/cliHere.ts';
import { latents as inDictionary, put, putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { putStudy } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-export-'));
let tiny: TinyFolder;
let study: string;
let labels: string;
let pages: readonly LatentPage[];

/** Every latent has a label; latent 0 has two. */
const explanations = Array.from({ length: inDictionary + 1 }, (_, i) => ({
  modelId: 'other',
  layer: '1-other',
  index: `${i % inDictionary}`,
  description: `label ${i}`,
  explanationModelName: i % 2 === 0 ? 'gpt-4o-mini' : null,
  typeName: 'oai_token-act-pair',
}));

beforeAll(async () => {
  tiny = await putAll(folder);
  study = putStudy(join(folder, 'study'), tiny);
  labels = put(join(folder, 'labels.jsonl'), explanations);
  await runStudy({ study, cacheDir: tiny.cache });
  const given = { study, cacheDir: tiny.cache, latents: 6, tokens: 2000, corpora: [tiny.corpus] };
  ({ pages } = await interpretStudy({ ...given, labels: [labels] }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Columns of the tables' rows: those of export-data.py, and those that SAEDashboard's neuronpedia_export.py
 * has more.
 */
const columns: Readonly<Record<string, readonly string[]>> = {
  features: [
    'modelId layer index maxActApprox creatorId frac_nonzero freq_hist_data_bar_heights freq_hist_data_bar_values logits_hist_data_bar_heights',
    'logits_hist_data_bar_values neuron_alignment_indices neuron_alignment_l1 neuron_alignment_values correlated_neurons_indices correlated_neurons_l1',
    'correlated_neurons_pearson decoder_weights_dist neg_str neg_values pos_str pos_values sourceSetName topkCosSimIndices topkCosSimValues vector',
    'vectorLabel hookName vectorDefaultSteerStrength hasVector correlated_features_indices correlated_features_pearson correlated_features_l1',
  ],
  activations: [
    'id modelId layer index creatorId dataSource tokens maxValue minValue values maxValueTokenIndex dfaValues dfaMaxValue dfaTargetIndex binContains binMin binMax',
    'dataIndex lossValues logitContributions qualifyingTokenIndex',
  ],
  explanations: ['id modelId layer index authorId description embedding typeName explanationModelName'],
};

const written = (file: string) =>
  gunzipSync(readFileSync(file))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));

async function readBack(files: readonly string[]) {
  const records = [];
  for (const file of files) for await (const { record } of readNeuronpedia(file)) records.push(record);
  return records;
}

describe('interpret --labels', () => {
  it('puts the labels into the pages, and runs again where they change', async () => {
    for (const { latent, labels: own } of pages) {
      const wanted = explanations.filter(({ index }) => index === `${latent}`);
      expect(own.map(({ text }) => text)).toEqual(wanted.map(({ description }) => description));
      expect(own[0]).toMatchObject({ source: `neuronpedia other/1-other/${latent}`, score: null });
    }
    const given = { study, cacheDir: tiny.cache, latents: 6, tokens: 2000, corpora: [tiny.corpus] };
    expect((await interpretStudy({ ...given, labels: [labels] })).upToDate).toBe(true);
    const none = await interpretStudy(given);
    expect(none.upToDate).toBe(false);
    expect(none.pages.every((page) => page.labels.length === 0)).toBe(true);
    expect(none.pages.map(({ passages }) => passages)).toEqual(pages.map(({ passages }) => passages));
    await interpretStudy({ ...given, labels: [labels] });
  });

  it('shows them on the screen', async () => {
    const args = ['interpret', study, '--cache', tiny.cache, '--pages', '6', '--tokens', '2000'];
    const { stdout, code } = await culpritHere([...args, '--corpus', tiny.corpus, '--neuronpedia', labels]);
    expect(code).toBe(0);
    expect(stdout).toContain('(already done)');
    const { labels: own } = pages[0]!;
    expect(stdout).toContain(`label         ${own[0]!.text} (${own[0]!.by ?? own[0]!.source})`);
  });
});

describe('batches', () => {
  it('have the published shape, no more, and are the same bytes again', async () => {
    const { files } = await exportStudy({ study, out: join(folder, 'a') });
    const names = files.map((file) => file.slice(join(folder, 'a').length + 1));
    const kinds = ['features', 'activations', 'explanations'];
    expect(names).toEqual(kinds.map((kind) => `model/1-sae/${kind}/batch-0.jsonl.gz`));
    const [features, activations, described] = files.map(written);
    for (const one of features!) neuronpediaFeature.strict().parse(one);
    for (const one of activations!) neuronpediaActivation.strict().parse(one);
    for (const one of described!) neuronpediaExplanation.strict().parse(one);
    for (const [i, kind] of kinds.entries())
      for (const one of written(files[i]!))
        expect(Object.keys(one as object).sort()).toEqual(columns[kind]!.join(' ').split(' ').sort());
    const again = await exportStudy({ study, out: join(folder, 'b') });
    expect(again.files.map((file) => readFileSync(file))).toEqual(files.map((file) => readFileSync(file)));
  });

  it('say what the pages say, read by our own reader', async () => {
    const given = { study, modelId: 'my-model', layer: '1-my-set', creatorId: 'me' };
    const result = await exportStudy({ ...given, out: join(folder, 'c') });
    const records = await readBack(result.files);
    const of = { modelId: 'my-model', layer: '1-my-set' };
    const sorted = [...pages].sort((a, b) => a.latent - b.latent);
    const features = records.flatMap(({ kind, value }) => (kind === 'feature' ? [value] : []));
    expect(features.map(({ index }) => Number(index))).toEqual(sorted.map(({ latent }) => latent));
    expect(result).toMatchObject({
      features: pages.length,
      explanations: sorted.flatMap((p) => p.labels).length,
    });
    for (const [i, feature] of features.entries()) {
      const { passages, lens, neighbours, latent } = sorted[i]!;
      const { freq_hist_data_bar_heights: heights, freq_hist_data_bar_values: values } = feature;
      expect(feature).toMatchObject({
        ...of,
        sourceSetName: 'my-set',
        creatorId: 'me',
        maxActApprox: passages.max,
      });
      expect(feature.hookName).toBe('blocks.1.hook_resid_post');
      expect(feature.frac_nonzero).toBe(passages.active / passages.tokens);
      expect(heights).toEqual(passages.histogram.counts);
      expect(values).toHaveLength(heights.length);
      values.forEach((value, k) => {
        expect(value).toBeGreaterThan(passages.histogram.edges[k]!);
        expect(value).toBeLessThan(passages.histogram.edges[k + 1]!);
      });
      expect(feature.pos_str).toEqual(lens.dot.top.map(({ token }) => token));
      expect(feature.neg_values).toEqual(lens.dot.bottom.map(({ dot }) => dot));
      expect(feature.topkCosSimIndices).toEqual(neighbours.map((one) => one.latent));
      const activations = records.flatMap(({ kind, value }) =>
        kind === 'activation' && value.index === `${latent}` ? [value] : [],
      );
      const top = activations.filter(({ binMin }) => binMin === -1);
      expect(top.map(({ maxValue }) => maxValue)).toEqual(
        passages.top.map(({ activations: own, peak }) => own[peak]),
      );
      expect(top.map(({ tokens }) => tokens)).toEqual(passages.top.map(({ tokens }) => tokens));
      expect(top.map(({ dataIndex }) => dataIndex)).toEqual(passages.top.map(({ line }) => `${line}`));
      for (const { values: each, tokens, maxValue, maxValueTokenIndex, dataSource } of activations) {
        expect(each).toHaveLength(tokens.length);
        expect(each[maxValueTokenIndex]).toBe(maxValue);
        expect(maxValue).toBe(Math.max(...each));
        expect(dataSource).toBe(tiny.corpus);
      }
      const greatest = new Set(passages.top.map(({ line, start }) => `${line} ${start}`));
      const sampled = passages.quantiles.flatMap((part) => part.passages);
      const others = sampled.filter(({ line, start }) => !greatest.has(`${line} ${start}`));
      expect(activations).toHaveLength(passages.top.length + others.length + passages.zero.length);
    }
    const ids = records.flatMap(({ kind, value }) => (kind === 'activation' ? [value.id] : []));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(result.activations);
  });

  it('give back the labels', async () => {
    await exportStudy({ study, out: join(folder, 'd'), modelId: 'm', layer: 'l' });
    const latents = pages.map(({ latent }) => latent);
    const found = await readLabels(await labelFiles([join(folder, 'd', 'm', 'l')]), latents, inDictionary);
    for (const { latent, labels: own } of pages)
      expect(found.get(latent)).toEqual(own.map((one) => ({ ...one, source: `neuronpedia m/l/${latent}` })));
  });
});

describe('one latent', () => {
  it('is JSON as the API answers, with what is nested', async () => {
    const { latent, labels: own, passages } = pages[0]!;
    const out = join(folder, 'e');
    const { stdout, code } = await culpritHere(
      ['export', study, '--to', 'neuronpedia', '--out', out, '--latent', `${latent}`].concat(
        '--model-id',
        'm',
      ),
    );
    expect(code).toBe(0);
    const file = join(out, 'm', '1-sae', `${latent}.json`);
    expect(stdout).toMatch(/^features: 1, activations: \d+, explanations: \d\n/);
    expect(stdout).toContain(file);
    const [record] = await readBack([file]);
    expect(record).toMatchObject({
      kind: 'feature',
      value: {
        index: `${latent}`,
        activations: expect.any(Array),
        explanations: own.map(({ text }) => ({ description: text })),
      },
    });
    if (record?.kind === 'feature') expect(record.value.activations![0]!.maxValue).toBe(passages.max);
    neuronpediaFeature.strict().parse(JSON.parse(readFileSync(file, 'utf8')));
  });
});

describe('what is refused', () => {
  it('a latent without a page, a study without pages, a name that is a path', async () => {
    const out = join(folder, 'f');
    const paged = pages.map(({ latent }) => latent);
    const latent = [...Array(inDictionary).keys()].find((one) => !paged.includes(one))!;
    await expect(exportStudy({ study, out, latent })).rejects.toThrow(
      /no such file: make it with `culprit interpret/,
    );
    const bare = putStudy(join(folder, 'bare'), tiny);
    await expect(exportStudy({ study: bare, out })).rejects.toThrow(
      /latents: expected pages of latents, found none/,
    );
    await expect(exportStudy({ study, out, layer: '../x' })).rejects.toThrow(/expected --layer of letters/);
    expect(existsSync(out)).toBe(false);
  });
});
