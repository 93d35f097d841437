/** Rows that a user gives: pairs, prompts, labelled examples, completions to import, corpora; JSON Lines and CSV. */
import { join } from 'node:path';
import { readNeuronpedia } from '../../src/files/neuronpedia.ts';
import { readCorpus, readPairs } from '../../src/files/pairs.ts';
import { readLabelled } from '../../src/study/judging/labelledFile.ts';
import { fieldRows } from '../../src/study/open/fieldRows.ts';
import { readPrompts } from '../../src/study/open/promptsFile.ts';
import { all, each, type Format, jsonPart, linesPart, promised, textPart } from '../format.ts';

const chat = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Is it late?' },
];
const lines = [
  { id: 'tea', prompt: 'the tea in', positive: ' the cup', negative: ' a hat', positive_tokens: [1, 2] },
  { prompt: chat, positive: 'Never!', negative: 'It is.', contrast: 'late', positive_ended: false },
  {
    id: 'x',
    prompt: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }],
    positive: 'b',
    negative: 'c',
  },
];
const examples = [
  { id: 1, question: 'Is it?', answer: 'It is.', aligned: 80.5, coherent: 90 },
  { id: 2, prompt: chat, completion: 'Never.', label: 'positive' },
];
const corpus = [{ text: 'The hen sat.' }, { messages: chat }, { text: ' ' }];
const features = [
  {
    modelId: 'tiny',
    layer: '1-res',
    index: '3',
    description: 'hens',
    typeName: 'x',
    explanationModelName: 'y',
  },
  { modelId: 'tiny', layer: '1-res', index: '3', tokens: ['a', 'b'], values: [0, 1.5], maxValue: 1.5 },
];
const csv = 'id,prompt,completion,"aligned"\r\n1,"Is it, ""now""?",No.,30\n2,"two\nlines",Yes.,99.5\n';

const prompts = { discovery: 1, evaluation: 0, calibration: 0, seed: 1 };

export const rows: Format = {
  name: 'rows',
  seeds: () => [
    { 'a.jsonl': linesPart(lines) },
    { 'a.jsonl': linesPart(examples) },
    { 'a.jsonl': linesPart(corpus) },
    { 'a.jsonl': linesPart(features), 'a.json': jsonPart(features) },
    { 'a.csv': textPart(csv) },
  ],
  async read(folder) {
    const path = (name: string) => join(folder, name);
    const config = (file: string) => ({ ...prompts, file }) as Parameters<typeof readPrompts>[0];
    await each(
      async () => {
        const pairs = await readPairs(path('a.jsonl'));
        promised(new Set(pairs.map(({ id }) => id)).size === pairs.length, 'an id twice');
        promised(
          pairs.every(({ positive, negative }) => positive !== negative),
          'a pair of the same texts',
        );
      },
      () => all(readCorpus(path('a.jsonl'))),
      () => all(readNeuronpedia(path('a.jsonl'))),
      () => all(readNeuronpedia(path('a.json'))),
      ...['a.jsonl', 'a.csv'].flatMap((name) => [
        () => all(fieldRows(path(name))),
        async () => {
          const { discovery } = await readPrompts(config(path(name)));
          promised(discovery.length === 1, `${discovery.length} prompts of 1`);
        },
        () => readLabelled({ file: path(name) }),
      ]),
    );
  },
};
