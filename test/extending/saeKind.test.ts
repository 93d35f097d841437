/**
 * Adds an SAE kind by one object in the list: it is read from a SAELens folder and encodes as its formula
 * says.
 */
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { input, mul, tanh } from '../../src/graph/build.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { saelens, saelensOf } from '../../src/saes/formats/saelens.ts';
import { activationsOn } from '../../src/saes/graph.ts';
import type { SaeKind } from '../../src/saes/kinds/kind.ts';
import { saeKinds } from '../../src/saes/kinds/kinds.ts';
import { positive } from '../../src/saes/kinds/threshold.ts';
import { tensor, toFloat32 } from '../../src/tensor.ts';
import { type Case, cases, makeFiles } from '../saes/made.ts';
import { runGraph } from '../saes/runGraph.ts';

/** a = slope · tanh(max(0, p)), with p = x W + b and a slope per latent. */
const madeUp: SaeKind<'b_enc' | 'slope', never> = {
  name: 'made-up',
  weights: { b_enc: ['N'], slope: ['N'] },
  bias: 'b_enc',
  counts: [],
  encode: ({ pre, weights }) => mul(weights.slope, tanh(positive(pre))),
};

const format = saelensOf([...saeKinds, madeUp]);
const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

/** A JumpReLU's case, with the sizes of its thresholds as slopes. */
const madeUpCases = cases('jumprelu').map(({ config, weights, ...rest }): Case => {
  const { threshold, ...others } = weights;
  const slope = { ...threshold!, values: threshold!.values.map(Math.abs) };
  return {
    ...rest,
    config: { ...config, architecture: 'made-up' },
    weights: { ...others, slope },
  };
});

/** z [T, N] of unit directions, by the formula. */
function formula({ d, N, T, x, config, weights }: Case): number[] {
  const at = (name: string, i: number) => weights[name]!.values[i]!;
  const from = (t: number, j: number) => x[t * d + j]! - (config.apply_b_dec_to_input ? at('b_dec', j) : 0);
  const range = (n: number) => [...Array(n).keys()];
  return range(T).flatMap((t) =>
    range(N).map((i) => {
      const p = range(d).reduce((sum, j) => sum + from(t, j) * at('W_enc', j * N + i), at('b_enc', i));
      const norm = Math.hypot(...range(d).map((j) => at('W_dec', i * d + j)));
      return at('slope', i) * Math.tanh(Math.max(0, p)) * norm;
    }),
  );
}

function expectNear(found: ArrayLike<number>, expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(1e-5 * (1 + Math.abs(value)));
  });
}

it('is read from a folder by its name, and encodes as its formula says', async () => {
  await fc.assert(
    fc.asyncProperty(madeUpCases, async (c) => {
      const sae = await format.open(makeFiles(c.config, c.weights));
      expect(sae.kind).toBe(madeUp);
      const wanted = formula(c);
      expectNear((await runGraph(runtime, sae, c.x)).z, wanted);
      const on = await activationsOn(input('x', ['tokens', c.d]), sae, [c.N - 1]);
      const session = await runtime.load({ outputs: { z: on.z } }, on.weights);
      const { z } = await session.run({ x: tensor('f32', [c.T, c.d], c.x) });
      await session.release();
      expectNear(
        toFloat32(z!),
        wanted.filter((_, at) => at % c.N === c.N - 1),
      );
    }),
    { numRuns: 25 },
  );
});

it('has its weights checked as any other, and is unknown without its place in the list', async () => {
  const [c] = fc.sample(madeUpCases, { numRuns: 1, seed: 1 });
  const { slope: _, ...without } = c!.weights;
  await expect(format.open(makeFiles(c!.config, without))).rejects.toThrow(
    `made: tensor slope of shape [${c!.N}] is missing`,
  );
  await expect(saelens.open(makeFiles(c!.config, c!.weights))).rejects.toThrow(
    'architecture: expected standard, topk, jumprelu, gated, found "made-up"',
  );
});
