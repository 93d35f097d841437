/**
 * Sums of activations, on a dictionary whose activations can be worked out, and against the plain encoder.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  completionActivations,
  type Encoder,
  loadEncoder,
  pooledFrequency,
  promptActivations,
} from '../../../src/methods/site/activations.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { saelens } from '../../../src/saes/formats/saelens.ts';
import { makeFiles } from '../../saes/made.ts';
import { encode } from '../../saes/oracle/oracle.ts';
import { expectClose } from '../../support/close.ts';
import { fakePass } from '../../support/fakePass.ts';
import { draw } from '../../support/opCases.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

/** Latents relu(x₀), relu(x₁ − 2) and relu(−x₁), the first with a decoder row of norm 2. */
const small = {
  W_enc: { shape: [2, 3], values: [1, 0, 0, 0, 1, -1] },
  W_dec: { shape: [3, 2], values: [2, 0, 0, 1, 0, -1] },
  b_enc: { shape: [3], values: [0, -2, 0] },
  b_dec: { shape: [2], values: [0, 0] },
};
const settings = { architecture: 'standard', d_in: 2, d_sae: 3, apply_b_dec_to_input: false };

/** A model whose residual at each token is (1, id); token 0 is a sink. */
const model = fakePass({ activation: ({ ids }, place) => (ids[place] ? [1, ids[place]!] : [900, 0]) });

describe('activations', () => {
  let encoder: Encoder;
  beforeAll(async () => {
    encoder = await loadEncoder(runtime, await saelens.open(makeFiles(settings, small)));
  });

  it('of completions: mean and frequency over their own tokens, each side pooled, sinks left out', async () => {
    const { positive, negative } = await completionActivations(model, encoder, [
      { id: 'a', prompt: [0, 9], positives: [[3, 4, 5], [1]], negatives: [[2]] },
      { id: 'b', prompt: [0, 9, 9], positives: [[0, 6]], negatives: [[1, 3], [7]] },
    ]);
    // tokens 3 4 5 1 6, and 2 1 3 7
    expect(positive).toEqual({
      mean: Float32Array.of(2, (1 + 2 + 3 + 4) / 5, 0),
      frequency: Float32Array.of(1, 4 / 5, 0),
      tokens: 5,
    });
    expect(negative).toEqual({
      mean: Float32Array.of(2, (1 + 5) / 4, 0),
      frequency: Float32Array.of(1, 2 / 4, 0),
      tokens: 4,
    });
  });

  it('a sink is one of its own sequence: another completion may keep the token', async () => {
    // norms: the prompt 6, completions of 100: beyond ten times the median behind short ones only
    const uneven = fakePass({ activation: ({ ids }, place) => [0, ids[place]!] });
    const { positive, negative } = await completionActivations(uneven, encoder, [
      { id: 'a', prompt: [6], positives: [[100, 100, 100]], negatives: [[100, 6]] },
    ]);
    expect(positive.tokens).toBe(3);
    expect(negative.tokens).toBe(1);
  });

  it('of prompts: over all their tokens alike', async () => {
    const found = await promptActivations(model, encoder, [
      [0, 3],
      [4, 1, 1, 2],
    ]);
    expect(found).toEqual({
      mean: Float32Array.of(2, 3 / 5, 0),
      frequency: Float32Array.of(1, Math.fround(2 / 5), 0),
      tokens: 5,
    });
  });

  it('frequencies of several sets count every token alike', async () => {
    const sets = [[[3, 3, 3]], [[1]]].map((prompts) => promptActivations(model, encoder, prompts));
    expect([...pooledFrequency(await Promise.all(sets))]).toEqual([1, 0.75, 0]);
  });

  it('need tokens, in whole rows', async () => {
    await expect(encoder.sums().means()).rejects.toThrow('no tokens');
    await expect(encoder.sums().add(new Float32Array(3))).rejects.toThrow(RangeError);
    await expect(promptActivations(model, encoder, [])).rejects.toThrow('no tokens');
    expect(() => pooledFrequency([])).toThrow('no token sets');
  });
});

it.each([
  ['in memory', undefined],
  ['by blocks of 7 latents', 4 * 6 * 7],
])('sums taken piece by piece equal those of the plain encoder, %s', async (_, held) => {
  const r = draw(9);
  const [d, N] = [6, 40];
  const values = (...shape: number[]) => ({
    shape,
    values: Array.from({ length: shape.reduce((a, b) => a * b) }, () => r.normal()),
  });
  const files = makeFiles(
    { architecture: 'topk', d_in: d, d_sae: N, k: 5 },
    { W_enc: values(d, N), W_dec: values(N, d), b_enc: values(N), b_dec: values(d) },
  );
  const sae = await saelens.open(files);
  const encoder = await loadEncoder(runtime, sae, held);
  const x = Float32Array.from({ length: 30 * d }, () => r.normal());
  const sums = encoder.sums();
  await sums.add(x.slice(0, 7 * d));
  await sums.add(new Float32Array(0));
  await sums.add(x.slice(7 * d));
  const { mean, frequency, tokens } = await sums.means();
  const { z } = await encode(sae, x);
  const column = (i: number) => Array.from({ length: 30 }, (_, t) => z[t * N + i]!);
  const all = Array.from({ length: N }, (_, i) => column(i));
  expect(tokens).toBe(30);
  expectClose(
    mean,
    all.map((c) => c.reduce((sum, v) => sum + v, 0) / 30),
    1e-6,
  );
  expectClose(
    frequency,
    all.map((c) => c.filter((v) => v > 0).length / 30),
    1e-6,
  );
  await encoder.release();
});
