import { afterAll, describe, expect, it } from 'vitest';
import { draw, sampleCompletions } from '../../src/methods/sample.ts';
import { logitsGraph } from '../../src/models/passes.ts';
import { sequence, treeFeeds } from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { i64, toFloat32 } from '../../src/tensor.ts';
import { tinyModel } from '../support/tinyModel.ts';

describe('draw', () => {
  const logits = Float32Array.from([0.5, 2, -1, 0].map((x) => x));
  const weights = [0.5, 2, -1, 0].map(Math.exp);
  const total = weights.reduce((a, b) => a + b, 0);

  it('is the greatest logit at temperature 0', () => {
    expect(draw(logits, 0, 0.99)).toBe(1);
  });

  it('divides [0, 1) among the tokens by their probability', () => {
    let below = 0;
    weights.forEach((w, id) => {
      expect(draw(logits, 1, (below + 0.001) / total)).toBe(id);
      below += w;
      expect(draw(logits, 1, (below - 0.001) / total)).toBe(id);
    });
  });

  it('never draws a token of no probability', () => {
    expect(draw(Float32Array.from([0, Number.NEGATIVE_INFINITY]), 1, 1 - 2 ** -53)).toBe(0);
  });
});

describe('sampleCompletions', () => {
  const runtime = nodeRuntime({ threads: 1 });
  afterAll(() => runtime.close());
  const { model } = tinyModel({ seed: 4 });
  const prompt = [3, 1, 4, 1, 5];
  const options = { maxTokens: 8, endIds: [2] };

  it('depends on the seed only, not on its companions', async () => {
    const session = await runtime.load(logitsGraph(model), model.weights);
    const together = await sampleCompletions(session, prompt, [1, 2, 3, 4, 5], options);
    const alone = await sampleCompletions(session, prompt, [3], options);
    expect(alone[0]!.ids).toEqual(together[2]!.ids);
    expect(new Set(together.map(({ ids }) => ids.join())).size).toBeGreaterThan(1);
  });

  it('greedy tokens are the argmax after the text so far, with their log-probability', async () => {
    const session = await runtime.load(logitsGraph(model), model.weights);
    const [greedy] = await sampleCompletions(session, prompt, [1], { ...options, temperature: 0 });
    const { ids, logProbabilities, ended } = greedy!;
    expect(ended).toBe(ids.at(-1) === 2);
    for (const [i, id] of ids.entries()) {
      const before = [...prompt, ...ids.slice(0, i)];
      const { logits } = await session.run({
        ...treeFeeds(sequence(before)),
        rows: i64([1], [before.length - 1]),
      });
      const row = toFloat32(logits!);
      expect(row[id]).toBe(Math.max(...row));
      const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
      expect(logProbabilities[i]).toBeCloseTo(row[id]! - Math.log(total), 4);
    }
  });
});
