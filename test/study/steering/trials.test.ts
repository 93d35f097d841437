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
import { addedVector, type SteeredTokens, type Steering } from '../../../src/methods/steering/steer.ts';
import type { Side, TrialPart, TrialRecord } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { groupDirection, type TestedDirection } from '../../../src/study/steering/direction.ts';
import type { SteeringTrial } from '../../../src/study/steering/trial.ts';
import { trialRunner } from '../../../src/study/steering/trials.ts';
import { JudgeStopped } from '../../../src/study/steering/trialVerdicts.ts';
import type { Grader, SteeringPrompt, SteeringWork } from '../../../src/study/steering/work.ts';
import { toFloat32 } from '../../../src/tensor.ts';
import { layer, putAll, type TinyFolder, width } from '../../support/tinyFolder.ts';
import {
  countingGrader,
  held,
  latentsAs,
  madeWork,
  memoryJournal,
  norm,
  openTiny,
  options,
  seedOf,
  signFor,
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

const latent = (of: number) => latentsAs('candidate', [of], opened.dictionary)[0]!;
const added = (of: number, dose: number, part: TrialPart): SteeringTrial => ({
  arm: { direction: latent(of), operation: 'add', dose },
  part,
});
const alone = (part: TrialPart): SteeringTrial => ({ arm: undefined, part });

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);

/** Ids of the trials that are whole. */
const trialsIn = ({ records }: SteeringWork['journal']) =>
  [...records.values()].flatMap(({ kind, id }) => (kind === 'trial' ? [id] : []));

const size = 6;
const asked = (): SteeringTrial[] => [
  alone('calibration'),
  added(3, -0.3, 'calibration'),
  added(3, -0.6, 'calibration'),
  added(7, -0.3, 'aside'),
  alone('aside'),
  added(3, -0.3, 'evaluation'),
];

