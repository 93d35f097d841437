/**
 * Trials on the tiny subject: each against the sampler alone, whatever else was sampled, and what is kept
 * where the judge stops or fails.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensorsHeader, readTensor } from '../../../src/files/safetensors.ts';
import { sampler } from '../../../src/methods/completions/sample.ts';
import { addedVector, type SteeredTokens } from '../../../src/methods/steering/steer.ts';
import type { Side, TrialRecord } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import type { SteeringTrial } from '../../../src/study/steering/trial.ts';
import { trialRunner } from '../../../src/study/steering/trials.ts';
import { JudgeStopped } from '../../../src/study/steering/trialVerdicts.ts';
import type { Grader, SteeringPrompt, SteeringWork } from '../../../src/study/steering/work.ts';
import { toFloat32 } from '../../../src/tensor.ts';
import { layer, putAll, type TinyFolder, width } from '../../support/tinyFolder.ts';
import {
  countingGrader,
  madeWork,
  memoryJournal,
  norm,
  openTiny,
  options,
  seedOf,
  verdictOn,
} from './madeWork.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-trials-'));
let runtime: Runtime;
let tiny: TinyFolder;
let opened: Awaited<ReturnType<typeof openTiny>>;
beforeAll(async () => {
  tiny = await putAll(folder);
  runtime = nodeRuntime({ threads: 1 });
  opened = await openTiny(tiny);
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

const work = (over: Partial<SteeringWork> = {}) => madeWork(runtime, opened, over);

async function ran(
  trials: readonly SteeringTrial[],
  over: Partial<SteeringWork> = {},
  side: Side = 'away',
): Promise<TrialRecord[]> {
  const runner = trialRunner(work(over), side);
  try {
    return await runner.run(trials, 'trials');
  } finally {
    await runner.release();
  }
}

/** d_i of the published file, made a unit vector here. */
async function unitOf(latent: number): Promise<Float64Array> {
  const path = join(tiny.sae, 'sae_weights.safetensors');
  const table = toFloat32(await readTensor((await readSafetensorsHeader(path)).tensors.get('W_dec')!));
  const row = Float64Array.from(table.subarray(latent * width, (latent + 1) * width));
  return row.map((x) => x / Math.hypot(...row));
}

/** Ids of the trials that are whole. */
const trialsIn = ({ records }: SteeringWork['journal']) =>
  [...records.values()].flatMap(({ kind, id }) => (kind === 'trial' ? [id] : []));

const asked: SteeringTrial[] = [
  { latent: undefined, dose: 0, part: 'calibration' },
  { latent: 3, dose: -0.3, part: 'calibration' },
  { latent: 3, dose: -0.6, part: 'calibration' },
  { latent: 7, dose: -0.3, part: 'first' },
  { latent: undefined, dose: 0, part: 'first' },
  { latent: 3, dose: -0.3, part: 'rest' },
];

