/** The mean activation of a corpus and its norms, attention sinks left out. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { addPassage, baselineOf, emptySums } from '../../../src/methods/site/baseline.ts';
import { sitePass } from '../../../src/methods/site/siteGradient.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { expectClose } from '../../support/close.ts';
import { fakePass } from '../../support/fakePass.ts';
import { slowResiduals } from '../../support/slowLlama.ts';
import { tinyModel } from '../../support/tinyModel.ts';

/** Token id k stands at (3k, 4k): norm 5k. */
const pass = fakePass({ activation: ({ ids }, place) => [3 * ids[place]!, 4 * ids[place]!] });

async function of(passages: readonly number[][], factor?: number) {
  const sums = emptySums(2);
  for (const ids of passages) await addPassage(sums, pass, ids, factor);
  return sums;
}

describe('a baseline', () => {
  it('is the mean over tokens, not over passages, with the norms beside it', async () => {
    const baseline = baselineOf(await of([[1, 2, 3], [6]]));
    expect(baseline).toEqual({
      mean: Float32Array.of(9, 12),
      tokens: 4,
      sinks: 0,
      passages: 2,
      norm: { mean: 15, median: 10, least: 5, greatest: 30 },
    });
  });

  it('leaves sinks out of the mean, of the count and of the norms', async () => {
    const baseline = baselineOf(await of([[500, 1, 1, 4], [2, 2, 21, 20], [7]]));
    expect(baseline).toMatchObject({ tokens: 7, sinks: 2, passages: 3 });
    expect(baseline.mean).toEqual(Float32Array.of((3 * 37) / 7, (4 * 37) / 7));
    expect(baseline.norm).toEqual({ mean: (5 * 37) / 7, median: 10, least: 5, greatest: 100 });
    expect(baselineOf(await of([[500, 1, 1, 4]], 3)).tokens).toBe(2);
    expect(baselineOf(await of([[500, 1, 1, 4]], 500)).sinks).toBe(0);
  });

  it('equals a slow mean, whatever the order of the passages', async () => {
    const passages = fc.array(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 9 }), {
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(passages, async (given) => {
        const kept = given.flatMap((ids) => {
          const median = [...ids].sort((a, b) => a - b)[Math.ceil(ids.length / 2) - 1]!;
          return ids.filter((id) => id <= 10 * median);
        });
        const mean = kept.reduce((sum, id) => sum + id, 0) / kept.length;
        for (const order of [given, given.toReversed()]) {
          const found = baselineOf(await of(order));
          expect(found.tokens).toBe(kept.length);
          expect(found.sinks).toBe(given.flat().length - kept.length);
          expectClose(found.mean, [3 * mean, 4 * mean], 1e-6);
          expect(found.norm.greatest).toBe(5 * Math.max(...kept));
          expect(found.norm.mean).toBeCloseTo(5 * mean, 9);
        }
      }),
    );
  });

  it('adds in float64: float32 would lose small terms beside a large one', async () => {
    const sums = emptySums(2);
    for (const ids of [[2 ** 24], [1], [1]]) await addPassage(sums, pass, ids);
    expect(baselineOf(sums).mean).toEqual(Float32Array.of(2 ** 24 + 2, (4 * (2 ** 24 + 2)) / 3));
  });

  it('of no tokens is refused', () => {
    expect(() => baselineOf(emptySums(2))).toThrow(RangeError);
  });
});

describe('of a model', () => {
  const runtime = nodeRuntime({ threads: 1 });
  afterAll(() => runtime.close());

  it('equals the mean of the formulas', async () => {
    const tiny = tinyModel();
    const passages = [[1, 2, 3, 4], [5], [6, 7, 8]];
    const site = await sitePass(runtime, tiny.model, 1);
    const sums = emptySums(tiny.config.hidden_size);
    for (const ids of passages) await addPassage(sums, site, ids);
    const rows = passages.flatMap((ids) => slowResiduals(tiny, ids)[1]!);
    const mean = rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);
    expect(sums.sinks).toBe(0);
    expectClose(baselineOf(sums).mean, mean, 1e-5);
  });
});
