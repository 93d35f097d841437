/** Training SAEs on rows made from known directions. */
import { afterAll, describe, expect, it } from 'vitest';
import { initialState } from '../../../src/graph/adam.ts';
import { RowStream } from '../../../src/methods/sae/rowStream.ts';
import { firstParameters, rowStatistics } from '../../../src/methods/sae/saeStart.ts';
import {
  type SaeCheckpoint,
  type SaeTrainOptions,
  type SaeTrainStep,
  saeTrainSettings,
  trainSae,
} from '../../../src/methods/sae/saeTraining.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { type Tensor, tensor, toFloat32 } from '../../../src/tensor.ts';
import { draw } from '../../support/opCases.ts';

const d = 12;
const known = 20;

function unitRows(count: number, seed: number): Float32Array[] {
  const r = draw(seed);
  return Array.from({ length: count }, () => {
    const row = Float32Array.from({ length: d }, () => r.normal());
    const norm = Math.hypot(...row);
    return row.map((x) => x / norm);
  });
}

const directions = unitRows(known, 1);
const centre = unitRows(1, 2)[0]!.map((x) => 30 * x);

/** Rows: a centre, and two known directions each of strength 10 to 20. */
function rows(count: number, seed: number): Float32Array {
  const r = draw(seed);
  const data = new Float32Array(count * d);
  for (let t = 0; t < count; t++) {
    data.set(centre, t * d);
    for (let n = 0; n < 2; n++) {
      const direction = directions[r.below(known)]!;
      const strength = 10 + r.below(1000) / 100;
      for (let j = 0; j < d; j++) data[t * d + j]! += strength * direction[j]!;
    }
  }
  return data;
}

const shards = [rows(900, 3), rows(700, 4)].map((data) => ({
  tokens: data.length / d,
  read: async () => data,
}));

const options: SaeTrainOptions = {
  latents: 32,
  k: 2,
  tokens: 128 * 400,
  batch: 128,
  rate: 0.02,
  seed: 5,
  deadAfter: 128 * 20,
};

const runtime = nodeRuntime();
afterAll(() => runtime.close());

async function trained(over: Partial<SaeTrainOptions> = {}, from?: SaeCheckpoint) {
  const steps: SaeTrainStep[] = [];
  const weights = await trainSae(
    runtime,
    shards,
    d,
    { ...options, ...over },
    { from, onStep: (step) => steps.push(step) },
  );
  return { steps, weights };
}

const row = (t: Tensor, i: number) => toFloat32(t).subarray(i * d, (i + 1) * d);
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, j) => sum + x * b[j]!, 0);
const meanOf = (steps: readonly SaeTrainStep[], f: (s: SaeTrainStep) => number) =>
  steps.reduce((sum, s) => sum + f(s), 0) / steps.length;

