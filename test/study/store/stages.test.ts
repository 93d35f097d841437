/** Which stages of a study are done, and that no file is overwritten that the study did not make. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import {
  acceptStage,
  beginManifest,
  finishStage,
  redoStage,
  stageIsDone,
} from '../../../src/study/store/finishStage.ts';
import { journalFile } from '../../../src/study/store/folder.ts';
import { contentHash } from '../../../src/study/store/hash.ts';
import { readStudyManifest } from '../../../src/study/store/manifest.ts';
import type { Stage } from '../../../src/study/store/stageState.ts';
import { temporaryFolder } from '../../support/folder.ts';

const at = temporaryFolder();
const sample: Stage = {
  name: 'sample',
  key: '0001-key-of-sample',
  outputs: ['completions.jsonl'],
  inputs: { model: { path: '/m', sha256: 'aa' } },
  options: { temperature: 1, stop: ['x'] },
};
const attribute: Stage = { ...sample, name: 'attribute', outputs: ['latents.parquet', 'arrays'] };
const changed: Stage = { ...sample, key: '0002-key-of-sample', options: { temperature: 2 } };

let time = 0;
const recorder = { clock: () => new Date(time), versions: { culprit: '1.2.3' } };
const put = (name: string, text: string) => writeFileSync(at(name), text);
const text = (name: string) => readFileSync(at(name), 'utf8');
const outcome = { counts: { completions: 3 }, seconds: { sample: 4 } };
const ways =
  'add --accept sample to use it as it is, or --redo sample to make it again (the old one is kept as completions.jsonl.bak)';

async function finish(stage: Stage, content = 'made'): Promise<void> {
  await finishStage(at(), stage, outcome, recorder, async () => {
    for (const name of stage.outputs) put(name, `${content} ${name}`);
  });
}

beforeEach(() => {
  time = 1_000;
  mkdirSync(at('.work'));
});

/** Every way to overwrite the file is refused, with this reason. */
async function expectProtected(stage: Stage, reason: string): Promise<void> {
  const before = text('completions.jsonl');
  const refused = new InputError(`${at('completions.jsonl')}: ${reason}: ${ways}`);
  await expect(stageIsDone(at(), stage)).rejects.toThrow(refused);
  writeFileSync(journalFile(at(), stage), 'work');
  await expect(finish(stage)).rejects.toThrow(refused);
  expect(text('completions.jsonl')).toBe(before);
  expect(readFileSync(journalFile(at(), stage), 'utf8')).toBe('work');
}

describe('a stage that is finished', () => {
  it('is recorded and done, and its journal goes', async () => {
    expect(await stageIsDone(at(), sample)).toBe(false);
    expect(existsSync(at('manifest.json'))).toBe(false);
    writeFileSync(journalFile(at(), sample), 'work');
    writeFileSync(journalFile(at(), changed), 'work under other options');
    await finish(sample);
    expect(readdirSync(at('.work'))).toEqual(['sample-0002-key-of-.jsonl']);
    expect(await stageIsDone(at(), sample)).toBe(true);
    time = 2_000;
    await finish(attribute);
    expect(JSON.parse(text('manifest.json'))).toEqual({
      command: 'study',
      created: '1970-01-01T00:00:01.000Z',
      versions: { culprit: '1.2.3' },
      stages: {
        sample: {
          key: '0001-key-of-sample',
          finished: '1970-01-01T00:00:01.000Z',
          versions: { culprit: '1.2.3' },
          inputs: { model: { path: '/m', sha256: 'aa' } },
          options: { temperature: 1, stop: ['x'] },
          ...outcome,
          outputs: { 'completions.jsonl': await contentHash(at('completions.jsonl')) },
          edited: [],
        },
        attribute: expect.objectContaining({
          finished: '1970-01-01T00:00:02.000Z',
          outputs: {
            'latents.parquet': await contentHash(at('latents.parquet')),
            arrays: await contentHash(at('arrays')),
          },
        }),
      },
      writing: [],
    });
  });

  it('is not done under another key, nor without one of its files', async () => {
    await finish(attribute);
    expect(await stageIsDone(at(), { ...attribute, key: 'other' })).toBe(false);
    expect(await stageIsDone(at(), attribute)).toBe(true);
    rmSync(at('arrays'));
    expect(await stageIsDone(at(), attribute)).toBe(false);
  });

  it('is done again where its key is its earlier one', async () => {
    await finish(sample);
    await finish(changed, 'changed');
    expect(await stageIsDone(at(), sample)).toBe(false);
    await finish(sample);
    expect(await stageIsDone(at(), sample)).toBe(true);
  });

  it('leaves no working files, also where a run was killed before it removed them', async () => {
    const working = { ...attribute, work: ['.work/attribute'] };
    const left = () => {
      mkdirSync(at('.work', 'attribute'), { recursive: true });
      put('.work/attribute/000001.safetensors', 'gradients');
    };
    left();
    await finish(working);
    expect(existsSync(at('.work', 'attribute'))).toBe(false);
    left();
    expect(await stageIsDone(at(), { ...working, key: 'another' })).toBe(false);
    expect(existsSync(at('.work', 'attribute'))).toBe(true);
    expect(await stageIsDone(at(), working)).toBe(true);
    expect(existsSync(at('.work', 'attribute'))).toBe(false);
  });

  it('may keep its journal under a key of its own', () => {
    const grades = { ...sample, journalKey: 'of the judge alone' };
    expect(journalFile(at(), grades)).toBe(
      journalFile(at(), { ...changed, journalKey: 'of the judge alone' }),
    );
    expect(journalFile(at(), grades)).not.toBe(journalFile(at(), sample));
  });
});

