/** Generation over a cache equals recomputing everything, and a completion does not depend on its companions. */
import { afterAll, describe, expect, it } from 'vitest';
import { type Completion, type SampleJob, type SampleOptions, sampler } from '../../src/methods/sample.ts';
import type { Model } from '../../src/models/decoder.ts';
import { logitsGraph, lossGraph, residualGraph } from '../../src/models/passes.ts';
import { sequence, treeFeeds } from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { referenceRuntime } from '../../src/runtime/reference.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { f32, i64, toFloat32 } from '../../src/tensor.ts';
import { draw } from '../support/opCases.ts';
import { randomIds, tinyModel } from '../support/tinyModel.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());
const tiny = tinyModel({ seed: 4 });
const { model } = tiny;
const d = draw(9);

/** Prompts of all lengths, several completions each. */
const jobs: SampleJob[] = [5, 1, 9, 2, 7].map((length, i) => ({
  prompt: randomIds(d, length, tiny),
  seeds: Array.from({ length: i === 3 ? 1 : 4 }, (_, k) => 100 * i + k),
}));
const options: SampleOptions = { maxTokens: 10, endIds: [2] };

async function all(
  given: readonly SampleJob[],
  over: Partial<SampleOptions> = {},
  { rows = 64, on = runtime as Runtime, steerAt }: { rows?: number; on?: Runtime; steerAt?: number } = {},
): Promise<Completion[][]> {
  const made = await sampler(on, model, {
    rows,
    capacity: 20,
    ...(steerAt === undefined ? {} : { steerAt }),
  });
  const found: Completion[][] = given.map(() => []);
  await made.sample(given, { ...options, ...over }, (job, i, sampled) => {
    expect(found[job]![i]).toBeUndefined();
    found[job]![i] = sampled;
  });
  await made.release();
  return found;
}

/** ln p of every next token after `ids`, recomputed without a cache; `steer` is added after block `at`. */
async function logProbabilities(
  on: Model,
  ids: readonly number[],
  steer?: { readonly at: number; readonly by: Float32Array },
): Promise<Float64Array> {
  const feeds = treeFeeds(sequence(ids));
  const rows = i64([1], [ids.length - 1]);
  let logits: Float32Array;
  if (steer) {
    const below = await runtime.load(residualGraph(on, [steer.at]), on.weights);
    const a = toFloat32((await below.run(feeds))[`resid_post.${steer.at}`]!);
    const resid = f32(
      [ids.length, steer.by.length],
      a.map((x, i) => x + steer.by[i % steer.by.length]!),
    );
    const above = await runtime.load(lossGraph(on, steer.at), on.weights);
    logits = toFloat32((await above.run({ ...feeds, resid, rows, targets: i64([1], [0]) })).logits!);
  } else {
    const session = await runtime.load(logitsGraph(on), on.weights);
    logits = toFloat32((await session.run({ ...feeds, rows })).logits!);
  }
  const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
  return Float64Array.from(logits, (x) => x - total);
}

/** float32 through three small blocks */
const digits = 4;

