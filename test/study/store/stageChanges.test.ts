import { expect, it } from 'vitest';
import type { StageRecord } from '../../../src/results.ts';
import { stageChanges } from '../../../src/study/store/stageChanges.ts';
import type { Stage } from '../../../src/study/store/stageState.ts';

const hash = (digit: string) => digit.repeat(64);
const versions = { culprit: '1.0.0', node: '20', 'onnxruntime-node': '1.30.0' };
const made: StageRecord = {
  key: 'before',
  finished: '2026-11-30T00:00:00.000Z',
  versions,
  inputs: { model: { path: '/m', sha256: hash('a') }, gone: { path: '/g', sha256: hash('b') } },
  options: { seed: 1, doses: [0.1, 0.2], unit_key: 'x', sampling: hash('c'), nested: { a: 1, b: 2 } },
  counts: {},
  seconds: {},
  outputs: {},
  edited: [],
};
const now = (over: Partial<Stage>): Stage => ({
  name: 'steer',
  key: 'now',
  outputs: [],
  inputs: made.inputs,
  options: made.options,
  ...over,
});

it('names every option that differs, with both values, and every input', () => {
  const options = {
    seed: 2,
    doses: [0.1],
    unit_key: 'y',
    sampling: hash('d'),
    nested: { a: 1, b: 3 },
    full: true,
  };
  const inputs = { model: { path: '/n', sha256: hash('e') }, more: { path: '/o', sha256: hash('f') } };
  expect(stageChanges(made, now({ options, inputs }), versions)).toEqual([
    'seed 1 → 2',
    'doses [0.1,0.2] → [0.1]',
    'sampling changed',
    'nested.b 2 → 3',
    'full none → true',
    'model /m → /n',
    'gone is left out: /g',
    'more is new: /o',
  ]);
});

it('names the contents of a file under the same name', () => {
  const inputs = { ...made.inputs, model: { path: '/m', sha256: hash('e') } };
  expect(stageChanges(made, now({ inputs }), versions)).toEqual(['model changed: /m']);
});

it('names a version that computes, and not Node’s; else other units; nothing where nothing differs', () => {
  expect(stageChanges(made, now({}), { ...versions, culprit: '2.0.0', node: '24' })).toEqual([
    'culprit 1.0.0 → 2.0.0',
  ]);
  expect(stageChanges(made, now({}), versions)).toEqual([
    'other prompts or completions, or another number of them',
  ]);
  expect(stageChanges(made, now({ key: 'before' }), versions)).toEqual([]);
});
