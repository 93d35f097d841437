/**
 * A dictionary gone through block by block against the whole of it, for every kind: exactly, as the values of the
 * cases are such that every sum is.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { latentScan } from '../../src/methods/interpretation/latentScan.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { openEncoder, openLatents } from '../../src/saes/encoder.ts';
import { saelens } from '../../src/saes/formats/saelens.ts';
import { expectClose } from '../support/close.ts';
import { draw } from '../support/opCases.ts';
import { randomIds, tinyModel } from '../support/tinyModel.ts';
import { type Case, cases, kinds, makeFiles } from './made.ts';
import { runBlocks, runGraph } from './runGraph.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

async function check({ config, weights, x, d, N, T }: Case): Promise<void> {
  const sae = await saelens.open(makeFiles(config, weights));
  const whole = await runGraph(runtime, sae, x);
  for (const held of [1, 4 * d, 8 * d]) {
    const { z, fired, total, reconstruction } = await runBlocks(runtime, sae, x, held);
    expectClose(z, whole.z, 1e-5);
    // the same latents, of equal pre-activations too
    expect(z.map(Math.sign)).toEqual(whole.z.map(Math.sign));
    expect(fired).toEqual(whole.fired);
    expectClose(reconstruction, whole.reconstruction, 1e-4);
    const sums = Float64Array.from({ length: N }, (_, i) =>
      whole.z.reduce((s, v, at) => (at % N === i ? s + v : s), 0),
    );
    expectClose(total, sums, 1e-4);
  }
  const latents = [N - 1, 0, N - 1];
  const some = await openLatents(runtime, sae, latents, 1);
  const own = await some.encode(x);
  await some.release();
  const wanted = Array.from({ length: T }, (_, t) => latents.map((i) => whole.z[t * N + i]!)).flat();
  expectClose(own, wanted, 1e-5);
}

describe('by blocks as whole', () => {
  it.each(kinds)('%s', async (kind) => {
    await fc.assert(fc.asyncProperty(cases(kind), check), { numRuns: 15 });
  });

  it.each([
    ['topk', { rescale_acts_by_decoder_norm: true }],
    ['standard', { normalize_activations: 'constant_norm_rescale' }],
    ['topk', { normalize_activations: 'constant_norm_rescale' }],
  ] as const)('%s with %o', async (kind, settings) => {
    await fc.assert(fc.asyncProperty(cases(kind, settings), check), { numRuns: 15 });
  });
});

const [d, N] = [16, 40];
const r = draw(4);
const values = (...shape: number[]) => ({
  shape,
  values: Array.from({ length: shape.reduce((a, b) => a * b) }, () => r.normal()),
});
const topk = () =>
  saelens.open(
    makeFiles(
      { architecture: 'topk', d_in: d, d_sae: N, k: 4 },
      { W_enc: values(d, N), W_dec: values(N, d), b_enc: values(N), b_dec: values(d) },
    ),
  );

it('rows count their weights in sums, and in nothing else', async () => {
  const sae = await topk();
  const x = Float32Array.from({ length: 3 * d }, () => r.normal());
  const weights = Float32Array.of(0.5, -2, 0);
  for (const held of [1e6, 4 * d * 7]) {
    const encoder = await openEncoder(runtime, sae, { latents: [...Array(N).keys()], held });
    expect(encoder.rowsAtOnce).toBe(held === 1e6 ? 1 : 2 ** 23 / d);
    const [plain, weighted] = [await encoder.encode(x), await encoder.encode(x, weights)];
    expect(weighted.z).toEqual(plain.z);
    expect(weighted.fired).toEqual(plain.fired);
    const sums = Array.from({ length: N }, (_, i) => 0.5 * plain.z[i]! - 2 * plain.z[N + i]!);
    expectClose(weighted.total, sums, 1e-6);
    await expect(encoder.encode(x.subarray(1))).rejects.toThrow(RangeError);
    await encoder.release();
  }
});

it('a scan of texts together is that of each by itself', async () => {
  const tiny = tinyModel();
  const sae = await topk();
  const texts = [9, 1, 14].map((count) => randomIds(r, count, tiny));
  const latents = [39, 0, 7];
  const [whole, byBlocks] = [
    await latentScan(runtime, tiny.model, 1, sae, latents),
    await latentScan(runtime, tiny.model, 1, sae, latents, 4 * d * 7),
  ];
  expect([whole.tokensAtOnce, byBlocks.tokensAtOnce]).toEqual([1, 2 ** 23 / d]);
  const found = await byBlocks.runAll(texts);
  for (const [i, ids] of texts.entries()) {
    const { z, sinks } = await whole.run(ids);
    expect(found[i]!.sinks).toBe(sinks);
    expectClose(found[i]!.z, z, 1e-5);
  }
  await whole.release();
  await byBlocks.release();
});
