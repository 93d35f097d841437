/**
 * A latent subtracted while generating, a_t − z_i(a_t) d_i, against a float64 encoder written here and the model run
 * again without a cache, for every kind of dictionary.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { type Completion, type SampleJob, sampler } from '../../../src/methods/completions/sample.ts';
import { addedVector, latentSubtracted, type Steering } from '../../../src/methods/steering/steer.ts';
import { lossGraph, residualGraph } from '../../../src/models/passes.ts';
import { sequence, treeFeeds } from '../../../src/models/tree.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { saelens } from '../../../src/saes/formats/saelens.ts';
import { f32, i64, toFloat32 } from '../../../src/tensor.ts';
import { makeFiles } from '../../saes/made.ts';
import { draw } from '../../support/opCases.ts';
import { randomIds, tinyModel } from '../../support/tinyModel.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());
const tiny = tinyModel({ seed: 4 });
const { model } = tiny;
const layer = 1;
const [d, N, k] = [16, 10, 3];
const random = draw(31);
const values = (...shape: number[]) => ({
  shape,
  values: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.fround(0.5 * random.normal())),
});
const [wEnc, wDec, bEnc, bDec, mag] = [values(d, N), values(N, d), values(N), values(d), values(N)];
const threshold = { shape: [N], values: Array.from({ length: N }, (_, i) => 0.1 * i) };

const common = { W_enc: wEnc, W_dec: wDec, b_dec: bDec };
const kinds = {
  standard: { b_enc: bEnc },
  topk: { b_enc: bEnc },
  jumprelu: { b_enc: bEnc, threshold },
  gated: { b_gate: bEnc, b_mag: mag, r_mag: mag },
};
type Kind = keyof typeof kinds;

const opened = (kind: Kind) =>
  saelens.open(
    makeFiles(
      { architecture: kind, d_in: d, d_sae: N, apply_b_dec_to_input: true, ...(kind === 'topk' && { k }) },
      { ...common, ...kinds[kind] },
    ),
  );

/** z [N] of decoder rows as published, in float64. */
function activations(kind: Kind, a: ArrayLike<number>): number[] {
  const x = Array.from(a, (v, i) => v - bDec.values[i]!);
  const product = Array.from({ length: N }, (_, n) =>
    x.reduce((sum, v, i) => sum + v * wEnc.values[i * N + n]!, 0),
  );
  const pre = product.map((p, n) => p + bEnc.values[n]!);
  const least = [...pre].sort((p, q) => q - p)[k - 1]!;
  return pre.map((p, n) => {
    if (kind === 'gated')
      return p > 0 ? Math.max(0, product[n]! * Math.exp(mag.values[n]!) + mag.values[n]!) : 0;
    if (kind === 'jumprelu') return p > threshold.values[n]! ? Math.max(0, p) : 0;
    return kind === 'topk' && p < least ? 0 : Math.max(0, p);
  });
}

const decoderRow = (latent: number) => wDec.values.slice(latent * d, (latent + 1) * d);

/** The reconstruction's part of one latent, z_i times its row as published, is what z_i d_i is. */
function without(kind: Kind, latent: number, a: ArrayLike<number>): number[] {
  const z = activations(kind, a)[latent]!;
  const row = decoderRow(latent);
  return Array.from(a, (v, i) => v - z * row[i]!);
}

const norm = (a: ArrayLike<number>) => Math.hypot(...Array.from(a));

interface Changed {
  readonly logP: Float64Array;
  /** tokens that are not as the unsteered model has them */
  readonly changed: number[];
}

async function recomputed(
  ids: readonly number[],
  change: (a: Float32Array, t: number) => ArrayLike<number>,
): Promise<Changed> {
  const feeds = treeFeeds(sequence(ids));
  const below = await runtime.load(residualGraph(model, [layer]), model.weights);
  const a = toFloat32((await below.run(feeds))[`resid_post.${layer}`]!);
  const rows = ids.map((_, t) => a.subarray(t * d, (t + 1) * d));
  const after = rows.map((row, t) => Array.from(change(row, t)));
  const above = await runtime.load(lossGraph(model, layer), model.weights);
  const found = await above.run({
    ...feeds,
    resid: f32([ids.length, d], after.flat()),
    rows: i64([1], [ids.length - 1]),
    targets: i64([1], [0]),
  });
  await Promise.all([below.release(), above.release()]);
  const logits = toFloat32(found.logits!);
  const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
  const isChanged = (t: number) => after[t]!.some((x, i) => x !== rows[t]![i]);
  return {
    logP: Float64Array.from(logits, (x) => x - total),
    changed: [...ids.keys()].filter(isChanged),
  };
}

