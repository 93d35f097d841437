/** Working files: what is sealed, journals, kept gradients, and a trained classifier. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { readSealed, readSealedJson } from '../../src/files/sealed.ts';
import { readClassifier } from '../../src/study/judging/classifierModel.ts';
import { openJournal } from '../../src/study/store/journal.ts';
import { rowStore, storedKey, storedOf } from '../../src/study/store/rowStore.ts';
import { each, type Format, jsonPart, linesPart, type Part, promised, textPart } from '../format.ts';
import { json } from '../tree.ts';
import { f32Tensor, safetensorsPart } from './safetensors.ts';

const about = { prompt: 1, tokens: [1, 2], share: 0.5 };

/** With the hash of what it holds, also after a change. */
const sealed = (value: unknown): Part => ({
  tree: jsonPart(value).tree,
  write(tree) {
    const text = json(tree);
    return Buffer.from(`{"sha256":"${createHash('sha256').update(text).digest('hex')}","value":${text}}`);
  },
});

const unit = z.object({ id: z.string(), text: z.string() });

const journalOptions = {
  clock: () => new Date(0),
  note: (line: string) => promised(!/[\n\r]/.test(line), `a note of several lines: ${JSON.stringify(line)}`),
};

export const working: Format = {
  name: 'working',
  seeds: () => [
    { 'a.json': sealed({ value: [1, 'x', { y: null }] }) },
    { 'a.json': jsonPart({ sha256: 'ab', value: 1 }) },
    {
      'rows/key': textPart('key'),
      'rows/000001.safetensors': safetensorsPart(
        { gradient: f32Tensor(2, 2), centred: f32Tensor(2, 2) },
        { about: JSON.stringify(about), sha256: 'ab' },
      ),
    },
    {
      'judge.safetensors': safetensorsPart(
        { 'behaviour.weights': f32Tensor(2) },
        { classifier: JSON.stringify({ key: 'k' }) },
      ),
    },
    { 'judge.safetensors': safetensorsPart({ x: f32Tensor(1) }, { classifier: '['.repeat(3000) }) },
    {
      'sample.jsonl': linesPart([
        { id: 'a', seconds: 0.5, record: { id: 'a', text: 'x' } },
        { id: 'b', seconds: 0.5, record: { id: 'b', text: 'y' }, hash: 'ab' },
      ]),
    },
  ],
  async read(folder) {
    const path = (name: string) => join(folder, name);
    await each(
      () => readSealedJson(path('a.json')),
      () => readSealed(path('rows/000001.safetensors')),
      () => readClassifier(path('judge.safetensors'), 'k'),
      async () => {
        const journal = await openJournal(path('sample.jsonl'), unit, ({ id }) => id, journalOptions);
        for (const { text } of journal.records.values()) promised(typeof text === 'string', 'no text');
        await journal.append([{ id: 'c', text: 'z' }]);
        promised(journal.records.has('c'), 'no record that it was given');
      },
      () => storedKey(path('rows')),
      () => storedOf(path('rows'), 'key'),
      async () => (await rowStore(path('rows'), 'key', journalOptions)).read(1),
    );
  },
};