describe('a trial', () => {
  const promptsOf: Record<SteeringTrial['part'], () => readonly SteeringPrompt[]> = {
    calibration: () => opened.prompts.calibration,
    // two fifths of five
    first: () => opened.prompts.evaluation.slice(0, 2),
    rest: () => opened.prompts.evaluation.slice(2),
  };

  it.each([
    ['away', 3, -0.3, 'calibration', 'all'],
    ['toward', 3, 0.6, 'first', 'all'],
    ['toward', 12, 0.3, 'rest', 'completion'],
    ['away', undefined, 0, 'rest', 'all'],
  ] as const)(
    '%s, latent %s at %d, is what the sampler gives alone',
    async (side, latent, dose, part, tokens) => {
      const [record] = await ran(
        [{ latent, dose, part }],
        { options: { ...options, tokens: tokens as SteeredTokens } },
        side,
      );
      const { model, codec } = side === 'away' ? opened.subject : opened.reference;
      const alone = await sampler(runtime, model, { rows: 3, capacity: 80, steerAt: layer });
      const unit = latent === undefined ? undefined : await unitOf(latent);
      const steer =
        unit &&
        addedVector(
          Float32Array.from(unit, (x) => dose * norm[side] * x),
          tokens as SteeredTokens,
        );
      const many = part === 'calibration' ? 3 : 4;
      const expected = new Map<string, { text: string; tokens: number; stop: string }>();
      for (const prompt of promptsOf[part]())
        for (let index = 0; index < many; index++)
          await alone.sample(
            [{ prompt: prompt.ids, seeds: [seedOf(options.seed, prompt.id, index)], steer }],
            { temperature: 1, maxTokens: 6, endIds: codec.endOfTurnIds },
            (_job, _completion, { ids, stop }) => {
              const text = codec.tokenizer.decode(ids, { skipSpecialTokens: true });
              expected.set(`${prompt.id}/${index}`, { text, tokens: ids.length, stop });
            },
          );
      await alone.release();
      expect(record!.completions.map(({ prompt_id, index }) => `${prompt_id}/${index}`)).toEqual([
        ...expected.keys(),
      ]);
      for (const { prompt_id, index, text, tokens: count, stop, label, coherent } of record!.completions) {
        expect({ text, tokens: count, stop }).toEqual(expected.get(`${prompt_id}/${index}`));
        expect({ label, coherent }).toEqual(verdictOn(text));
      }
      expect(record).toMatchObject({ side, latent: latent ?? null, dose, part });
      expect(record!.cost).toEqual({ calls: expected.size, price: 0 });
    },
  );

  it('has the same seeds under every latent and left alone, and others for every completion', async () => {
    const [alone, one, other, strong] = await ran([
      { latent: undefined, dose: 0, part: 'first' },
      { latent: 3, dose: 1e-9, part: 'first' },
      { latent: 7, dose: -1e-9, part: 'first' },
      { latent: 7, dose: -0.6, part: 'first' },
    ]);
    // a dose of next to nothing says what is said without: only the seeds could tell them apart
    expect(one!.completions).toEqual(alone!.completions);
    expect(other!.completions).toEqual(alone!.completions);
    expect(strong!.completions).not.toEqual(alone!.completions);
    const own = alone!.completions.filter(({ prompt_id }) => prompt_id === 'eva0').map(({ text }) => text);
    expect(new Set(own).size).toBe(4);
  });

  it('has other completions under another seed', async () => {
    const trial: SteeringTrial = { latent: 3, dose: 0.3, part: 'first' };
    const [a] = await ran([trial]);
    const [b] = await ran([trial], { options: { ...options, seed: 12 } });
    expect(a!.completions.map(({ text }) => text)).not.toEqual(b!.completions.map(({ text }) => text));
  });

  it('ends at a stop text, which is no part of what is graded', async () => {
    const trial: SteeringTrial = { latent: 3, dose: 0.3, part: 'rest' };
    const [free] = await ran([trial]);
    const letter = /[a-z]/.exec(free!.completions.map(({ text }) => text.slice(0, -1)).join(''))![0];
    const graded = countingGrader();
    const [cut] = await ran([trial], {
      grade: graded.grade,
      options: { ...options, stops: [letter], textOf: (text) => text.split(letter)[0]! },
    });
    const stopped = cut!.completions.filter(({ stop }) => stop === 'stop');
    expect(stopped.length).toBeGreaterThan(0);
    cut!.completions.forEach(({ text, stop, tokens }, n) => {
      const whole = free!.completions[n]!;
      expect(text).toBe(whole.text.split(letter)[0]);
      expect(stop === 'stop').toBe(whole.text.includes(letter));
      expect(tokens).toBeLessThanOrEqual(whole.tokens);
    });
  });
});

describe('what is sampled beside a trial', () => {
  it('changes nothing: one by one, all together, in another order, in other batches', async () => {
    const together = await ran(asked);
    const turned = (await ran(asked.toReversed())).toReversed();
    const single: TrialRecord[] = [];
    for (const trial of asked) single.push(...(await ran([trial])));
    const narrow = await ran(asked, { options: { ...options, rows: 2 } });
    expect(turned).toEqual(together);
    expect(single).toEqual(together);
    expect(narrow).toEqual(together);
    expect(new Set(together.map(({ id }) => id)).size).toBe(asked.length);
  });
});