describe('trainSae', () => {
  it('topk: the loss falls, the known directions are found, decoder rows are unit vectors', async () => {
    const { steps, weights } = await trained();
    expect(steps).toHaveLength(400);
    expect(steps.map((s) => s.step)).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
    const last = steps.slice(-20);
    expect(meanOf(last, (s) => s.loss)).toBeLessThan(0.2 * meanOf(steps.slice(0, 5), (s) => s.loss));
    expect(meanOf(last, (s) => s.explained)).toBeGreaterThan(0.9);
    for (const { l0 } of steps) expect(l0).toBeLessThanOrEqual(2);
    for (let i = 0; i < 32; i++) expect(Math.hypot(...row(weights.W_dec, i))).toBeCloseTo(1, 5);
    const best = directions.map((u) =>
      Math.max(...Array.from({ length: 32 }, (_, i) => dot(u, row(weights.W_dec, i)))),
    );
    expect(best.filter((cosine) => cosine > 0.95).length).toBeGreaterThanOrEqual(15);
  });

  it('the weights are in the rows’ own units: they reconstruct unscaled rows', async () => {
    const { weights, steps } = await trained();
    const [W, b, bDec] = [weights.W_enc, weights.b_enc, weights.b_dec].map(toFloat32);
    const x = rows(200, 9);
    let [error, spread] = [0, 0];
    const { mean } = await rowStatistics(shards, d);
    for (let t = 0; t < 200; t++) {
      const at = x.subarray(t * d, (t + 1) * d);
      const pre = Array.from(b!, (bias, i) =>
        at.reduce((sum, v, j) => sum + (v - bDec![j]!) * W![j * 32 + i]!, bias),
      );
      const top = [...pre.keys()].sort((p, q) => pre[q]! - pre[p]!).slice(0, 2);
      const found = Array.from(at, (_, j) =>
        top.reduce((sum, i) => sum + Math.max(0, pre[i]!) * row(weights.W_dec, i)[j]!, bDec![j]!),
      );
      at.forEach((v, j) => {
        error += (v - found[j]!) ** 2;
        spread += (v - mean[j]!) ** 2;
      });
    }
    expect(1 - error / spread).toBeCloseTo(
      meanOf(steps.slice(-20), (s) => s.explained),
      1,
    );
  });

  it('the auxiliary loss brings dead latents back; without it they stay dead', async () => {
    const statistics = await rowStatistics(shards, d);
    const scale = Math.sqrt(d) / statistics.norm;
    const first = firstParameters('topk', 32, statistics, scale, 5);
    first.set(
      'encoderBias',
      tensor(
        'f32',
        [32],
        Float32Array.from({ length: 32 }, (_, i) => (i < 24 ? -1 : 0)),
      ),
    );
    const from = { step: 0, state: initialState(first), lastActive: new Int32Array(32).fill(-1000) };
    const dead = async (auxK: number) =>
      (await trained({ auxK, tokens: 128 * 300 }, from)).steps.at(-1)!.dead;
    const [without, revived] = [await dead(0), await dead(6)];
    expect(without).toBeGreaterThan(0.2);
    expect(revived).toBeLessThan(0.5 * without);
  });

  it('goes on from a checkpoint to the very same weights, dead latents and all', async () => {
    const saved: SaeCheckpoint[] = [];
    const once = { ...options, tokens: 128 * 100, deadAfter: 128 * 2 };
    const whole = await trainSae(runtime, shards, d, once, {
      saveNow: () => true,
      save: async ({ step, state, lastActive }) => {
        saved.push({ step, state: structuredClone(state), lastActive: lastActive.slice() });
      },
    });
    expect(saved.map(({ step }) => step)).toEqual([16, 32, 48, 64, 80, 96, 100]);
    for (const from of [saved[1]!, saved[4]!, saved[6]!]) {
      const again = await trainSae(runtime, shards, d, once, { from });
      for (const [name, t] of Object.entries(whole))
        expect(again[name as keyof typeof again], name).toEqual(t);
    }
  });

  it('another seed gives other weights', async () => {
    const few = { tokens: 128 * 3 };
    const [a, b, c] = [await trained(few), await trained(few), await trained({ ...few, seed: 6 })];
    expect(b.weights).toEqual(a.weights);
    expect(c.weights.W_dec).not.toEqual(a.weights.W_dec);
  });

  it('jumprelu: comes near the aimed L0, with a good reconstruction and thresholds of its own', async () => {
    const { steps, weights } = await trained({ kind: 'jumprelu', k: 3, tokens: 128 * 600 });
    const last = steps.slice(-50);
    expect(meanOf(last, (s) => s.l0)).toBeGreaterThan(2);
    expect(meanOf(last, (s) => s.l0)).toBeLessThan(4);
    expect(meanOf(last, (s) => s.explained)).toBeGreaterThan(0.8);
    expect(new Set(toFloat32(weights.threshold!)).size).toBeGreaterThan(10);
  });

  it('says what does not fit', () => {
    expect(() => saeTrainSettings({ ...options, k: 33 }, d)).toThrow('k 33: there are 32 latents');
    expect(() => saeTrainSettings({ ...options, tokens: 100 }, d)).toThrow('100 tokens: a step takes 128');
  });
});

describe('rowStatistics', () => {
  it('gives mean, norm and variance over all shards', async () => {
    const made = [
      { tokens: 1, read: async () => Float32Array.of(3, 4) },
      { tokens: 1, read: async () => Float32Array.of(1, 0) },
    ];
    const { mean, norm, variance } = await rowStatistics(made, 2);
    expect([...mean]).toEqual([2, 2]);
    expect(norm).toBe(3);
    expect(variance).toBe(5); // each row is (1, 2) off the mean
  });
  it('refuses rows without variance', async () => {
    await expect(rowStatistics([{ tokens: 2, read: async () => Float32Array.of(1, 1) }], 1)).rejects.toThrow(
      'the 2 activations to train on are all the same',
    );
  });
});

describe('RowStream', () => {
  const numbered = [5, 3, 4, 1].map((tokens, s) => ({
    tokens,
    read: async () => Float32Array.from({ length: tokens }, (_, i) => 10 * s + i),
  }));
  const all = [0, 1, 2, 3, 4, 10, 11, 12, 20, 21, 22, 23, 30];
  const ascending = (values: Iterable<number>) => [...values].sort((a, b) => a - b);

  it.each([1, 6, 100])(
    'every row once an epoch, in another order each time (groups of %i)',
    async (limit) => {
      const stream = new RowStream(numbered, 1, 7, limit);
      const epochs = [await stream.rows(0, 13), await stream.rows(13, 13), await stream.rows(26, 13)];
      for (const epoch of epochs) expect(ascending(epoch)).toEqual(all);
      expect(new Set(epochs.map((e) => e.join())).size).toBe(3);
    },
  );

  it.each([1, 6, 100])(
    'a position gives the same row however it is come to (groups of %i)',
    async (limit) => {
      const whole = await new RowStream(numbered, 1, 7, limit).rows(0, 60);
      for (const from of [0, 4, 12, 13, 33])
        expect([...(await new RowStream(numbered, 1, 7, limit).rows(from, 20))]).toEqual([
          ...whole.subarray(from, from + 20),
        ]);
    },
  );

  it('mixes the rows of different shards where they fit into memory', async () => {
    const epoch = await new RowStream(numbered, 1, 7).rows(0, 13);
    const changes = epoch.filter((x, i) => i > 0 && Math.floor(x / 10) !== Math.floor(epoch[i - 1]! / 10));
    expect(changes.length).toBeGreaterThan(4);
  });
});
