/** Neuronpedia's records as published: each kind, in each kind of file, and what is refused. */
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type NeuronpediaRecord, readNeuronpedia } from '../../src/files/neuronpedia.ts';
import { temporaryFolder } from '../support/folder.ts';

const path = temporaryFolder();
const place = { modelId: 'gpt2-small', layer: '6-res-jb', index: '650' };

/** Lines as export-data.py writes them. */
const explanation = {
  id: 'cm1',
  ...place,
  authorId: 'a',
  description: ' advice about medicine',
  embedding: '[0.1,0.2]',
  typeName: 'oai_token-act-pair',
  explanationModelName: 'gpt-4o-mini',
  umap_x: 0,
};
const activation = {
  id: 'cm2',
  ...place,
  creatorId: 'a',
  dataSource: null,
  tokens: ['Take', ' pills'],
  maxValue: 3.5,
  minValue: 0,
  values: [0, 3.5],
  maxValueTokenIndex: 1,
  dfaValues: [],
  dfaMaxValue: null,
  dfaTargetIndex: null,
  binContains: 0.1,
  binMin: 3,
  binMax: 4,
};
const feature = {
  ...place,
  maxActApprox: 3.5,
  frac_nonzero: 0.0012,
  freq_hist_data_bar_heights: [5, 1],
  freq_hist_data_bar_values: [1, 3],
  neg_str: ['x'],
  neg_values: [-1],
  pos_str: [' drug'],
  pos_values: [1.5],
  correlated_neurons_indices: null,
  hookName: null,
};

async function read(name: string, content: string | Uint8Array): Promise<NeuronpediaRecord[]> {
  writeFileSync(path(name), content);
  const records: NeuronpediaRecord[] = [];
  for await (const { record } of readNeuronpedia(path(name))) records.push(record);
  return records;
}
const lines = (...records: object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');

describe('records', () => {
  it('are known by what they hold, line by line, zipped or not', async () => {
    const text = lines(explanation, activation, feature);
    for (const [name, content] of [
      ['a.jsonl', text],
      ['a.jsonl.gz', gzipSync(text)],
    ] as const) {
      const records = await read(name, content);
      expect(records.map(({ kind }) => kind)).toEqual(['explanation', 'activation', 'feature']);
      expect(records[0]!.value).toMatchObject({
        ...place,
        description: ' advice about medicine',
        scores: [],
      });
      expect(records[1]!.value).toMatchObject({ tokens: ['Take', ' pills'], values: [0, 3.5], binMin: 3 });
      expect(records[2]!.value).toMatchObject({ pos_str: [' drug'], correlated_neurons_indices: [] });
    }
  });

  it('are one, or an array, in a .json file; a feature nests its explanations and activations', async () => {
    const { modelId: _, layer: __, index: ___, ...nested } = activation;
    const scored = { ...explanation, scores: [{ value: 0.8, explanationScoreTypeName: 'recall_alt' }] };
    const answer = { ...feature, index: 650, activations: [nested], explanations: [scored] };
    const [one] = await read('650.json', JSON.stringify(answer));
    expect(one).toMatchObject({
      kind: 'feature',
      value: {
        ...place,
        activations: [{ maxValue: 3.5 }],
        explanations: [{ description: ' advice about medicine', scores: [{ value: 0.8 }] }],
      },
    });
    expect(await read('all.json', JSON.stringify([explanation, explanation]))).toHaveLength(2);
  });
});

describe('what is refused, with file and line', () => {
  it.each([
    [
      'a.jsonl.gz',
      gzipSync(lines(explanation, { ...explanation, description: 4 })),
      /a\.jsonl\.gz:2: description: expected string, found 4$/,
    ],
    ['a.jsonl', lines({ text: 'a corpus' }), /a\.jsonl:1: modelId: expected string, found nothing$/],
    [
      'a.jsonl',
      lines({ ...activation, values: ['1'] }),
      /a\.jsonl:1: values\[0\]: expected number, found "1"$/,
    ],
    ['a.jsonl', '{"modelId":', /a\.jsonl:1: not JSON/],
    ['a.json', JSON.stringify([explanation, {}]), /a\.json: \[1\]: modelId: expected string/],
    ['a.jsonl.gz', lines(explanation), /a\.jsonl\.gz: expected gzip: incorrect header check$/],
    [
      'a.jsonl.gz',
      gzipSync(lines(explanation)).subarray(0, 60),
      /a\.jsonl\.gz: expected gzip: unexpected end of file$/,
    ],
  ])('%s', async (name, content, message) => {
    await expect(read(name, content)).rejects.toThrow(message);
  });
});