describe('the journal', () => {
  /** A runtime that counts the models it loads to sample with. */
  function spied() {
    const told = { loads: 0 };
    const spy: Runtime = Object.create(runtime, {
      loadCached: {
        value: (...args: Parameters<Runtime['loadCached']>) => {
          told.loads++;
          return runtime.loadCached(...args);
        },
      },
    });
    return { told, spy };
  }

  it('keeps a trial from being sampled or graded again', async () => {
    const journal = memoryJournal();
    const first = await ran(asked, { journal });
    const { told, spy } = spied();
    const { asked: graded, grade } = countingGrader();
    expect(await ran(asked, { journal, runtime: spy, grade })).toEqual(first);
    expect(told.loads).toBe(0);
    expect(graded).toEqual([]);
    const more: SteeringTrial = { latent: 9, dose: -0.3, part: 'first' };
    await ran([...asked, more], { journal, runtime: spy, grade });
    expect(told.loads).toBe(1);
    expect(graded.map((ids) => ids.length)).toEqual([2 * 4]);
    expect(graded.flat().every((id) => id.startsWith('away/9/-0.3/first/'))).toBe(true);
  });

  it.each([
    ['a prompt of it changes', { prompt: true }, ['first']],
    ['it has other counts of completions', { completions: 5 }, ['first', 'rest']],
    ['s changes', { norm: 4.5 }, ['calibration', 'first', 'rest']],
    ['other models are steered in another direction', { side: 'toward' }, ['calibration', 'first', 'rest']],
  ] as const)('makes a trial anew where %s', async (_name, change, parts) => {
    const journal = memoryJournal();
    const trials = (['calibration', 'first', 'rest'] as const).map((part) => ({
      latent: 3,
      dose: 0.3,
      part,
    }));
    await ran(trials, { journal });
    const { asked: graded, grade } = countingGrader();
    const { prompts, subject } = opened;
    const text = 'What else?';
    const [head, ...tail] = prompts.evaluation;
    await ran(
      trials,
      {
        journal,
        grade,
        ...('prompt' in change && {
          prompts: {
            ...prompts,
            evaluation: [{ ...head!, prompt: text, ids: subject.codec.encodePrompt(text) }, ...tail],
          },
        }),
        ...('completions' in change && { options: { ...options, completions: change.completions } }),
        ...('norm' in change && {
          sides: { ...work().sides, away: { opened: subject, norm: change.norm } },
        }),
      },
      'side' in change ? change.side : 'away',
    );
    expect(graded.map(([id]) => id!.split('/')[3]).sort()).toEqual([...parts]);
  });

  it('tells of a part without prompts that it has no completions', async () => {
    const { prompts } = opened;
    const { asked: graded, grade } = countingGrader();
    const [record] = await ran([{ latent: 3, dose: 0.3, part: 'rest' }], {
      prompts: { ...prompts, evaluation: prompts.evaluation.slice(0, 1) },
      grade,
    });
    expect(record!.completions).toEqual([]);
    expect(graded).toEqual([]);
  });
});

describe('a judge that', () => {
  /** Grades `most` trials, then does otherwise. */
  function upTo(most: number, otherwise: () => ReturnType<Grader>) {
    const counted = countingGrader();
    let calls = 0;
    const grade: Grader = (...given) => (calls++ < most ? counted.grade(...given) : otherwise());
    return { grade, calls: () => calls };
  }

  it.each([0, 2, asked.length - 1])(
    'stops after %d trials: what was done is kept, and is not done again',
    async (most) => {
      const journal = memoryJournal();
      const { grade, calls } = upTo(most, async () => ({ stopped: 'the budget is spent' }));
      const stopping = ran(asked, { journal, grade });
      await expect(stopping).rejects.toThrow(JudgeStopped);
      await expect(stopping).rejects.toThrow('the budget is spent');
      expect(trialsIn(journal)).toHaveLength(most);
      expect(calls()).toBe(most + 1);
      const kept = new Set(trialsIn(journal));
      const { asked: graded, grade: again } = countingGrader();
      expect(await ran(asked, { journal, grade: again })).toEqual(await ran(asked));
      expect(graded).toHaveLength(asked.length - most);
      for (const ids of graded) expect(kept.has(ids[0]!.split('/').slice(0, 4).join('/'))).toBe(false);
    },
  );

  it.each([0, asked.length - 1])(
    'fails after %d trials: its error reaches the caller, it is not asked again, and the runner can be used on',
    async (most) => {
      const journal = memoryJournal();
      const broken = new Error('the server stays away');
      const { grade, calls } = upTo(most, async () => {
        // later than the sampler needs for the rest
        await new Promise((resolve) => setTimeout(resolve, 50));
        throw broken;
      });
      const failing: { grade: Grader } = { grade };
      const runner = trialRunner(work({ journal, grade: (...given) => failing.grade(...given) }), 'away');
      await expect(runner.run(asked, 'trials')).rejects.toBe(broken);
      expect(calls()).toBe(most + 1);
      expect(trialsIn(journal)).toHaveLength(most);
      failing.grade = countingGrader().grade;
      expect(await runner.run(asked, 'trials')).toEqual(await ran(asked));
      await runner.release();
    },
  );

  it('fails at once where the journal does', async () => {
    const journal = {
      ...memoryJournal(),
      append: async () => {
        throw new Error('the disk is full');
      },
    };
    await expect(ran(asked, { journal })).rejects.toThrow('the disk is full');
  });
});

it('a prompt that does not fit fails the run without leaving a trial half kept', async () => {
  const { prompts } = opened;
  const journal = memoryJournal();
  const wrong = { ...prompts.evaluation[1]!, ids: [] };
  const trials: SteeringTrial[] = [
    { latent: 3, dose: 0.3, part: 'calibration' },
    { latent: 3, dose: 0.3, part: 'rest' },
  ];
  await expect(
    ran(trials, { journal, prompts: { ...prompts, evaluation: [prompts.evaluation[0]!, wrong] } }),
  ).rejects.toThrow('the prompt has no tokens');
  for (const id of trialsIn(journal)) expect(id).toMatch(/\/calibration$/);
});
