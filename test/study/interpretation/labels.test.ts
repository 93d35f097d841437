/** Labels from Neuronpedia's files: which are taken, from where, and what is refused. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { labelFiles, readLabels } from '../../../src/study/interpretation/labels.ts';
import { temporaryFolder } from '../../support/folder.ts';

const path = temporaryFolder();

const explanation = (index: string | number, description: string, over: object = {}) => ({
  modelId: 'gpt2-small',
  layer: '6-res-jb',
  index,
  description,
  typeName: 'oai_token-act-pair',
  explanationModelName: 'gpt-4o-mini',
  ...over,
});
const put = (name: string, records: readonly object[]) => {
  const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
  writeFileSync(path(name), name.endsWith('.gz') ? gzipSync(text) : text);
  return path(name);
};
const found = async (given: readonly string[], latents = [7, 3], count = 40) =>
  readLabels(await labelFiles(given), latents, count);

describe('labels', () => {
  it('are those of the latents asked for, over all files, each once', async () => {
    const a = put('a.jsonl.gz', [
      explanation('3', 'first'),
      explanation('4', 'no page'),
      explanation(3, 'second'),
    ]);
    const scores = [{ value: 0.75 }, { value: 0.1 }];
    const feature = {
      modelId: 'gpt2-small',
      layer: '6-res-jb',
      index: '3',
      explanations: [
        { description: 'first', typeName: 'oai_token-act-pair', explanationModelName: 'gpt-4o-mini' },
        { description: 'by hand', scores },
      ],
    };
    const b = path('b.json');
    writeFileSync(b, JSON.stringify(feature));
    const labels = await found([a, b]);
    const source = 'neuronpedia gpt2-small/6-res-jb/3';
    const [by, method] = ['gpt-4o-mini', 'oai_token-act-pair'];
    expect(labels.get(3)).toEqual([
      { text: 'first', source, by, method, score: null },
      { text: 'second', source, by, method, score: null },
      { text: 'by hand', source, by: null, method: null, score: 0.75 },
    ]);
    expect(labels.get(7)).toEqual([]);
    expect(labels.has(4)).toBe(false);
  });

  it('of a folder are in its explanations, in the order of the batches, or in itself', async () => {
    for (const name of ['export', 'export/explanations', 'export/activations', 'flat'])
      mkdirSync(path(name), { recursive: true });
    put('export/model.jsonl', [{ id: 'gpt2-small' }]);
    put('export/activations/batch-0.jsonl.gz', [{ nothing: 'of ours' }]);
    for (const n of [0, 2, 10]) put(`export/explanations/batch-${n}.jsonl.gz`, [explanation('3', `of ${n}`)]);
    put('flat/source.jsonl', [{ id: '6-res-jb' }]);
    put('flat/e.jsonl', [explanation('3', 'flat')]);
    const texts = (await found([path('export'), path('flat')])).get(3)!.map(({ text }) => text);
    expect(texts).toEqual(['of 0', 'of 2', 'of 10', 'flat']);
  });

  it('none are asked for without files', async () => {
    expect(await found([])).toEqual(
      new Map([
        [7, []],
        [3, []],
      ]),
    );
  });
});

describe('what is refused', () => {
  it.each([
    [
      'of two SAEs',
      [explanation('3', 'a'), explanation('3', 'b', { layer: '7-res-jb' })],
      /r\.jsonl:2: expected labels of one SAE, gpt2-small\/6-res-jb, found also gpt2-small\/7-res-jb$/,
    ],
    [
      'of a greater SAE',
      [explanation('40', 'a')],
      /r\.jsonl:1: index: expected a latent of the study's SAE, 0 to 39, found "40"/,
    ],
    ['of a neuron by name', [explanation('1a', 'a')], /r\.jsonl:1: index: expected a latent/],
    [
      'without explanations',
      [{ modelId: 'm', layer: 'l', index: '1' }],
      /r\.jsonl: expected explanations of latents, found none$/,
    ],
  ])('%s', async (_, records, message) => {
    await expect(found([put('r.jsonl', records)])).rejects.toThrow(message);
  });

  it('a file of another kind, one that is not there, a folder without any', async () => {
    writeFileSync(path('a.csv'), '');
    mkdirSync(path('empty'));
    await expect(found([path('a.csv')])).rejects.toThrow(/a\.csv: expected Neuronpedia's \.json, \.jsonl or/);
    await expect(found([path('none.jsonl')])).rejects.toThrow(/none\.jsonl: no such file/);
    await expect(found([path('empty')])).rejects.toThrow(
      /empty: expected \.json, \.jsonl or \.jsonl\.gz files, found none/,
    );
  });
});
