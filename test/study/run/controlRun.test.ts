/** Controls of a study: what each breaks, what it leaves as it is, and how it is held against its study. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJsonlAll } from '../../../src/files/jsonl.ts';
import { openSafetensors, readTensor } from '../../../src/files/safetensors.ts';
import {
  completionRecord,
  controlsSchema,
  decodeLatents,
  decodeSteering,
  type GradeRecord,
  gradeRecord,
  isOfEarlierRun,
  steeredRecord,
  steeringSummarySchema,
} from '../../../src/results.ts';
import { readAttributionArrays } from '../../../src/study/attribution/attributionFiles.ts';
import type { ControlChoice } from '../../../src/study/config/control.ts';
import { openModel } from '../../../src/study/open/openModel.ts';
import { shuffledModel, shuffledModelFile } from '../../../src/study/open/shuffledModel.ts';
import { runControl } from '../../../src/study/run/controlRun.ts';
import { readStudy } from '../../../src/study/run/ownStudy.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { studyStatus } from '../../../src/study/run/studyStatus.ts';
import { readStudyManifest } from '../../../src/study/store/manifest.ts';
import type { Tensor } from '../../../src/tensor.ts';
import { putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { causalTestPrompts, putStudy, smallSteering } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-control-'));
let tiny: TinyFolder;
let study: string;

beforeAll(async () => {
  tiny = await putAll(folder);
  study = putStudy(join(folder, 'study'), tiny, { prompts: causalTestPrompts, steering: smallSteering });
  await runStudy({ study, cacheDir: tiny.cache });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (control: ControlChoice, of = study) => runControl({ study: of, control, cacheDir: tiny.cache });
const controlled = (name: string) => join(study, 'controls', name);
const gradesIn = (path: string) => readJsonlAll(join(path, 'grades.jsonl'), gradeRecord);
const bufferOf = (path: string) => Uint8Array.from(readFileSync(path)).buffer;
const latentsIn = (path: string) => decodeLatents(bufferOf(join(path, 'latents.parquet')));
const rowsIn = (path: string) => decodeSteering(bufferOf(join(path, 'steering.parquet')));
const summaryIn = (path: string) =>
  steeringSummarySchema.parse(JSON.parse(readFileSync(join(path, 'steering.json'), 'utf8')));

describe('shuffled labels', () => {
  const path = () => controlled('shuffle-labels-3');
  let before: Buffer;
  beforeAll(async () => {
    before = readFileSync(join(study, 'latents.parquet'));
    await run({ kind: 'shuffle-labels', seed: 3 });
  });

  it('lends labels among the coherent completions of a prompt, and changes nothing else', async () => {
    const [own, lent] = [await gradesIn(study), await gradesIn(path())];
    const completions = await readJsonlAll(join(study, 'completions.jsonl'), completionRecord);
    const prompts = new Map(completions.map(({ id, prompt_id }) => [id, prompt_id]));
    const sorted = (grades: readonly GradeRecord[]) =>
      grades
        .filter(({ coherent }) => coherent)
        .map(({ id, score, label }) => `${prompts.get(id)} ${score} ${label}`)
        .sort();
    expect(sorted(lent)).toEqual(sorted(own));
    expect(lent.some(({ label }, n) => label !== own[n]!.label)).toBe(true);
    lent.forEach((grade, n) => {
      const { id, content, coherence, coherent, cost } = own[n]!;
      expect(grade).toMatchObject({ id, content, coherence, coherent, cost });
      if (!coherent) expect(grade).toEqual(own[n]);
    });
    expect(readFileSync(join(path(), 'completions.jsonl'))).toEqual(
      readFileSync(join(study, 'completions.jsonl')),
    );
    expect(readFileSync(join(study, 'latents.parquet'))).toEqual(before);
  });

  it('lends labels to what is sampled in the causal test, whatever its text', async () => {
    const says = (text: string) => (/[A-Za-z]/.test(text) ? 'positive' : 'negative');
    const completionsIn = async (from: string) =>
      (await readJsonlAll(join(from, 'steered.jsonl'), steeredRecord)).flatMap((record) =>
        record.kind === 'trial' ? record.completions : [],
      );
    const [own, lent] = [await completionsIn(study), await completionsIn(path())];
    expect(own.every(({ text, label }) => label === says(text))).toBe(true);
    const wrong = lent.filter(({ text, label }) => label !== says(text)).length / lent.length;
    expect(wrong).toBeGreaterThan(0.05);
    const pool = new Set((await gradesIn(study)).map(({ score }) => score));
    expect(lent.every(({ score }) => pool.has(score))).toBe(true);
  });

  // that it gives the same bytes from nothing everyStageKill.test.ts holds, of two studies with such a control
  it('does nothing the second time', async () => {
    const again = await run({ kind: 'shuffle-labels', seed: 3 });
    expect(again.attribute!.upToDate && again.steer!.upToDate).toBe(true);
  });

  it('is a study like any other, without the stages that it takes from its study', async () => {
    const { stages } = await studyStatus({ study: path(), cacheDir: tiny.cache });
    expect(stages.map(({ name, finished }) => [name, finished])).toEqual([
      ['pair', true],
      ['attribute', true],
      ['steer', true],
    ]);
    expect((await readStudy(path())).config.prompts).toEqual((await readStudy(study)).config.prompts);
  });
});

describe('the subject as its own reference', () => {
  beforeAll(async () => {
    await run({ kind: 'self', seed: 1 });
  });

  it('finds no difference of models, and goes no part of the way to the other', async () => {
    const path = controlled('self');
    const { config } = await readStudy(path);
    expect(config.reference).toEqual(config.subject);
    const rows = await rowsIn(path);
    expect(rows.some(({ direction }) => direction === 'mean difference of models')).toBe(false);
    expect((await rowsIn(study)).some(({ direction }) => direction === 'mean difference of models')).toBe(
      true,
    );
    expect(rows.every(({ way }) => way === null)).toBe(true);
    const { alone, norm } = summaryIn(path);
    expect(alone.away).toEqual(alone.toward);
    expect(norm.away).toBe(norm.toward);
  });

  it('ranks as the study does', async () => {
    expect((await latentsIn(controlled('self'))).map(({ delta }) => delta)).toEqual(
      (await latentsIn(study)).map(({ delta }) => delta),
    );
  });
});

describe('a ranking by a random model', () => {
  const values = (tensor: Tensor) => Array.from(tensor.data as Iterable<number>);

  it('has every weight of the subject, in another order, and no adapter', async () => {
    const { model } = await openModel(tiny.model, { adapter: tiny.adapter, cacheDir: tiny.cache });
    const other = join(folder, 'shuffled');
    const kept = putStudy(other, tiny);
    const made = await shuffledModel(model, kept, 5);
    expect(made.updates.size).toBe(0);
    const original = await openSafetensors(tiny.model);
    expect([...made.weights.keys()].sort()).toEqual([...original.keys()].sort());
    let moved = 0;
    for (const [name, stored] of await openSafetensors(shuffledModelFile(kept))) {
      const [is, was] = [values(await readTensor(stored)), values(await readTensor(original.get(name)!))];
      expect(is.toSorted()).toEqual(was.toSorted());
      if (is.some((x, n) => x !== was[n])) moved++;
    }
    expect(moved).toBeGreaterThan(5);
  });

  it('ranks by it, holds projections where the study does, and leaves no copy of the weights', async () => {
    await run({ kind: 'random-model', seed: 2 });
    const path = controlled('random-model-2');
    const [own, other] = [await latentsIn(study), await latentsIn(path)];
    expect(other.map(({ latent }) => latent)).not.toEqual(own.map(({ latent }) => latent));
    expect(existsSync(shuffledModelFile(path))).toBe(false);
    const baselines = [await readAttributionArrays(study), await readAttributionArrays(path)];
    expect(baselines[0]!.baseline).not.toEqual(baselines[1]!.baseline);
    const [chosen] = [await readStudyManifest(path), await readStudyManifest(study)].map(
      (manifest) => manifest!.stages.pair!.outputs,
    );
    expect(chosen).toEqual((await readStudyManifest(study))!.stages.pair!.outputs);
    const alone = ({ alone: { away } }: ReturnType<typeof summaryIn>) => away;
    expect(alone(summaryIn(path))).toEqual(alone(summaryIn(study)));
  });
});

describe('controls.json', () => {
  it('has the study first, then its controls, with the numbers of their own files', async () => {
    const { runs } = controlsSchema.parse(JSON.parse(readFileSync(join(study, 'controls.json'), 'utf8')));
    expect(runs.map(({ control }) => control)).toEqual([null, 'random-model-2', 'self', 'shuffle-labels-3']);
    const [own, , self, shuffled] = runs;
    expect(self!.shared.latents).toBe(self!.shared.of);
    const counts = (await readStudyManifest(controlled('shuffle-labels-3')))!.stages.attribute!.counts;
    expect(shuffled).toMatchObject({
      pairs: counts.pairs,
      q_below_05: counts.q_below_05,
      first: { max_p: counts.first_max_p },
    });
    const rows = (await rowsIn(study)).filter(({ role }) => role === 'candidate');
    expect(own!.test!.candidates).toBe(new Set(rows.map(({ latent }) => latent)).size);
    expect(own!.test!.least_family_wise_p).toBe(Math.min(1, ...rows.map((row) => row.family_wise_p ?? 1)));
    const { stages } = (await readStudyManifest(study))!;
    expect(isOfEarlierRun(own!, stages)).toBe(false);
    expect(isOfEarlierRun(own!, { ...stages, steer: { key: 'another' } })).toBe(true);
  });
});

describe('what is refused', () => {
  it('a study without a ranking', async () => {
    const early = putStudy(join(folder, 'early'), tiny);
    await runStudy({ study: early, cacheDir: tiny.cache, stages: ['sample', 'grade'] });
    await expect(run({ kind: 'self', seed: 1 }, early)).rejects.toThrow(
      /early: expected a study whose stage pair is done, as a control is held against its ranking/,
    );
    expect(existsSync(join(early, 'controls'))).toBe(false);
  });

  it('a control of a control, and a kind that is none', async () => {
    await expect(run({ kind: 'self', seed: 1 }, controlled('self'))).rejects.toThrow(
      /expected a study, found a control of/,
    );
    const wrong = putStudy(join(folder, 'wrong'), tiny);
    writeFileSync(join(wrong, 'study.yaml'), 'control: { kind: nothing, of: ../study }\n');
    await expect(readStudy(wrong)).rejects.toThrow(
      /wrong\/study\.yaml: control\.kind: expected one of shuffle-labels, self, random-model/,
    );
  });
});
