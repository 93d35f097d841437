import { describe, expect, test } from 'vitest';
import { hubReference } from '../../../src/files/hub/reference.ts';
import { type HubFile, type HubUse, neededFiles, usedAs } from '../../../src/files/hub/selection.ts';

const files = (...paths: string[]): HubFile[] =>
  paths.map((path) => ({ path, size: 2_000_000, hash: { kind: 'git', hex: 'a'.repeat(40) } }));
const chosen = (given: string, use: HubUse, ...paths: string[]) =>
  neededFiles(hubReference(given)!, use, files(...paths)).map(({ path }) => path);

const beside = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'];
const published = [
  ...beside,
  'README.md',
  'model-00001-of-00002.safetensors',
  'model-00002-of-00002.safetensors',
  'model.safetensors.index.json',
  'pytorch_model-00001-of-00002.bin',
  'consolidated.safetensors',
  'original/params.json',
  'onnx/model.onnx',
  'q4.gguf',
];

describe('what is needed of a model', () => {
  test('safetensors before all else, with config and tokenizer', () => {
    const weights = published.filter((path) => path.startsWith('model'));
    expect(chosen('hf:a/b', 'model', ...published)).toEqual([...beside, ...weights]);
  });

  test('one GGUF file', () => {
    expect(chosen('hf:a/b', 'model', 'README.md', 'b.Q4_K_M.gguf', 'config.json')).toEqual([
      'config.json',
      'b.Q4_K_M.gguf',
    ]);
  });

  test('several GGUF files: their names, to choose one', () => {
    const ggufs = ['b.Q4_0.gguf', 'b.Q8_0.gguf'];
    expect(() => chosen('hf:a/b', 'model', ...ggufs)).toThrow(
      'hf:a/b: has 2 GGUF files: name one, such as hf:a/b/b.Q4_0.gguf: b.Q4_0.gguf (2.0 MB), b.Q8_0.gguf (2.0 MB)',
    );
    expect(chosen('hf:a/b/b.Q8_0.gguf', 'model', ...ggufs)).toEqual(['b.Q8_0.gguf']);
  });

  test('in a folder of the repository', () => {
    expect(chosen('hf:a/b/in', 'model', 'config.json', 'in/config.json', 'in/model.safetensors')).toEqual([
      'in/config.json',
      'in/model.safetensors',
    ]);
  });

  test.each<[string[], string]>([
    [
      ['pytorch_model.bin', 'config.json'],
      'found pytorch_model.bin, a form that can run code and is not read',
    ],
    [['README.md'], 'expected model.safetensors, its shards, or a .gguf file, found none of these'],
  ])('%j', (paths, message) => {
    expect(() => chosen('hf:a/b', 'model', ...paths)).toThrow(message);
  });

  test('a folder that is not there', () => {
    expect(() => chosen('hf:a/b/none', 'model', 'config.json')).toThrow(
      'hf:a/b/none: the repository has no none',
    );
  });
});

test('what is needed of an adapter', () => {
  const adapter = ['adapter_config.json', 'adapter_model.safetensors'];
  expect(chosen('hf:a/b', 'adapter', 'README.md', 'tokenizer.json', ...adapter)).toEqual(adapter);
  expect(() => chosen('hf:a/b', 'adapter', 'adapter_config.json', 'adapter_model.bin')).toThrow(
    'expected adapter_config.json and adapter_model.safetensors, found adapter_config.json',
  );
});

describe('what is needed of a dictionary', () => {
  const many = [0, 1, 2].flatMap((layer) => [
    `layer_${layer}/width_16k/params.npz`,
    `layer_${layer}/width_65k/params.npz`,
  ]);

  test('the one folder that there is', () => {
    const own = ['sae_weights.safetensors', 'cfg.json'];
    expect(chosen('hf:a/b', 'dictionary', 'README.md', ...own, 'sparsity.safetensors')).toEqual([
      'sae_weights.safetensors',
      'sparsity.safetensors',
      'cfg.json',
    ]);
  });

  test('the folder that is named, its weights also in one of checkpoints', () => {
    expect(chosen('hf:a/b/layer_1/width_16k', 'dictionary', ...many)).toEqual([
      'layer_1/width_16k/params.npz',
    ]);
    const scope = ['L1/checkpoints/final.safetensors', 'L1/hyperparams.json', 'L2/hyperparams.json'];
    expect(chosen('hf:a/b/L1', 'dictionary', ...scope)).toEqual(scope.slice(0, 2));
  });

  test('several folders: their names, to choose one', () => {
    expect(() => chosen('hf:a/b', 'dictionary', ...many)).toThrow(
      'hf:a/b: has 6 folders with dictionaries: name one as hf:ORG/NAME/FOLDER: layer_0/width_16k (2.0 MB), layer_0/width_65k',
    );
  });

  test('several in one folder: one file, with what lies beside it', () => {
    const layers = ['layer0.sae.pt', 'layer1.sae.pt', 'config.json'];
    expect(() => chosen('hf:a/b', 'dictionary', ...layers)).toThrow(
      'hf:a/b: has 2 dictionaries in one folder: name one as hf:ORG/NAME/FILE: layer0.sae.pt (2.0 MB), layer1.sae.pt (2.0 MB)',
    );
    expect(chosen('hf:a/b/layer1.sae.pt', 'dictionary', ...layers)).toEqual(['layer1.sae.pt', 'config.json']);
  });

  test('none', () => {
    expect(() => chosen('hf:a/b', 'dictionary', 'README.md')).toThrow('expected a dictionary');
  });
});

test('what is needed of rows', () => {
  expect(chosen('hf:datasets/a/b', 'file', 'README.md', 'train.jsonl')).toEqual(['train.jsonl']);
  expect(chosen('hf:datasets/a/b/test.csv', 'file', 'train.jsonl', 'test.csv')).toEqual(['test.csv']);
  expect(() => chosen('hf:datasets/a/b', 'file', 'x.jsonl', 'y.jsonl')).toThrow('name one, such as');
  expect(() => chosen('hf:datasets/a/b', 'file', 'x.parquet')).toThrow('expected a .jsonl');
});

test.each<[string, string[], HubUse]>([
  ['hf:a/b', ['adapter_config.json', 'adapter_model.safetensors'], 'adapter'],
  ['hf:a/b', ['config.json', 'model.safetensors'], 'model'],
  ['hf:a/b', ['b.gguf'], 'model'],
  ['hf:a/b/in/b.gguf', ['in/b.gguf', 'in/c.gguf'], 'model'],
  ['hf:a/b', ['cfg.json', 'sae_weights.safetensors'], 'dictionary'],
  ['hf:datasets/a/b', ['train.jsonl'], 'file'],
])('%s with %j looks like: %s', (given, paths, use) => {
  expect(usedAs(hubReference(given)!, files(...paths))).toBe(use);
});
