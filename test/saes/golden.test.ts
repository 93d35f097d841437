/**
 * The graph against SAELens's own numbers on its eight saved variants, and the reference's for the real
 * dictionary.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import type { Sae } from '../../src/saes/sae.ts';
import { openSae } from '../../src/study/open/openSae.ts';
import { dataOf, toFloat32 } from '../../src/tensor.ts';
import { inShared, shared } from '../support/shared.ts';
import { unfold } from './oracle/oracle.ts';
import { runGraph } from './runGraph.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

/** Sixteen roundings of float32, relative to the largest value of an array: sums taken in another order. */
const tolerance = 16 * 2 ** -24;

async function tensorsIn(file: string) {
  const tensors = await openSafetensors(file);
  return (name: string) => readTensor(tensors.get(name)!);
}

function largest(values: Float32Array): number {
  return values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
}

function expectClose(got: Float32Array, wanted: Float32Array): void {
  expect(got.length).toBe(wanted.length);
  expect(largest(got.map((v, i) => v - wanted[i]!))).toBeLessThan(tolerance * largest(wanted));
}

const fixtures = {
  saelens_gated: 'gated',
  saelens_jumprelu: 'jumprelu',
  saelens_jumprelu_no_input_bias: 'jumprelu',
  saelens_standard: 'relu',
  saelens_standard_constant_norm_rescale: 'relu',
  saelens_standard_layer_norm: 'relu',
  saelens_topk: 'topk',
  saelens_topk_rescaled: 'topk',
};

describe.skipIf(!shared)('needs ../shared: SAELens fixtures', () => {
  it.each(Object.entries(fixtures))('%s', async (name, kind) => {
    const folder = inShared('fixtures/saes', name);
    const sae = await openSae(folder);
    const golden = await tensorsIn(join(folder, 'golden.safetensors'));
    const latents = toFloat32(await golden('latents'));
    const { z, reconstruction } = await runGraph(runtime, sae, toFloat32(await golden('x')));
    const own = await unfold(sae, z);
    expect(sae.kind.name).toBe(kind);
    expect([...own.map((a) => Number(a > 0))]).toEqual([...latents.map((a) => Number(a > 0))]);
    expectClose(own, latents);
    expectClose(reconstruction, toFloat32(await golden('reconstruction')));
  });
});

describe.skipIf(!shared)('needs ../shared: the real dictionary', () => {
  let sae: Sae;
  beforeAll(async () => {
    sae = await openSae(inShared('saes/smollm2-135m-resid15'));
  });

  it('says what it was trained on', () => {
    expect([sae.kind.name, sae.width, sae.latents]).toEqual(['topk', 576, 4096]);
    expect(sae.trainedOn).toEqual({
      model: 'HuggingFaceTB/SmolLM2-135M-Instruct',
      hook: 'blocks.15.hook_resid_post',
      site: { kind: 'resid_post', layer: 15 },
    });
  });

  it('encodes the first pair as the reference does', async () => {
    const golden = await tensorsIn(inShared('golden/attribution.safetensors'));
    const x = toFloat32(await golden('pair0.activation'));
    const wanted = new Float32Array((x.length / sae.width) * sae.latents);
    const values = toFloat32(await golden('pair0.latents'));
    const indices = dataOf(await golden('pair0.latent_indices'), 'i64');
    values.forEach((v, at) => {
      wanted[Number(indices[at]!) * sae.latents + Number(indices[values.length + at]!)] = v;
    });
    const own = await unfold(sae, (await runGraph(runtime, sae, x)).z);
    for (let start = 0; start < own.length; start += sae.latents) {
      const got = own.subarray(start, start + sae.latents);
      const row = wanted.subarray(start, start + sae.latents);
      const slack = tolerance * largest(row);
      // At the edge of the top k a value may be in one and not the other, within rounding of the least kept.
      const edge = Math.min(...got.filter((v) => v > 0)) + slack;
      const wrong = got.findIndex((v, i) => {
        const swapped = (v === 0) !== (row[i] === 0);
        return swapped ? Math.max(v, row[i]!) > edge : Math.abs(v - row[i]!) > slack;
      });
      expect(wrong, `latent at ${start}`).toBe(-1);
      expect(got.reduce((n, v) => n + (v > 0 ? 1 : 0), 0)).toBe(32);
    }
  });

  it('reads unit directions in chunks', async () => {
    const all = await sae.decoderRows(0, sae.latents);
    expect(await sae.decoderRows(1000, 1003)).toEqual(all.slice(1000 * sae.width, 1003 * sae.width));
    for (let i = 0; i < sae.latents; i++)
      expect(Math.hypot(...all.subarray(i * sae.width, (i + 1) * sae.width))).toBeCloseTo(1, 6);
  });
});
