/**
 * Generation over a cache equals recomputing everything, and a completion does not depend on its
 * companions.
 */
import { afterAll, describe, expect, it } from 'vitest';
import {
  type Completion,
  type SampledToken,
  type SampleJob,
  type SampleOptions,
  sampler,
} from '../../../src/methods/completions/sample.ts';
import {
  addedVector,
  combined,
  projectionsHeldAt,
  type Steering,
} from '../../../src/methods/steering/steer.ts';
import type { Model } from '../../../src/models/decoder.ts';
import { logitsGraph, lossGraph, residualGraph } from '../../../src/models/passes.ts';
import { sequence, treeFeeds } from '../../../src/models/tree.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { referenceRuntime } from '../../../src/runtime/reference.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { f32, i64, toFloat32 } from '../../../src/tensor.ts';
import { draw } from '../../support/opCases.ts';
import { slowResiduals } from '../../support/slowLlama.ts';
import { randomIds, tinyModel } from '../../support/tinyModel.ts';

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
  {
    rows = 64,
    on = runtime as Runtime,
    steerAt,
    projections,
    samePrompts,
  }: {
    rows?: number;
    on?: Runtime;
    steerAt?: number;
    projections?: number;
    samePrompts?: boolean;
  } = {},
): Promise<Completion[][]> {
  const made = await sampler(on, model, {
    rows,
    capacity: 20,
    ...(steerAt === undefined ? {} : { steerAt, projections, samePrompts }),
  });
  const found: Completion[][] = given.map(() => []);
  await made.sample(given, { ...options, ...over }, (job, i, sampled) => {
    expect(found[job]![i]).toBeUndefined();
    found[job]![i] = sampled;
  });
  await made.release();
  return found;
}

/**
 * ln p of every next token after `ids`, recomputed without a cache; row t of the residual after block `at`
 * is changed by `change`.
 */
