/** What a study's folder holds beside tables: its manifest, records line by line, and JSON results. */
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../src/errors.ts';
import { readJson } from '../../src/files/jsonFile.ts';
import { readJsonlAll } from '../../src/files/jsonl.ts';
import { checked } from '../../src/files/schema.ts';
import {
  checkSchema,
  completionRecord,
  controlsSchema,
  fidelitySchema,
  gradeRecord,
  manifestSchema,
  pairRecord,
  steeredRecord,
  steeringSummarySchema,
} from '../../src/results.ts';
import { readCompletions, readGrades, readPairRecords } from '../../src/study/open/records.ts';
import { lockHolder } from '../../src/study/store/lock.ts';
import { readStudyManifest } from '../../src/study/store/manifest.ts';
import { jsonOf, recordsOf } from '../../src/web/records.ts';
import { each, type Format, jsonPart, linesPart, promised } from '../format.ts';

const prompt = [{ role: 'user', content: 'How?' }];
const completion = {
  id: 'p0/0',
  prompt_id: 'p0',
  index: 0,
  prompt,
  text: 'So.',
  ids: [1, 2],
  log_probabilities: [-0.5, -1],
  stop: 'end',
  seed: 7,
  model: 'tiny',
};
const grade = {
  id: 'p0/0',
  content: 'abc',
  score: 0.5,
  label: 'positive',
  coherence: 1,
  coherent: true,
  reason: 'r',
  raw: '',
  judge: 'pattern',
  cost: { calls: 1, input_tokens: 2, output_tokens: 3, price: 0.01 },
};
const pair = {
  id: 'p0',
  prompt_id: 'p0',
  prompt,
  positive: 'a',
  negative: 'b',
  positive_ended: true,
  negative_ended: false,
  positive_id: 'p0/0',
  negative_id: 'p0/1',
  contrast: null,
  positive_tokens: [1],
  negative_tokens: null,
  certainty: 0.5,
};
const stage = {
  key: 'k',
  finished: '2026-11-30T07:00:00.000Z',
  versions: { culprit: '0.1.0' },
  inputs: { model: { path: 'm', sha256: 'ab' } },
  options: { seed: 1, stop: ['a', { b: null }] },
  counts: { completions: 3 },
  seconds: { all: 0.5 },
  outputs: { 'completions.jsonl': 'ab' },
  edited: [],
  threads: 1,
};
const manifest = {
  command: 'study',
  created: '2026-11-30T07:00:00.000Z',
  versions: { culprit: '0.1.0' },
  threads: 1,
  stages: { sample: stage, grade: stage },
  writing: ['pair'],
};
const check = [
  {
    name: 'a',
    about: 'b',
    status: 'warn',
    numbers: { x: 1, y: null },
    unit: '',
    expected: 'c',
    what_to_do: 'd',
  },
];
const lock = { pid: 1, host: 'h', boot: 'b', started: '1', since: '2026-11-30T07:00:00.000Z', nonce: 'n' };

export const records: Format = {
  name: 'records',
  seeds: () => [
    { 'completions.jsonl': linesPart([completion, { ...completion, id: 'p0/1', index: 1 }]) },
    { 'grades.jsonl': linesPart([grade]) },
    { 'pairs.jsonl': linesPart([pair]) },
    { 'manifest.json': jsonPart(manifest) },
    { 'manifest.json': jsonPart({ command: 'attribute', created: manifest.created, ...stage }) },
    { 'check.json': jsonPart(check) },
    { 'run.lock': jsonPart(lock) },
  ],
  async read(folder) {
    const path = (name: string) => join(folder, name);
    mkdirSync(path('.work'), { recursive: true });
    const jsons = {
      check: checkSchema,
      fidelity: fidelitySchema,
      controls: controlsSchema,
      steering: steeringSummarySchema,
      manifest: manifestSchema,
    };
    const lines = {
      completions: completionRecord,
      grades: gradeRecord,
      pairs: pairRecord,
      steered: steeredRecord,
    };
    const bytes = (name: string) => Uint8Array.from(readFileSync(path(name))).buffer;
    for (const [name, schema] of Object.entries(jsons))
      await each(
        async () => checked(schema, await readJson(path(`${name}.json`)), name),
        () => inTheApp(() => jsonOf(schema, bytes(`${name}.json`), name)),
      );
    for (const [name, schema] of Object.entries(lines))
      await each(
        () => readJsonlAll(path(`${name}.jsonl`), schema),
        () => inTheApp(() => recordsOf(schema, bytes(`${name}.jsonl`), name)),
      );
    await each(
      async () =>
        promised(
          (await readCompletions(folder)).every(({ text }) => typeof text === 'string'),
          'no text',
        ),
      async () =>
        promised(
          [...(await readGrades(folder)).values()].every(({ score }) => score >= 0),
          'no score',
        ),
      () => readPairRecords(folder),
      () => readStudyManifest(folder),
      async () => {
        ifThere(() => renameSync(path('run.lock'), path('.work/run.lock')));
        await lockHolder(folder);
      },
    );
  },
};

function ifThere(read: () => void): void {
  try {
    read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** As the app reads it, which tells of a fault in several lines. */
function inTheApp(read: () => void): void {
  try {
    ifThere(read);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}
