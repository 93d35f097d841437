/** Which results of a study are told to be of an earlier state of it, and why. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stalenessOf } from '../../../src/study/report/stale.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { put, putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { putStudy } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-stale-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let tiny: TinyFolder;
let made: string;
beforeAll(async () => {
  tiny = await putAll(folder);
  made = putStudy(join(folder, 'made'), tiny);
  await runStudy({ study: made });
});

let copies = 0;
function copy(): string {
  const study = join(folder, `copy${copies++}`);
  cpSync(made, study, { recursive: true });
  return study;
}

function edit(study: string, file: string, from: string | RegExp, to: string): void {
  const before = readFileSync(join(study, file), 'utf8');
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(join(study, file), after);
}

const yaml = 'study.yaml';

describe('a study is told to hold results of an earlier state', () => {
  it('not where it is as it was run, also in another place', async () => {
    expect(await stalenessOf(made)).toEqual({ stale: {} });
    expect(await stalenessOf(copy())).toEqual({ stale: {} });
  });

  it('where an option was changed: the stage itself, and what rests on it', async () => {
    const study = copy();
    edit(study, yaml, 'seed: 5', 'seed: 6');
    const { stale } = await stalenessOf(study);
    expect(stale.sample).toBe('study.yaml now says another seed');
    expect(stale.grade).toBe('it rests on stage sample, which is of an earlier state too');
    expect(Object.keys(stale).sort()).toEqual(['attribute', 'fidelity', 'grade', 'pair', 'sample']);
  });

  it('where an earlier stage was run again: by the files that it was not made from', async () => {
    const study = copy();
    edit(study, yaml, 'seed: 5', 'seed: 6');
    await runStudy({ study, stages: ['sample', 'grade', 'pair', 'attribute'] });
    expect((await stalenessOf(study)).stale).toEqual({
      fidelity: 'it was not made from the latents.parquet, pairs.jsonl, completions.jsonl beside it',
    });
  });

  it('where the judge was changed, and its stage run again', async () => {
    const study = copy();
    edit(study, yaml, '[A-Za-z]', '[AEIOUaeiou]');
    await runStudy({ study, stages: ['grade'] });
    const { stale } = await stalenessOf(study);
    expect(stale.pair).toBe('it was not made from the grades.jsonl beside it');
    expect(stale.attribute).toBe('it rests on stage pair, which is of an earlier state too');
    expect(stale.sample).toBeUndefined();
  });

  it('where a file was changed by hand, until it is accepted', async () => {
    const study = copy();
    edit(study, 'grades.jsonl', /"score":[01]/, '"score":0.5');
    const { stale } = await stalenessOf(study);
    expect(stale.grade).toBe('grades.jsonl was changed after it was made');
    expect(stale.pair).toContain('it was not made from the grades.jsonl beside it');
    await runStudy({ study, accept: ['grade'] });
    expect(await stalenessOf(study)).toEqual({ stale: {} });
  });

  it('where its model is another now', async () => {
    const study = copy();
    const adapter = join(folder, 'other');
    cpSync(tiny.adapter, adapter, { recursive: true });
    edit(study, yaml, tiny.adapter, adapter);
    expect(await stalenessOf(study)).toEqual({ stale: {} });
    const file = join(adapter, 'adapter_model.safetensors');
    const bytes = readFileSync(file);
    bytes[bytes.length - 2] = bytes[bytes.length - 2]! ^ 1;
    writeFileSync(file, bytes);
    const { stale } = await stalenessOf(study);
    expect(stale.sample).toBe('the subject adapter is another now');
    expect(stale.attribute).toContain('the subject adapter is another now');
  });

  it('by its files and records alone where its model is not here', async () => {
    const study = copy();
    edit(study, yaml, tiny.model, join(folder, 'nowhere'));
    expect(await stalenessOf(study)).toEqual({
      stale: {},
      unchecked: expect.stringContaining('nowhere'),
    });
    edit(study, 'pairs.jsonl', '"certainty":1', '"certainty":0.5');
    const { stale } = await stalenessOf(study);
    expect(stale.pair).toBe('pairs.jsonl was changed after it was made');
    expect(stale.attribute).toContain('it was not made from the pairs.jsonl beside it');
  });

  it('by stages that were made with another dictionary than a later one', async () => {
    const study = copy();
    rmSync(join(study, yaml));
    const path = join(study, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    manifest.stages.fidelity.inputs.sae.sha256 = 'another';
    put(path, manifest);
    expect((await stalenessOf(study)).stale).toEqual({
      attribute: 'it was made with another sae than stage fidelity',
      fidelity: 'it rests on stage attribute, which is of an earlier state too',
    });
  });
});

it('a stage does not use a file that was changed after its own stage made it, until it is accepted', async () => {
  const study = copy();
  edit(study, 'pairs.jsonl', '"certainty":1', '"certainty":0.5');
  await expect(runStudy({ study, stages: ['attribute'] })).rejects.toThrow(
    `${join(study, 'pairs.jsonl')}: was changed after stage pair: add --accept pair to use it as it is`,
  );
  await runStudy({ study, stages: ['attribute'], accept: ['pair'] });
});

describe('weights that are replaced while a stage is at work', () => {
  it('end it in one line, and nothing is recorded under their old hash', async () => {
    const sae = join(folder, 'sae-replaced');
    cpSync(tiny.sae, sae, { recursive: true });
    const study = putStudy(join(folder, 'replaced'), { ...tiny, sae });
    await runStudy({ study, stages: ['sample', 'grade', 'pair'] });
    const file = join(sae, 'sae_weights.safetensors');
    let replaced = false;
    const progress = {
      note: () => {},
      stage: (label: string) => ({
        advance() {
          if (replaced || label !== 'Pairs') return;
          replaced = true;
          const bytes = readFileSync(file);
          bytes[bytes.length - 2] = bytes[bytes.length - 2]! ^ 1;
          writeFileSync(file, bytes);
        },
        end() {},
      }),
    };
    await expect(runStudy({ study, stages: ['attribute'], progress })).rejects.toThrow(
      `${file}: was changed while the run was at work`,
    );
    expect(replaced).toBe(true);
    const { stages } = JSON.parse(readFileSync(join(study, 'manifest.json'), 'utf8'));
    expect(Object.keys(stages)).toEqual(['sample', 'grade', 'pair']);
    await runStudy({ study, stages: ['attribute'] });
  });
});
