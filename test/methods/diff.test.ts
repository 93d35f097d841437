import { describe, expect, it } from 'vitest';
import { deltaActivation } from '../../src/methods/diff.ts';
import type { Tree } from '../../src/models/tree.ts';
import type { Encoding, Sae } from '../../src/saes/sae.ts';

/** A dictionary of width 2 whose latents are relu(x₀), relu(x₁) and relu(−x₁). */
const sae: Sae = {
  kind: 'relu',
  width: 2,
  latents: 3,
  where: 'made',
  trainedOn: { model: undefined, hook: undefined, site: undefined },
  async encode(x): Promise<Encoding> {
    const tokens = x.length / 2;
    const z = Float32Array.from({ length: tokens * 3 }, (_, at) => {
      const t = Math.floor(at / 3);
      return Math.max(0, [x[2 * t]!, x[2 * t + 1]!, -x[2 * t + 1]!][at % 3]!);
    });
    return { tokens, z, scale: new Float32Array(tokens).fill(1), shift: new Float32Array(tokens) };
  },
  unfold: async (z) => z,
  decode: async () => new Float32Array(),
  decoderRows: async () => new Float32Array(),
  decoderNorms: async () => new Float32Array(3).fill(1),
  arithmetic: () => Promise.reject(new Error('only encode is used')),
};

/** A model whose residual at each token is (id, −id), moved by `shift`, with a sink at id 0. */
const model = (shift: number) => ({
  activation: async ({ ids }: Tree) =>
    Float32Array.from(ids.flatMap((id) => (id === 0 ? [1000, 0] : [id + shift, -id + shift]))),
});

describe('deltaActivation', () => {
  it('is the mean over tokens, then over prompts, of subject minus reference, sinks left out', async () => {
    const delta = await deltaActivation(model(0.5), model(0), sae, [
      [0, 1, 2, 3],
      [0, 4, 4],
    ]);
    expect([...delta]).toEqual([0.5, 0, -0.5]);
  });

  it('weighs prompts alike, however long', async () => {
    const doubled = { activation: async (tree: Tree) => (await model(0).activation(tree)).map((x) => 2 * x) };
    const delta = await deltaActivation(doubled, model(0), sae, [[1], [3, 3, 3]]);
    expect([...delta]).toEqual([2, 0, 2]);
  });

  it('is nothing between a model and itself, and needs prompts', async () => {
    expect([...(await deltaActivation(model(1), model(1), sae, [[1, 2]]))]).toEqual([0, 0, 0]);
    await expect(deltaActivation(model(1), model(1), sae, [])).rejects.toThrow(/no prompts/);
  });
});
