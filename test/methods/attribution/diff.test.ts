import { describe, expect, it } from 'vitest';
import { deltaActivation } from '../../../src/methods/attribution/diff.ts';
import type { Tree } from '../../../src/models/tree.ts';

/** A dictionary of width 2 whose latents are relu(x₀), relu(x₁) and relu(−x₁). */
const encoder = {
  width: 2,
  sums() {
    const total = new Float64Array(3);
    return {
      async add(x: Float32Array, weight = 1) {
        for (let t = 0; t < x.length; t += 2)
          [x[t]!, x[t + 1]!, -x[t + 1]!].forEach((value, i) => {
            total[i]! += weight * Math.max(0, value);
          });
      },
      total: async () => total,
    };
  },
};

/** A model whose residual at each token is (id, −id), moved by `shift`, with a sink at id 0. */
const model = (shift: number) => ({
  activation: async ({ ids }: Tree) =>
    Float32Array.from(ids.flatMap((id) => (id === 0 ? [1000, 0] : [id + shift, -id + shift]))),
});

describe('deltaActivation', () => {
  it('is the mean over tokens, then over prompts, of subject minus reference, sinks left out', async () => {
    const delta = await deltaActivation(model(0.5), model(0), encoder, [
      [0, 1, 2, 3],
      [0, 4, 4],
    ]);
    expect([...delta]).toEqual([0.5, 0, -0.5]);
  });

  it('weighs prompts alike, however long', async () => {
    const doubled = { activation: async (tree: Tree) => (await model(0).activation(tree)).map((x) => 2 * x) };
    const delta = await deltaActivation(doubled, model(0), encoder, [[1], [3, 3, 3]]);
    expect([...delta]).toEqual([2, 0, 2]);
  });

  it('is nothing between a model and itself, and needs prompts', async () => {
    expect([...(await deltaActivation(model(1), model(1), encoder, [[1, 2]]))]).toEqual([0, 0, 0]);
    await expect(deltaActivation(model(1), model(1), encoder, [])).rejects.toThrow(/no prompts/);
  });
});