describe('a trial', () => {
  const promptsOf: Record<SteeringTrial['part'], () => readonly SteeringPrompt[]> = {
    calibration: () => opened.prompts.calibration,
    // two fifths of five are kept aside
    evaluation: () => opened.prompts.evaluation.slice(0, 3),
    aside: () => opened.prompts.evaluation.slice(3),
  };

  /** α s σ d. */
  const adds = (of: number, dose: number, side: Side, tokens: SteeredTokens) => async () => {
    const amount = dose * signFor(of) * norm[side];
    return addedVector(
      Float32Array.from(await unitOf(of), (x) => amount * x),
      tokens,
    );
  };
  /** The projections on one latent or two held at those of `at`, by the two's cosine. */
  const holds = (of: readonly number[], at: Float32Array) => async (): Promise<Steering> => {
    const units = await Promise.all(of.map(unitOf));
    const cosine = units.length > 1 ? dot(units[0]!, units[1]!) : 0;
    const heldAt = units.map((direction, k) => {
      const other = units[1 - k];
      const dual = direction.map((x, i) => (x - cosine * (other?.[i] ?? 0)) / (1 - cosine ** 2));
      const value = dot(at, direction);
      return {
        direction: Float32Array.from(direction),
        dual: Float32Array.from(dual),
        low: value,
        high: value,
      };
    });
    return { add: new Float32Array(width), held: heldAt, tokens: 'all' };
  };
  const holding = (operation: 'remove' | 'patch', direction: () => TestedDirection) => () => ({
    arm: { direction: direction(), operation, dose: 0 },
    part: 'evaluation' as const,
  });

  it.each<[string, Side, () => SteeringTrial, (() => Promise<Steering>) | undefined, SteeredTokens]>([
    ['added', 'away', () => added(7, -0.3, 'calibration'), adds(7, -0.3, 'away', 'all'), 'all'],
    ['added, σ −1', 'toward', () => added(3, 0.6, 'aside'), adds(3, 0.6, 'toward', 'all'), 'all'],
    [
      'added to the completion',
      'toward',
      () => added(12, 0.3, 'evaluation'),
      adds(12, 0.3, 'toward', 'completion'),
      'completion',
    ],
    ['nothing', 'away', () => alone('evaluation'), undefined, 'all'],
    ['removed', 'away', holding('remove', () => latent(5)), holds([5], held.baseline), 'all'],
    ['patched', 'toward', holding('patch', () => latent(5)), holds([5], held.subject), 'all'],
    [
      'two removed',
      'away',
      holding('remove', () => groupDirection([latent(5), latent(7)])),
      holds([5, 7], held.baseline),
      'all',
    ],
  ])('%s, %s: is what the sampler gives alone', async (_name, side, trialOf, steering, tokens) => {
    const trial = trialOf();
    const [record] = await ran([trial], { options: { ...options, tokens } }, side);
    const { model, codec } = side === 'away' ? opened.subject : opened.reference;
    const own = await sampler(runtime, model, { rows: 3, capacity: 80, steerAt: layer, projections: 2 });
    const steer = await steering?.();
    const many = trial.part === 'calibration' ? 3 : 4;
    const expected = new Map<string, { text: string; tokens: number; stop: string }>();
    for (const prompt of promptsOf[trial.part]())
      for (let index = 0; index < many; index++)
        await own.sample(
          [{ prompt: prompt.ids, seeds: [seedOf(options.seed, prompt.id, index)], steer }],
          { temperature: 1, maxTokens: 6, endIds: codec.endOfTurnIds },
          (_job, _completion, { ids, stop }) => {
            const text = codec.tokenizer.decode(ids, { skipSpecialTokens: true });
            expected.set(`${prompt.id}/${index}`, { text, tokens: ids.length, stop });
          },
        );
    await own.release();
    expect(record!.completions.map(({ prompt_id, index }) => `${prompt_id}/${index}`)).toEqual([
      ...expected.keys(),
    ]);
    for (const { prompt_id, index, text, tokens: count, stop, label, coherent } of record!.completions) {
      expect({ text, tokens: count, stop }).toEqual(expected.get(`${prompt_id}/${index}`));
      expect({ label, coherent }).toEqual(verdictOn(text));
    }
    const { arm, part } = trial;
    expect(record).toMatchObject({
      side,
      direction: arm?.direction.name ?? null,
      latent: arm?.direction.latent ?? null,
      operation: arm?.operation ?? null,
      dose: arm?.dose ?? 0,
      part,
    });
    expect(record!.cost).toEqual({ calls: expected.size, price: 0 });
  });

  it('has the same seeds under every latent and left alone, and others for every completion', async () => {
    const [left, one, other, strong] = await ran([
      alone('aside'),
      added(3, 1e-9, 'aside'),
      added(7, -1e-9, 'aside'),
      added(7, -0.6, 'aside'),
    ]);
    // a dose of next to nothing says what is said without: only the seeds could tell them apart
    expect(one!.completions).toEqual(left!.completions);
    expect(other!.completions).toEqual(left!.completions);
    expect(strong!.completions).not.toEqual(left!.completions);
    const own = left!.completions.filter(({ prompt_id }) => prompt_id === 'eva3').map(({ text }) => text);
    expect(new Set(own).size).toBe(4);
  });

  it('has other completions under another seed', async () => {
    const trial: SteeringTrial = added(3, 0.3, 'aside');
    const [a] = await ran([trial]);
    const [b] = await ran([trial], { options: { ...options, seed: 12 } });
    expect(a!.completions.map(({ text }) => text)).not.toEqual(b!.completions.map(({ text }) => text));
  });

  it('ends at a stop text, which is no part of what is graded', async () => {
    const trial: SteeringTrial = added(3, 0.3, 'evaluation');
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
    const together = await ran(asked());
    const turned = (await ran(asked().toReversed())).toReversed();
    const single: TrialRecord[] = [];
    for (const trial of asked()) single.push(...(await ran([trial])));
    const narrow = await ran(asked(), { options: { ...options, rows: 2 } });
    expect(turned).toEqual(together);
    expect(single).toEqual(together);
    expect(narrow).toEqual(together);
    expect(new Set(together.map(({ id }) => id)).size).toBe(size);
  });
});

