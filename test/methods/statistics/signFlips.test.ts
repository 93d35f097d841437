/** Sign flips against what can be counted by hand, and against what simulations know. */
import { afterAll, describe, expect, it } from 'vitest';
import { falseDiscoveryRates } from '../../../src/methods/statistics/falseDiscovery.ts';
import { generatorOf, normalsFrom } from '../../../src/methods/statistics/random.ts';
import { signFlips } from '../../../src/methods/statistics/signFlips.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

const all = (columns: number) => new Uint8Array(columns).fill(1);

/** [clusters, columns] of standard normal numbers, all of a cluster sharing some of it. */
function noise(clusters: number, columns: number, seed: number, shared = 0): Float32Array {
  const normal = normalsFrom(generatorOf(seed));
  const out = new Float32Array(clusters * columns);
  for (let g = 0; g < clusters; g++) {
    const common = normal();
    for (let i = 0; i < columns; i++)
      out[g * columns + i] = shared * common + Math.sqrt(1 - shared ** 2) * normal();
  }
  return out;
}

describe('sign flips', () => {
  it('of few clusters are all tried', async () => {
    // columns (1, 2, 3): |±1 ±2 ±3| reaches 6 in 2 of 8; (1, −1, 3): reaches 3 in 6 of 8; zeros: always
    const sums = Float32Array.of(1, 1, 0, 2, -1, 0, 3, 3, 0);
    const found = await signFlips(runtime, sums, 3, { seed: 1, included: all(3) });
    expect(found.exact).toBe(true);
    expect(found.flips).toBe(8);
    expect([...found.p]).toEqual([0.25, 0.75, 1]);
    // the greatest of the flipped sums reaches 6 only where all signs of the first are kept
    expect(found.maxP).toBe(1 / 8);
    const without = await signFlips(runtime, sums, 3, { seed: 1, included: Uint8Array.of(0, 1, 1) });
    // of (1, −1, 3) alone: sums 5, 3, 3, 1 and their opposites; the greatest with zeros is 3 or more in 3 of 8
    expect(without.maxP).toBe(3 / 8);
  });

  it('of many clusters drawn at random agree with all of them, whatever the seed, and are the same again', async () => {
    const clusters = 14;
    const sums = noise(clusters, 5, 3);
    const exact = await signFlips(runtime, sums, clusters, { seed: 1, included: all(5) });
    // a fifteenth cluster that is always 0 changes no sum, but makes the flips random
    const more = new Float32Array([...sums, 0, 0, 0, 0, 0]);
    const options = { flips: 20_000, included: all(5) };
    const drawn = await signFlips(runtime, more, 15, { ...options, seed: 1 });
    expect([exact.exact, drawn.exact]).toEqual([true, false]);
    for (const [i, p] of drawn.p.entries()) expect(Math.abs(p - exact.p[i]!)).toBeLessThan(0.015);
    expect(Math.abs(drawn.maxP - exact.maxP)).toBeLessThan(0.015);
    expect(await signFlips(runtime, more, 15, { ...options, seed: 1 })).toEqual(drawn);
    expect((await signFlips(runtime, more, 15, { ...options, seed: 2 })).p).not.toEqual(drawn.p);
  });

  it('give small p where the effect is sure, finer than the first flips allow', async () => {
    const clusters = 40;
    const sums = noise(clusters, 300, 5);
    for (let g = 0; g < clusters; g++) sums[g * 300 + 7]! += 2;
    const { p, maxP } = await signFlips(runtime, sums, clusters, { seed: 1, included: all(300) });
    expect(p[7]).toBeLessThan(1 / 100_000);
    expect(falseDiscoveryRates(p)[7]).toBeLessThan(0.01);
    expect(maxP).toBeLessThan(0.001);
  });

  it('find nothing in noise more often than they say: any q < .05 and the first’s p < .05 in 5 % of runs', async () => {
    const [runs, clusters, columns] = [60, 20, 60];
    let [any, first] = [0, 0];
    const small: number[] = [];
    for (let run = 0; run < runs; run++) {
      const sums = noise(clusters, columns, 100 + run, 0.5);
      const found = await signFlips(runtime, sums, clusters, {
        seed: run,
        flips: 1000,
        included: all(columns),
      });
      if (falseDiscoveryRates(found.p).some((q) => q < 0.05)) any++;
      if (found.maxP < 0.05) first++;
      small.push(found.p.filter((p) => p < 0.05).length / columns);
    }
    // 99.8 % of draws of 60 runs at 5 % stay below 9
    expect(any).toBeLessThan(9);
    expect(first).toBeLessThan(9);
    const share = small.reduce((sum, x) => sum + x, 0) / runs;
    expect(share).toBeGreaterThan(0.03);
    expect(share).toBeLessThan(0.07);
  });
});

describe('q', () => {
  it('is Benjamini and Hochberg’s, and NaN are no tests', () => {
    const q = falseDiscoveryRates([0.01, Number.NaN, 0.04, 0.03, 0.5]);
    expect(q[0]).toBeCloseTo(0.04, 12);
    expect(q[2]).toBeCloseTo((0.04 * 4) / 3, 12);
    // p = .03 has .06 by its own place, but the greater p above it gives less
    expect(q[3]).toBeCloseTo((0.04 * 4) / 3, 12);
    expect(q[4]).toBeCloseTo(0.5, 12);
    expect(q[1]).toBeNaN();
    expect([...falseDiscoveryRates([])]).toEqual([]);
  });
});