async function logProbabilities(
  on: Model,
  ids: readonly number[],
  steer?: { readonly at: number; readonly change: (row: Float32Array, t: number) => Float32Array },
): Promise<Float64Array> {
  const feeds = treeFeeds(sequence(ids));
  const rows = i64([1], [ids.length - 1]);
  let logits: Float32Array;
  if (steer) {
    const below = await runtime.load(residualGraph(on, [steer.at]), on.weights);
    const a = toFloat32((await below.run(feeds))[`resid_post.${steer.at}`]!);
    const width = a.length / ids.length;
    const changed = ids.flatMap((_, t) => [...steer.change(a.subarray(t * width, (t + 1) * width), t)]);
    const resid = f32([ids.length, width], changed);
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

  it.each([0, 1, 0.7])(
    'at temperature %d tells of each token as it comes, with the likeliest, and draws the same',
    async (temperature) => {
      const told = jobs.map(({ seeds }) => seeds.map((): SampledToken[] => []));
      const watched = {
        temperature,
        alternatives: 5,
        onToken: (job: number, completion: number, token: SampledToken) =>
          void told[job]![completion]!.push(token),
      };
      const found = await all(jobs, watched);
      expect(found).toEqual(await all(jobs, { temperature }));
      expect(told.map((job) => job.map((tokens) => tokens.map(({ id }) => id)))).toEqual(
        found.map((job) => job.map(({ ids }) => ids)),
      );
      for (const [j, { prompt }] of jobs.entries()) {
        const { ids, logProbabilities: logP } = found[j]![0]!;
        for (const [i, { id, logProbability, top }] of told[j]![0]!.entries()) {
          expect(logProbability).toBe(logP[i]);
          const expected = await logProbabilities(model, [...prompt, ...ids.slice(0, i)]);
          const order = [...expected.keys()].sort((a, b) => expected[b]! - expected[a]!);
          expect(top.map((one) => one.id)).toEqual(order.slice(0, 5));
          for (const one of top) expect(one.logProbability).toBeCloseTo(expected[one.id]!, digits);
          if (temperature === 0) expect(top[0]).toEqual({ id, logProbability });
        }
      }
    },
  );

  it('ends within a token of being told to, and goes on as if nothing had been', async () => {
    const made = await sampler(runtime, model, { rows: 2, capacity: 20 });
    const stop = new AbortController();
    let tokens = 0;
    const run = async (over: Partial<SampleOptions>) => {
      const found: Completion[] = [];
      await made.sample(jobs.slice(0, 1), { ...options, ...over }, (_, i, one) => {
        found[i] = one;
      });
      return found;
    };
    const onToken = () => {
      if (++tokens === 3) stop.abort(new Error('enough'));
    };
    await expect(run({ onToken, signal: stop.signal })).rejects.toThrow('enough');
    // both rows have had their token when the call ends
    expect(tokens).toBe(4);
    expect([await run({})]).toEqual(await all(jobs.slice(0, 1)));
    await made.release();
  });

  const unit = () => {
    const x = Float32Array.from({ length: 16 }, () => d.normal());
    return x.map((v) => v / Math.hypot(...x));
  };
  const along = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    Array.from(x).reduce((sum, v, i) => sum + v * y[i]!, 0);
  const [first, second] = [unit(), unit()];
  const minus = (x: Float32Array, by: number, y: Float32Array) => x.map((v, i) => v - by * y[i]!);
  /** What each kind does, written out for itself. */
  const changes: Record<string, { steer?: Steering; expected: (a: Float32Array) => Float32Array }> = {
    nothing: { expected: (a) => a },
    add: {
      steer: combined([{ kind: 'add', direction: first, amount: 2 }]),
      expected: (a) => minus(a, -2, first),
    },
    'add two': {
      steer: combined([
        { kind: 'add', direction: first, amount: 2 },
        { kind: 'add', direction: second, amount: -3 },
      ]),
      expected: (a) => minus(minus(a, -2, first), 3, second),
    },
    set: {
      steer: combined([{ kind: 'set', direction: first, value: 1.5 }]),
      expected: (a) => minus(a, along(a, first) - 1.5, first),
    },
    cap: {
      steer: combined([{ kind: 'cap', direction: first, value: 0.1 }]),
      expected: (a) => minus(a, Math.max(0, along(a, first) - 0.1), first),
    },
    'set two at an angle, and add': {
      steer: combined([
        { kind: 'set', direction: first, value: 0.5 },
        { kind: 'set', direction: second, value: -0.25 },
        { kind: 'add', direction: first, amount: 1 },
      ]),
      // until both projections are met, one after the other again and again
      expected(a) {
        let x = a;
        for (let i = 0; i < 200; i++) {
          x = minus(x, along(x, first) - 0.5, first);
          x = minus(x, along(x, second) + 0.25, second);
        }
        return minus(x, -1, first);
      },
    },
  };

  it('changes each row in its own way: added, set, capped, several at once', async () => {
    const kinds = Object.values(changes);
    const given = kinds.map(({ steer }, i) => ({ ...jobs[i % 3]!, steer }));
    const found = await all(given, {}, { steerAt: 1, projections: 2, rows: 5 });
    expect(await all(given.slice(0, 1))).toEqual(found.slice(0, 1));
    for (const [j, { prompt }] of given.entries())
      for (const { ids, logProbabilities: logP } of found[j]!.slice(0, 2))
        for (const [i, id] of ids.entries()) {
          const before = [...prompt, ...ids.slice(0, i)];
          const expected = await logProbabilities(model, before, { at: 1, change: kinds[j]!.expected });
          expect(logP[i], Object.keys(changes)[j]).toBeCloseTo(expected[id]!, digits);
        }
    const alone = await all(given.slice(5, 6), {}, { steerAt: 1, projections: 2 });
    expect(alone[0]).toEqual(found[5]);
  });

  it.each([0, 1, 2])(
    'reads prompts that jobs share once below resid_post %i, to the same bits',
    async (steerAt) => {
      const steers = [undefined, changes.cap!.steer, changes['set two at an angle, and add']!.steer];
      const given = steers.flatMap((steer) => jobs.map((job) => ({ ...job, ...(steer && { steer }) })));
      const setting = { steerAt, projections: 2, rows: 5 };
      const runs: number[] = [];
      const counted: Runtime = {
        ...runtime,
        async loadCached(...args) {
          const [session, number] = [await runtime.loadCached(...args), runs.push(0) - 1];
          const run: typeof session.run = (...given) => {
            runs[number]!++;
            return session.run(...given);
          };
          return { ...session, run };
        },
      };
      const whole = await all(given, {}, setting);
      expect(await all(given, {}, { ...setting, on: counted, samePrompts: true })).toEqual(whole);
      expect(runs.slice(1)).toEqual(steerAt === 2 ? [] : [jobs.length, given.length]);
    },
  );

  const lengthOf = (a: ArrayLike<number>) => Math.hypot(...Array.from(a));
  const norms = slowResiduals(tiny, jobs[2]!.prompt)[1]!
    .map(lengthOf)
    .sort((a, b) => a - b);
  /** Half of the prompt's tokens exceed it. */
  const sinkNorm = (norms[norms.length >> 1]! + norms[(norms.length >> 1) - 1]!) / 2;
  const baseline = first.map((x, i) => 8 * x + second[i]!);
  const removal = (directions: readonly Float32Array[], norm?: number) =>
    projectionsHeldAt(directions, baseline, { sinkNorm: norm });
  /** How many rows were seen on either side of the norm. */
  const seen = { held: 0, left: 0 };
  const removedRow = (a: Float32Array) => {
    const isSink = lengthOf(a) > sinkNorm;
    seen[isSink ? 'left' : 'held']++;
    return isSink ? a : minus(a, along(a, first) - along(baseline, first), first);
  };

  it.each([runtime, referenceRuntime()])(
    'holds projections but at tokens whose norm exceeds that of sinks; what is added is added there too (%#)',
    async (on) => {
      const { prompt, seeds } = jobs[2]!;
      const [held, added] = [removal([first], sinkNorm), addedVector(second.map((x) => 2 * x))];
      const both = { ...held, add: added.add };
      const given = [held, both].map((steer) => ({ prompt, seeds: seeds.slice(0, 1), steer }));
      const found = await all(given, {}, { steerAt: 1, projections: 1, on, rows: 3 });
      for (const [j, completions] of found.entries())
        for (const { ids, logProbabilities: logP } of completions)
          for (const [i, id] of ids.entries()) {
            const change = (a: Float32Array) => (j === 0 ? removedRow(a) : minus(removedRow(a), -2, second));
            const before = [...prompt, ...ids.slice(0, i)];
            const expected = await logProbabilities(model, before, { at: 1, change });
            expect(logP[i]).toBeCloseTo(expected[id]!, digits);
          }
      expect(Math.min(seen.held, seen.left)).toBeGreaterThan(10);
    },
  );

  it('says greedily under a removal what recomputing says, token by token', async () => {
    for (const norm of [undefined, sinkNorm]) {
      const { prompt } = jobs[2]!;
      const [[found]] = (await all(
        [{ prompt, seeds: [1], steer: removal([first], norm) }],
        { temperature: 0 },
        { steerAt: 1, projections: 1 },
      )) as [[Completion]];
      const ids: number[] = [];
      while (ids.length < 10 && ids.at(-1) !== 2) {
        const change = (a: Float32Array) =>
          norm === undefined ? minus(a, along(a, first) - along(baseline, first), first) : removedRow(a);
        const logP = await logProbabilities(model, [...prompt, ...ids], { at: 1, change });
        ids.push(logP.indexOf(Math.max(...logP)));
      }
      expect(found.ids).toEqual(ids);
      const [[free]] = (await all([{ prompt, seeds: [1] }], { temperature: 0 })) as [[Completion]];
      expect(found.ids).not.toEqual(free.ids);
    }
  });

  it.each(['prompt', 'completion'] as const)('steers at the tokens of the %s alone', async (tokens) => {
    const steer = addedVector(
      first.map((x) => 4 * x),
      tokens,
    );
    const { prompt, seeds } = jobs[0]!;
    const found = await all([{ prompt, seeds: seeds.slice(0, 2), steer }], {}, { steerAt: 1 });
    const change = (a: Float32Array, t: number) =>
      t < prompt.length === (tokens === 'prompt') ? minus(a, -4, first) : a;
    for (const { ids, logProbabilities: logP } of found[0]!)
      for (const [i, id] of ids.entries()) {
        const expected = await logProbabilities(model, [...prompt, ...ids.slice(0, i)], { at: 1, change });
        expect(logP[i]).toBeCloseTo(expected[id]!, digits);
      }
  });

  it('refuses more held projections than it was made for, and directions that depend on one another', async () => {
    const { steer } = changes.set!;
    await expect(all([{ ...jobs[0]!, steer }], {}, { steerAt: 1 })).rejects.toThrow(
      'steering holds 1 projections, the sampler was made for 0',
    );
    const set = (direction: Float32Array) => ({ kind: 'set' as const, direction, value: 0 });
    expect(() => combined([set(first), set(first.map((x) => -x))])).toThrow('lies in the span of the others');
    expect(() => combined([])).toThrow('no interventions');
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
