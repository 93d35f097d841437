/**
 * Measuring an SAE on a small model, against sums over plain encode and decode and against the model run by
 * hand.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateSae, recovered, type SaeEvaluation } from '../../../src/methods/sae/saeEval.ts';
import { residualPass, rowsAt } from '../../../src/methods/site/residuals.ts';
import { logitsGraph } from '../../../src/models/passes.ts';
import { sequence, treeFeeds } from '../../../src/models/tree.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { saelens } from '../../../src/saes/formats/saelens.ts';
import type { Sae } from '../../../src/saes/sae.ts';
import { i64, toFloat32 } from '../../../src/tensor.ts';
import { makeFiles } from '../../saes/made.ts';
import { decode, encode } from '../../saes/oracle/oracle.ts';
import { draw } from '../../support/opCases.ts';
import { randomIds, tinyModel } from '../../support/tinyModel.ts';

const tiny = tinyModel();
const d = 16;
const N = 24;
const layer = 1;
const r = draw(3);
const passages = [9, 14, 1, 11].map((count) => randomIds(r, count, tiny));

function topkSae(weights: (count: number) => number[]): Promise<Sae> {
  return saelens.open(
    makeFiles(
      { architecture: 'topk', d_in: d, d_sae: N, k: 3 },
      {
        W_enc: { shape: [d, N], values: weights(d * N) },
        W_dec: { shape: [N, d], values: weights(d * N) },
        b_enc: { shape: [N], values: weights(N) },
        b_dec: { shape: [d], values: weights(d) },
      },
    ),
  );
}

describe('evaluateSae', () => {
  const runtime = nodeRuntime({ threads: 1 });
  afterAll(() => runtime.close());
  let sae: Sae;
  let found: SaeEvaluation;
  beforeAll(async () => {
    sae = await topkSae((count) => Array.from({ length: count }, () => 0.3 * r.normal()));
    found = await evaluateSae(runtime, { model: tiny.model, layer, sae }, passages, 20);
  });

  it('explained variance, L0 and densities over all tokens but sinks', async () => {
    const pass = await residualPass(runtime, tiny.model, layer);
    const rows: number[] = [];
    let sinks = 0;
    for (const ids of passages) {
      const { activation, places, sinks: left } = await pass.run(ids);
      rows.push(...rowsAt(activation, d, places));
      sinks += left.length;
    }
    const x = Float32Array.from(rows);
    const tokens = x.length / d;
    const encoding = await encode(sae, x);
    const decoded = await decode(sae, encoding);
    const mean = Array.from({ length: d }, (_, j) => {
      let sum = 0;
      for (let t = 0; t < tokens; t++) sum += x[t * d + j]! / tokens;
      return sum;
    });
    const error = x.reduce((sum, v, i) => sum + (v - decoded[i]!) ** 2, 0);
    const spread = x.reduce((sum, v, i) => sum + (v - mean[i % d]!) ** 2, 0);
    expect(found).toMatchObject({ tokens, sinks });
    expect(tokens + sinks).toBe(35);
    expect(found.explained).toBeCloseTo(1 - error / spread, 5);
    const density = Array.from(
      { length: N },
      (_, i) => encoding.z.filter((z, at) => at % N === i && z > 0).length / tokens,
    );
    density.forEach((share, i) => {
      expect(found.density[i]).toBeCloseTo(share, 10);
    });
    expect(found.l0).toBeCloseTo(
      density.reduce((a, b) => a + b),
      10,
    );
  });

  it('is the same by blocks of 2 latents, its passages gathered', async () => {
    const parts = { model: tiny.model, layer, sae };
    const told: number[] = [];
    const onQuality = (tokens: number) => told.push(tokens);
    const { crossEntropy, ...byBlocks } = await evaluateSae(runtime, parts, passages, 20, {
      onQuality,
      held: 4 * d * 2,
    });
    const { crossEntropy: whole, ...quality } = found;
    expect(byBlocks.density).toEqual(quality.density);
    expect(byBlocks.explained).toBeCloseTo(quality.explained, 6);
    for (const name of ['original', 'reconstructed', 'zero', 'mean'] as const)
      expect(crossEntropy[name]).toBeCloseTo(whole[name], 5);
    expect(told).toEqual(passages.map((ids) => ids.length));
  });

  it('the original cross-entropy is the model’s own, over whole passages until there are enough', async () => {
    const session = await runtime.load(logitsGraph(tiny.model), tiny.model.weights);
    let total = 0;
    for (const ids of passages.slice(0, 2)) {
      const rows = [...ids.keys()].slice(0, -1);
      const { logits } = await session.run({
        ...treeFeeds(sequence(ids)),
        rows: i64([rows.length], rows),
      });
      const values = toFloat32(logits!);
      const V = values.length / rows.length;
      for (const t of rows) {
        const at = values.subarray(t * V, (t + 1) * V);
        total += Math.log(at.reduce((sum, l) => sum + Math.exp(l), 0)) - at[ids[t + 1]!]!;
      }
    }
    expect(found.crossEntropy.tokens).toBe(8 + 13);
    expect(found.crossEntropy.original).toBeCloseTo(total / 21, 4);
  });

  it('an SAE that says nothing is as bad as its bias, and b_dec 0 as setting to zero', async () => {
    const silent = await topkSae((count) => Array<number>(count).fill(0));
    const { crossEntropy, explained, l0 } = await evaluateSae(
      runtime,
      { model: tiny.model, layer, sae: silent },
      passages,
      20,
    );
    expect(crossEntropy.reconstructed).toBe(crossEntropy.zero);
    expect(recovered(crossEntropy, 'zero')).toBeCloseTo(0, 10);
    expect(explained).toBeLessThan(0);
    expect(l0).toBe(0);
    expect(crossEntropy.mean).not.toBe(crossEntropy.zero);
  });
});

it('loss recovered is 1 where nothing is lost, 0 where nothing is gained', () => {
  const ce = { original: 2, zero: 6, mean: 4, tokens: 1 };
  expect(recovered({ ...ce, reconstructed: 2 }, 'zero')).toBe(1);
  expect(recovered({ ...ce, reconstructed: 4 }, 'mean')).toBe(0);
  expect(recovered({ ...ce, reconstructed: 3 }, 'zero')).toBe(0.75);
});
