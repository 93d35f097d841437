/** The SAE as a graph on ONNX Runtime against plain TypeScript, for every kind and normalisation. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { input } from '../../src/graph/build.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { saelens } from '../../src/saes/formats/saelens.ts';
import { activationsOn, contributionsOf } from '../../src/saes/graph.ts';
import type { Sae } from '../../src/saes/sae.ts';
import { tensor, toFloat32 } from '../../src/tensor.ts';
import { type Case, cases, kinds, makeFiles } from './made.ts';
import { decode, type Encoding, encode } from './oracle/oracle.ts';
import { runGraph } from './runGraph.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

/** float32: sums of at most 8 terms, of size up to tens. */
const close = (found: ArrayLike<number>, expected: ArrayLike<number>) => {
  expect(found.length).toBe(expected.length);
  Array.from(expected).forEach((x, i) => {
    expect(Math.abs(found[i]! - x)).toBeLessThanOrEqual(2e-5 * (1 + Math.abs(x)));
  });
};

async function check({ config, weights, x, T, N }: Case): Promise<void> {
  const sae = await saelens.open(makeFiles(config, weights));
  const encoding = await encode(sae, x);
  const { z, reconstruction, fired } = await runGraph(runtime, sae, x);
  close(z, encoding.z);
  close(reconstruction, await decode(sae, encoding));
  // of the graph's own z: one that float64 finds at 0 may be on by rounding
  const counted = Array.from({ length: N }, (_, i) =>
    Array.from({ length: T }, (_, t) => Number(z[t * N + i]! > 0)).reduce((a, b) => a + b),
  );
  expect([...fired]).toEqual(counted);
  await checkChosen(sae, x, z);
  await checkContributions(sae, x, encoding);
}

/** Some latents alone, in an order of their own: the same numbers as in the whole. */
async function checkChosen(sae: Sae, x: Float32Array, z: Float32Array): Promise<void> {
  const { width, latents: N } = sae;
  const latents = [N - 1, 0, Math.floor(N / 2)];
  const on = await activationsOn(input('x', ['tokens', width]), sae, latents);
  const session = await runtime.load({ outputs: { z: on.z } }, on.weights);
  const found = toFloat32((await session.run({ x: tensor('f32', [x.length / width, width], x) })).z!);
  await session.release();
  const rows = Array.from({ length: x.length / width }, (_, t) => latents.map((i) => z[t * N + i]!));
  close(found, rows.flat());
}

/** By their own columns where the kind allows it: z_i times the token's scale, as the oracle has both. */
async function checkContributions(sae: Sae, x: Float32Array, { z, scale }: Encoding): Promise<void> {
  const { width, latents: N } = sae;
  const latents = [N - 1, 0];
  const { contribution, weights } = (await contributionsOf(sae, latents))(input('x', ['tokens', width]));
  expect(weights.get('sae.W_enc')!.shape).toEqual([width, sae.kind.separate ? latents.length : N]);
  const session = await runtime.load({ outputs: { contribution } }, weights);
  const found = await session.run({ x: tensor('f32', [x.length / width, width], x) });
  await session.release();
  const rows = Array.from(scale, (s, t) => latents.map((i) => s * z[t * N + i]!));
  close(toFloat32(found.contribution!), rows.flat());
}

describe('the graph equals plain TypeScript', () => {
  it.each(kinds)('%s', async (kind) => {
    await fc.assert(fc.asyncProperty(cases(kind), check), { numRuns: 25 });
  });

  it('topk with decoder norms in its choice', async () => {
    const made = cases('topk', { rescale_acts_by_decoder_norm: true });
    await fc.assert(fc.asyncProperty(made, check), { numRuns: 25 });
  });

  it('constant_norm_rescale, rows of zeros too', async () => {
    const made = cases('standard', { normalize_activations: 'constant_norm_rescale' });
    await fc.assert(fc.asyncProperty(made, check), { numRuns: 25 });
  });
});

/** Away from 0, so that no latent turns on or off by rounding. */
it('layer_norm', async () => {
  await check({
    d: 3,
    N: 2,
    T: 2,
    config: { architecture: 'standard', d_in: 3, d_sae: 2, normalize_activations: 'layer_norm' },
    weights: {
      W_enc: { shape: [3, 2], values: [1, -1, 0.5, 0.5, -2, 1] },
      W_dec: { shape: [2, 3], values: [1, 2, 2, 0, 3, 4] },
      b_enc: { shape: [2], values: [2, 3] },
      b_dec: { shape: [3], values: [0.5, 0, -0.5] },
    },
    x: Float32Array.of(1, 2, 6, -3, 0, 5),
  });
});

it('of latents that are not there is refused', async () => {
  const weights = {
    W_enc: { shape: [1, 2], values: [1, -1] },
    W_dec: { shape: [2, 1], values: [1, 2] },
    b_enc: { shape: [2], values: [0, 0] },
    b_dec: { shape: [1], values: [0] },
  };
  const sae = await saelens.open(makeFiles({ architecture: 'standard', d_in: 1, d_sae: 2 }, weights));
  for (const latent of [2, -1, 0.5])
    await expect(activationsOn(input('x', ['tokens', 1]), sae, [latent])).rejects.toThrow(RangeError);
});
