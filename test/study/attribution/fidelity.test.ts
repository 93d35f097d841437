/** The stage that checks the ranking, on a small study: its file, when it is made again, and how it resumes. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors, readTensor } from '../../../src/files/safetensors.ts';
import { exactEffects } from '../../../src/methods/attribution/exact.ts';
import { estimateAgreement } from '../../../src/methods/attribution/fidelity.ts';
import { forcedPass } from '../../../src/methods/steering/forced.ts';
import { type FidelityRecord, fidelitySchema } from '../../../src/results.ts';
import type { Progress } from '../../../src/study/open/progress.ts';
import { estimateStudy } from '../../../src/study/run/studyEstimate.ts';
import { openFor, runStudy } from '../../../src/study/run/studyRun.ts';
import { studyStatus } from '../../../src/study/run/studyStatus.ts';
import { toFloat32 } from '../../../src/tensor.ts';
import { putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { putStudy, type StudyOver } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-fidelity-'));
const prompts = { file: 'prompts.jsonl', discovery: 8, evaluation: 0 };
const fidelity = { latents: 6, pairs: 3, integrated: 2, integrated_pairs: 2, steps: 40 };
let tiny: TinyFolder;
let study: string;
const put = (over: StudyOver = {}) => putStudy(study, tiny, { prompts, fidelity, ...over });
const run = (progress?: Progress) => runStudy({ study, cacheDir: tiny.cache, progress });
const text = () => readFileSync(join(study, 'fidelity.json'), 'utf8');
const read = (): FidelityRecord => fidelitySchema.parse(JSON.parse(text()));

beforeAll(async () => {
  tiny = await putAll(folder);
  study = join(folder, 'study');
  put();
  await run();
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('fidelity.json', () => {
  it('has the first latents and as many random ones, none twice', () => {
    const { latents, top, random, pairs, steps, integrated_pairs } = read();
    expect(latents.map(({ group }) => group)).toEqual([...Array(6).fill('top'), ...Array(6).fill('random')]);
    expect(latents.slice(0, 6).map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new Set(latents.map(({ latent }) => latent)).size).toBe(12);
    expect([top.latents, random.latents, pairs, steps, integrated_pairs]).toEqual([6, 6, 3, 40, 2]);
    expect(latents.filter(({ integrated }) => integrated !== null)).toHaveLength(4);
  });

  it('holds what removal does, and the agreement of the rest with it', async () => {
    const record = read();
    const opened = await openFor({ study, cacheDir: tiny.cache });
    const { model } = await opened.model(opened.config.subject);
    const { sae, layer } = await opened.dictionary();
    const arrays = await openSafetensors(join(study, 'attribution.safetensors'));
    const baseline = toFloat32(await readTensor(arrays.get('baseline')!));
    const all = await opened.contrasts();
    const chosen = [0, 1, 2].map((i) => all[Math.floor((i * all.length) / 3)]!);
    const pass = await forcedPass(opened.runtime(), model, layer);
    const numbers = record.latents.map(({ latent }) => latent);
    const { contrast } = await exactEffects(pass, chosen, sae, numbers, { baseline });
    await opened.close();
    for (const [k, { exact, first_order, delta }] of record.latents.entries()) {
      expect(exact).toBeCloseTo(contrast[k]!, 6);
      expect(Math.sign(first_order)).not.toBeNaN();
      expect(delta).not.toBeNaN();
    }
    for (const group of ['top', 'random'] as const) {
      const own = record.latents.filter((one) => one.group === group);
      const agreement = estimateAgreement(
        own.map((one) => one.first_order),
        own.map((one) => one.exact),
      );
      expect(record[group].first_order).toEqual(agreement);
      expect(record[group].integrated!.slope).toBeCloseTo(1, 2);
      expect(record[group].faults).toBe(own.filter(({ fault }) => fault !== null).length);
    }
  });
});

describe('the stage', () => {
  it('is not done again, and stands in status and dry run', async () => {
    expect((await run()).fidelity).toMatchObject({ upToDate: true, fidelity: read() });
    const { stages } = await studyStatus({ study, cacheDir: tiny.cache });
    expect(stages.map(({ name, finished }) => [name, finished])).toContainEqual(['fidelity', true]);
  });

  it('goes on where it was stopped, to the same bytes', async () => {
    const whole = text();
    const stopAt = (label: string, most: number): Progress => ({
      stage: (name) => {
        let done = 0;
        return {
          advance() {
            if (name === label && ++done >= most) throw new Error('killed');
          },
          end() {},
        };
      },
      note() {},
    });
    const redo = { study, cacheDir: tiny.cache, redo: ['fidelity'] };
    await expect(runStudy({ ...redo, progress: stopAt('Removed latents', 5) })).rejects.toThrow('killed');
    expect(existsSync(join(study, 'fidelity.json'))).toBe(false);
    const begun = (await studyStatus({ study, cacheDir: tiny.cache })).stages.at(-1)!;
    expect(begun).toMatchObject({ name: 'fidelity', done: 5, left: 7 });
    const { lines } = await estimateStudy({ study, cacheDir: tiny.cache });
    expect(lines.at(-1)).toMatchObject({ stage: 'fidelity', note: '12 latents removed on at most 3 pairs' });
    let left = 0;
    const counting: Progress = {
      stage: (_, units, done = 0) => {
        left = units - done;
        return { advance() {}, end() {} };
      },
      note() {},
    };
    await run(counting);
    expect(left).toBe(7);
    expect(text()).toBe(whole);
  });

  it('measures anew with other settings, and attributes no second time', async () => {
    put({ fidelity: { ...fidelity, integrated: 0, latents: 3 } });
    const result = await run();
    expect(result.attribute!.upToDate).toBe(true);
    expect(read()).toMatchObject({ steps: 0, integrated_pairs: 0, top: { latents: 3, integrated: null } });
  });

  it('follows a ranking by removal, whose first rows are in the order of it', async () => {
    const attribution = { rank: 'exact', rank_pairs: 3 };
    put({ attribution, steering: { candidates: 2 } });
    const { attribute } = await run();
    const { latents } = attribute!;
    const exact = latents.map((row) => row.exact!);
    expect(exact.filter((x) => !Number.isNaN(x))).toEqual(exact.slice(0, 8));
    expect(exact.slice(0, 8)).toEqual(exact.slice(0, 8).sort((a, b) => b - a));
    expect(latents.map(({ rank }) => rank)).toEqual(latents.map((_, i) => i + 1));
    put();
    expect((await run()).attribute!.latents[0]!.exact).toBeUndefined();
  });

  it('is left out where study.yaml asks for no latents', async () => {
    put({ fidelity: { latents: 0 } });
    const { skipped, fidelity } = await run();
    expect([skipped.fidelity, fidelity]).toEqual(['fidelity.latents is 0', undefined]);
    put({ fidelity: { latents: -1 } });
    await expect(run()).rejects.toThrow(/fidelity\.latents: expected a whole number of at least 0, found -1/);
  });
});