it('the threads of a run are recorded, and told where the next one uses others', async () => {
  const notes: string[] = [];
  const note = (line: string) => notes.push(line);
  await beginManifest(at(), { ...recorder, threads: 2 }, note);
  await finishStage(at(), sample, outcome, { ...recorder, threads: 2 }, async () =>
    put('completions.jsonl', 'made'),
  );
  await beginManifest(at(), { ...recorder, threads: 2 }, note);
  expect(notes).toEqual([]);
  await beginManifest(at(), { ...recorder, threads: 1 }, note);
  expect(notes).toEqual([
    expect.stringMatching(/^the run before used 2 threads, this one 1: .*not byte for byte/),
  ]);
  expect(await readStudyManifest(at())).toMatchObject({ threads: 1, stages: { sample: { threads: 2 } } });
});

describe('a file', () => {
  it('that was changed by hand is not overwritten, under any key', async () => {
    await finish(sample);
    put('completions.jsonl', 'by hand');
    await expectProtected(sample, 'was changed after stage sample');
    await expectProtected(changed, 'was changed after stage sample');
  });

  it('that was there before is not overwritten', async () => {
    put('completions.jsonl', 'of the user');
    await expectProtected(sample, 'exists, but stage sample has not made it');
  });

  it('protects its stage though another of its files is missing', async () => {
    await finish(attribute);
    rmSync(at('latents.parquet'));
    put('arrays', 'by hand');
    await expect(stageIsDone(at(), attribute)).rejects.toThrow(
      `${at('arrays')}: was changed after stage attribute`,
    );
  });

  it('that a run was stopped at writing is the study’s own', async () => {
    await finish(sample);
    const stop = finishStage(at(), changed, outcome, recorder, async () => {
      put('completions.jsonl', 'half');
      throw new Error('stopped');
    });
    await expect(stop).rejects.toThrow('stopped');
    // Another stage that is finished in between changes nothing about it.
    await finish(attribute);
    expect((await readStudyManifest(at()))!.writing).toEqual(['sample']);
    expect(await stageIsDone(at(), sample)).toBe(false);
    expect(await stageIsDone(at(), changed)).toBe(false);
    await finish(changed);
    expect((await readStudyManifest(at()))!.writing).toEqual([]);
    put('completions.jsonl', 'by hand');
    await expect(stageIsDone(at(), changed)).rejects.toThrow('was changed after stage sample');
  });
});

describe('accepting', () => {
  it('takes a changed file for the result, and says so; under other options it is still not overwritten', async () => {
    await finish(sample);
    put('completions.jsonl', 'by hand');
    await acceptStage(at(), sample, recorder);
    expect(await stageIsDone(at(), sample)).toBe(true);
    const recorded = async () => (await readStudyManifest(at()))!.stages.sample!;
    const accepted = {
      edited: ['completions.jsonl'],
      counts: {},
      outputs: { 'completions.jsonl': expect.any(String) },
    };
    expect(await recorded()).toMatchObject(accepted);
    await expectProtected(
      changed,
      'was accepted as it was, but stage sample now has other inputs or options',
    );
    await acceptStage(at(), changed, recorder);
    expect(await stageIsDone(at(), changed)).toBe(true);
    expect(await recorded()).toMatchObject({ ...accepted, key: changed.key, options: { temperature: 2 } });
    expect(text('completions.jsonl')).toBe('by hand');
  });

  it('takes a file that no stage made', async () => {
    put('completions.jsonl', 'of the user');
    await acceptStage(at(), sample, recorder);
    expect(await stageIsDone(at(), sample)).toBe(true);
  });

  it('leaves a stage alone that is done', async () => {
    await finish(sample);
    const before = text('manifest.json');
    time = 5_000;
    await acceptStage(at(), sample, recorder);
    expect(text('manifest.json')).toBe(before);
  });

  it('needs all files', async () => {
    await expect(acceptStage(at(), sample, recorder)).rejects.toThrow(
      new InputError(`${at('completions.jsonl')}: no such file or folder`),
    );
  });
});

describe('doing a stage anew', () => {
  it('keeps its files and its journal as .bak, every time', async () => {
    await finish(sample, 'first');
    writeFileSync(journalFile(at(), sample), 'work');
    await redoStage(at(), sample, recorder);
    expect(await stageIsDone(at(), sample)).toBe(false);
    await finish(sample, 'second');
    put('completions.jsonl', 'by hand');
    await redoStage(at(), sample, recorder);
    expect(await stageIsDone(at(), sample)).toBe(false);
    await redoStage(at(), sample, recorder);
    expect(readdirSync(at()).sort()).toEqual([
      '.work',
      'completions.jsonl.bak',
      'completions.jsonl.bak2',
      'manifest.json',
    ]);
    expect([text('completions.jsonl.bak'), text('completions.jsonl.bak2')]).toEqual([
      'first completions.jsonl',
      'by hand',
    ]);
    expect(readdirSync(at('.work'))).toEqual(['sample-0001-key-of-.jsonl.bak']);
  });

  it('leaves other stages as they are', async () => {
    await finish(sample);
    await finish(attribute);
    await redoStage(at(), sample, recorder);
    expect(await stageIsDone(at(), attribute)).toBe(true);
  });
});

it.each([
  ['{', 'expected JSON: '],
  ['[]', 'expected object, found an array of 0'],
  ['{"command":"attribute"}', 'command: expected "study", found "attribute"'],
])('a manifest.json that is none of a study’s (%s) is refused and kept', async (content, message) => {
  put('manifest.json', content);
  for (const attempt of [
    () => stageIsDone(at(), sample),
    () => finish(sample),
    () => redoStage(at(), sample, recorder),
  ])
    await expect(attempt()).rejects.toThrow(`${at('manifest.json')}: ${message}`);
  expect(text('manifest.json')).toBe(content);
});