describe('the journal', () => {
  /** the model whole, and in two parts for prompts that trials share */
  const loadsOfSampler = 3;

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
    const first = await ran(asked(), { journal });
    const { told, spy } = spied();
    const { asked: graded, grade } = countingGrader();
    expect(await ran(asked(), { journal, runtime: spy, grade })).toEqual(first);
    expect(told.loads).toBe(0);
    expect(graded).toEqual([]);
    const more: SteeringTrial = added(9, -0.3, 'aside');
    await ran([...asked(), more], { journal, runtime: spy, grade });
    expect(told.loads).toBe(loadsOfSampler);
    expect(graded.map((ids) => ids.length)).toEqual([2 * 4]);
    expect(graded.flat().every((id) => id.startsWith('away/add/latent 9/-0.3/aside/'))).toBe(true);
  });

  it.each([
    ['a prompt of it changes', { prompt: true }, ['evaluation']],
    ['it has other counts of completions', { completions: 5 }, ['aside', 'evaluation']],
    ['s changes', { norm: 4.5 }, ['aside', 'calibration', 'evaluation']],
    [
      'other models are steered in another direction',
      { side: 'toward' },
      ['aside', 'calibration', 'evaluation'],
    ],
  ] as const)('makes a trial anew where %s', async (_name, change, parts) => {
    const journal = memoryJournal();
    const trials = (['calibration', 'aside', 'evaluation'] as const).map((part) => added(3, 0.3, part));
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
    expect(graded.map(([id]) => id!.split('/')[4]).sort()).toEqual([...parts]);
  });

  it('makes anew what is held where means are others, what is added where σ is, and nothing else', async () => {
    const journal = memoryJournal();
    const trials = (sign: 1 | -1): SteeringTrial[] => [
      { arm: { direction: { ...latent(7), sign }, operation: 'add', dose: 0.3 }, part: 'aside' },
      { arm: { direction: { ...latent(7), sign }, operation: 'remove', dose: 0 }, part: 'aside' },
      alone('aside'),
    ];
    await ran(trials(1), { journal });
    const again = async (sign: 1 | -1, over: Partial<SteeringWork>) => {
      const { asked: graded, grade } = countingGrader();
      await ran(trials(sign), { journal, grade, ...over });
      return graded.map(([id]) => id!.split('/')[1]);
    };
    expect(await again(1, {})).toEqual([]);
    expect(await again(1, { held: { ...held, hash: 'other' } })).toEqual(['remove']);
    expect(await again(-1, { held: { ...held, hash: 'other' } })).toEqual(['add']);
    const tokens = {
      held: { ...held, hash: 'other' },
      options: { ...options, heldTokens: 'prompt' as const },
    };
    expect(await again(-1, tokens)).toEqual(['remove']);
  });

  it('tells of a part without prompts that it has no completions', async () => {
    const { prompts } = opened;
    const { asked: graded, grade } = countingGrader();
    const [record] = await ran([added(3, 0.3, 'aside')], {
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

  it.each([0, 2, size - 1])(
    'stops after %d trials: what was done is kept, and is not done again',
    async (most) => {
      const journal = memoryJournal();
      const { grade, calls } = upTo(most, async () => ({ stopped: 'the budget is spent' }));
      const stopping = ran(asked(), { journal, grade });
      await expect(stopping).rejects.toThrow(JudgeStopped);
      await expect(stopping).rejects.toThrow('the budget is spent');
      expect(trialsIn(journal)).toHaveLength(most);
      expect(calls()).toBe(most + 1);
      const kept = new Set(trialsIn(journal));
      const { asked: graded, grade: again } = countingGrader();
      expect(await ran(asked(), { journal, grade: again })).toEqual(await ran(asked()));
      expect(graded).toHaveLength(size - most);
      for (const ids of graded) expect(kept.has(ids[0]!.split('/').slice(0, -2).join('/'))).toBe(false);
    },
  );

  it.each([0, size - 1])(
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
      await expect(runner.run(asked(), 'trials')).rejects.toBe(broken);
      expect(calls()).toBe(most + 1);
      expect(trialsIn(journal)).toHaveLength(most);
      failing.grade = countingGrader().grade;
      expect(await runner.run(asked(), 'trials')).toEqual(await ran(asked()));
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
    await expect(ran(asked(), { journal })).rejects.toThrow('the disk is full');
  });
});

it('a prompt that does not fit fails the run without leaving a trial half kept', async () => {
  const { prompts } = opened;
  const journal = memoryJournal();
  const wrong = { ...prompts.evaluation[1]!, ids: [] };
  const trials: SteeringTrial[] = [added(3, 0.3, 'calibration'), added(3, 0.3, 'evaluation')];
  await expect(
    ran(trials, { journal, prompts: { ...prompts, evaluation: [wrong, prompts.evaluation[0]!] } }),
  ).rejects.toThrow('the prompt has no tokens');
  for (const id of trialsIn(journal)) expect(id).toMatch(/\/calibration$/);
});