async function sampled(kind: Kind, jobs: readonly SampleJob[], latents: number[]): Promise<Completion[]> {
  const sae = await opened(kind);
  const made = await sampler(runtime, model, {
    rows: 4,
    capacity: 20,
    steerAt: layer,
    projections: 1,
    subtractable: { sae, latents },
  });
  const found: Completion[] = [];
  await made.sample(jobs, { maxTokens: 8, endIds: [] }, (job, _, one) => {
    found[job] = one;
  });
  await made.release();
  return found;
}

const subtracting = async (kind: Kind, latent: number, over: Partial<Steering> = {}): Promise<Steering> => {
  const sae = await opened(kind);
  return { ...latentSubtracted(latent, await sae.decoderRows(latent, latent + 1)), ...over };
};

const prompt = randomIds(random, 6, tiny);

describe('each latent is subtracted at every token, prompt and completion', () => {
  it.each(Object.keys(kinds) as Kind[])('%s', async (kind) => {
    const latents = [7, 2, 5, 0];
    const jobs = await Promise.all(
      latents.map(async (latent, i) => ({ prompt, seeds: [i], steer: await subtracting(kind, latent) })),
    );
    const alone = { prompt, seeds: [9] };
    const found = await sampled(kind, [...jobs, alone], latents);
    let active = 0;
    for (const [j, latent] of latents.entries()) {
      const { ids, logProbabilities } = found[j]!;
      for (const [i, id] of ids.entries()) {
        const before = [...prompt, ...ids.slice(0, i)];
        const { logP, changed } = await recomputed(before, (a) => without(kind, latent, a));
        expect(logProbabilities[i]).toBeCloseTo(logP[id]!, 4);
        active += changed.length;
      }
    }
    expect(active).toBeGreaterThan(0);
    const { ids, logProbabilities } = found.at(-1)!;
    const { logP } = await recomputed([...prompt, ...ids.slice(0, -1)], (a) => a);
    expect(logProbabilities.at(-1)).toBeCloseTo(logP[ids.at(-1)!]!, 4);
  });
});

it('attention sinks and tokens outside its set are left as they are', async () => {
  const latent = 7;
  const sizes: number[] = [];
  await recomputed(prompt, (a) => {
    sizes.push(norm(a));
    return a;
  });
  const sinkNorm = [...sizes].sort((a, b) => b - a)[1]! * 1.0001;
  const steer = await subtracting('standard', latent, { sinkNorm, tokens: 'prompt' });
  const [found] = await sampled('standard', [{ prompt, seeds: [3], steer }], [latent]);
  const { ids, logProbabilities } = found!;
  const spared = new Set<number>();
  for (const [i, id] of ids.entries()) {
    const { logP } = await recomputed([...prompt, ...ids.slice(0, i)], (a, t) => {
      if (t >= prompt.length) return a;
      if (norm(a) > sinkNorm) spared.add(t);
      return norm(a) > sinkNorm ? a : without('standard', latent, a);
    });
    expect(logProbabilities[i]).toBeCloseTo(logP[id]!, 4);
  }
  expect(spared.size).toBe(1);
});

it('a row that subtracts nothing is as in a sampler without an encoder, bit for bit', async () => {
  const steer = addedVector(Float32Array.from({ length: d }, () => random.normal()));
  const plain = await sampler(runtime, model, { rows: 4, capacity: 20, steerAt: layer, projections: 1 });
  let expected: Completion | undefined;
  await plain.sample([{ prompt, seeds: [5], steer }], { maxTokens: 8, endIds: [] }, (_, __, one) => {
    expected = one;
  });
  await plain.release();
  expect((await sampled('topk', [{ prompt, seeds: [5], steer }], [1]))[0]).toEqual(expected);
});

it('a latent that the sampler was not made for is refused', async () => {
  const steer = await subtracting('standard', 4);
  await expect(sampled('standard', [{ prompt, seeds: [1], steer }], [1])).rejects.toThrow(
    'steering subtracts latent 4, which the sampler was not made for',
  );
});