describe('sampler', () => {
  it('log-probabilities are those of recomputing, greedy tokens the likeliest', async () => {
    const found = await all(jobs, { temperature: 0 });
    for (const [j, { prompt }] of jobs.entries()) {
      const { ids, logProbabilities: logP, stop } = found[j]![0]!;
      expect(stop).toBe(ids.at(-1) === 2 ? 'end' : 'length');
      for (const [i, id] of ids.entries()) {
        const expected = await logProbabilities(model, [...prompt, ...ids.slice(0, i)]);
        expect(logP[i]).toBeCloseTo(expected[id]!, digits);
        expect(expected[id]).toBe(Math.max(...expected));
      }
    }
  });

  it.each([1, 0.7])('temperature %d: log-probabilities stay those of temperature 1', async (temperature) => {
    const found = await all(jobs.slice(0, 1), { temperature });
    for (const { ids, logProbabilities: logP } of found[0]!)
      for (const [i, id] of ids.entries()) {
        const expected = await logProbabilities(model, [...jobs[0]!.prompt, ...ids.slice(0, i)]);
        expect(logP[i]).toBeCloseTo(expected[id]!, digits);
      }
  });

  it('depends on prompt and seed only: alone, in small batches, in any order, bit for bit', async () => {
    const together = await all(jobs);
    expect(new Set(together.flat().map(({ ids }) => ids.join())).size).toBeGreaterThan(8);
    expect(await all(jobs, {}, { rows: 3 })).toEqual(together);
    expect(await all(jobs, {}, { rows: 1 })).toEqual(together);
    expect((await all(jobs.toReversed(), {}, { rows: 5 })).toReversed()).toEqual(together);
    const single = { prompt: jobs[2]!.prompt, seeds: [jobs[2]!.seeds[1]!] };
    expect((await all([single]))[0]![0]).toEqual(together[2]![1]);
  });

  it('gives the same tokens on the float64 reference', async () => {
    const small = jobs.slice(0, 2).map((job) => ({ ...job, seeds: job.seeds.slice(0, 2) }));
    const [fast, slow] = [await all(small), await all(small, {}, { on: referenceRuntime(), rows: 2 })];
    for (const [j, completions] of slow.entries())
      for (const [i, { ids, logProbabilities: logP, stop }] of completions.entries()) {
        expect(fast[j]![i]!.ids).toEqual(ids);
        expect(fast[j]![i]!.stop).toBe(stop);
        logP.forEach((x, t) => {
          expect(fast[j]![i]!.logProbabilities[t]).toBeCloseTo(x, digits);
        });
      }
  });

  it('stops where it is told to, and says why', async () => {
    const free = await all(jobs.slice(0, 1), { endIds: [] });
    expect(free[0]!.every(({ ids, stop }) => ids.length === 10 && stop === 'length')).toBe(true);
    const cut = await all(jobs.slice(0, 1), { endIds: [], stops: (ids) => ids.length === 3 });
    cut[0]!.forEach(({ ids, stop }, i) => {
      expect(stop).toBe('stop');
      expect(ids).toEqual(free[0]![i]!.ids.slice(0, 3));
    });
    const end = free[0]![0]!.ids[4]!;
    const ended = (await all(jobs.slice(0, 1), { endIds: [end] }))[0]![0]!;
    expect(ended.stop).toBe('end');
    expect(ended.ids).toEqual(free[0]![0]!.ids.slice(0, free[0]![0]!.ids.indexOf(end) + 1));
  });

  it('steers each row along its own vector, at every token', async () => {
    const vector = (size: number) => Float32Array.from({ length: 16 }, () => size * d.normal());
    const steered = jobs.slice(0, 3).map((job, i) => ({ ...job, ...(i > 0 && { steer: vector(i) }) }));
    const found = await all(steered, {}, { steerAt: 1, rows: 4 });
    const plain = await all(steered.slice(0, 1));
    plain[0]!.forEach(({ ids }, i) => {
      expect(found[0]![i]!.ids).toEqual(ids);
    });
    for (const [j, { prompt, steer }] of steered.entries())
      for (const { ids, logProbabilities: logP } of found[j]!.slice(0, 2))
        for (const [i, id] of ids.entries()) {
          const before = [...prompt, ...ids.slice(0, i)];
          const by = steer ?? new Float32Array(16);
          expect(logP[i]).toBeCloseTo((await logProbabilities(model, before, { at: 1, by }))[id]!, digits);
        }
  });

  it('refuses a prompt without tokens, one that does not fit, and a site that is not there', async () => {
    await expect(all([{ prompt: [], seeds: [1] }])).rejects.toThrow('job 0: the prompt has no tokens');
    await expect(all([{ prompt: Array(11).fill(1), seeds: [1] }])).rejects.toThrow(
      "job 0: 11 tokens of prompt and 10 of completion exceed the sampler's 20",
    );
    await expect(all([], {}, { steerAt: 3 })).rejects.toThrow('site resid_post 3: tiny has blocks 0 to 2');
    expect(await all([{ prompt: [1], seeds: [] }])).toEqual([[]]);
  });
});
