/** Standard errors, split halves and left-out prompts against definitions and simulations. */
import { describe, expect, it } from 'vitest';
import {
  clusteredDelta,
  clusteredErrors,
  leaveOneOutRanks,
  splitHalf,
} from '../../../src/methods/attribution/stability.ts';
import { generatorOf, normalsFrom } from '../../../src/methods/statistics/random.ts';

describe('the standard error of Δ', () => {
  it('is s/√P where every contrast is its own prompt', () => {
    // 1, 2, −1, 6: mean 2, squared deviations 1 + 0 + 9 + 16
    const delta = clusteredDelta(Float32Array.of(9, 1, 9, 2, 9, -1, 9, 6), ['a', 'b', 'c', 'd']);
    expect(clusteredErrors(delta)[1]).toBeCloseTo(Math.sqrt(26 / 3 / 4), 12);
    expect(clusteredErrors(delta)[0]).toBe(0);
    expect(clusteredErrors(clusteredDelta(Float32Array.of(3), ['a']))[0]).toBeNaN();
  });

  it('is s/√G of the prompts’ means where prompts have as many contrasts each, in whatever order', () => {
    const delta = clusteredDelta(Float32Array.of(1, 7, 3, 9, 0, 4), ['a', 'b', 'a', 'b', 'c', 'c']);
    expect(delta.sizes).toEqual([2, 2, 2]);
    // means 2, 8, 2: mean 4, squared deviations 4 + 16 + 4
    expect(clusteredErrors(delta)[0]).toBeCloseTo(Math.sqrt(24 / 2 / 3), 12);
  });

  it('with prompts of one to five contrasts is what the mean over contrasts varies by', () => {
    const normal = normalsFrom(generatorOf(4));
    const clusters = Array.from({ length: 60 }, (_, g) => Array(1 + (g % 5)).fill(`${g}`)).flat();
    const [means, errors]: [number[], number[]] = [[], []];
    for (let run = 0; run < 400; run++) {
      const own = new Map(clusters.map((g) => [g, 0]));
      for (const g of own.keys()) own.set(g, normal());
      const values = Float32Array.from(clusters, (g) => own.get(g)! + 0.5 * normal());
      means.push(values.reduce((sum, x) => sum + x, 0) / values.length);
      errors.push(clusteredErrors(clusteredDelta(values, clusters))[0]!);
    }
    const spread = Math.sqrt(means.reduce((sum, x) => sum + x ** 2, 0) / means.length);
    const said = Math.sqrt(errors.reduce((sum, x) => sum + x ** 2, 0) / errors.length);
    expect(said / spread).toBeGreaterThan(0.9);
    expect(said / spread).toBeLessThan(1.1);
  });
});

/** [G, N] with an effect of the first latents. */
function made(clusters: number, latents: number, effect: number, effective: number, seed: number) {
  const normal = normalsFrom(generatorOf(seed));
  const values = Float32Array.from(
    { length: clusters * latents },
    (_, at) => normal() + (at % latents < effective ? effect : 0),
  );
  return clusteredDelta(
    values,
    Array.from({ length: clusters }, (_, g) => `${g}`),
  );
}

describe('split halves', () => {
  const alive = (latents: number) => new Uint8Array(latents).fill(1);

  it('agree where the first are the first, and as by chance where nothing is', () => {
    const options = { first: 20, splits: 20, seed: 1 };
    expect(splitHalf(made(40, 400, 5, 20, 1), alive(400), options)!.overlap).toBe(1);
    const nothing = splitHalf(made(40, 400, 0, 0, 2), alive(400), options)!;
    expect(nothing.overlap).toBeLessThan(0.15);
    expect(Math.abs(nothing.overlap - nothing.chance)).toBeLessThan(0.06);
  });

  it('agree by chance more often than the number of latents says where some vary much', () => {
    const delta = made(40, 400, 0, 0, 3);
    delta.sums.forEach((x, at) => {
      if (at % 400 < 20) delta.sums[at] = 30 * x;
    });
    const found = splitHalf(delta, alive(400), { first: 20, splits: 40, seed: 1 })!;
    expect(found.chance).toBeGreaterThan(0.2);
  });

  it('are not made of too few prompts or latents', () => {
    expect(splitHalf(made(3, 400, 0, 0, 1), alive(400), { first: 20, seed: 1 })).toBeNull();
    expect(splitHalf(made(9, 400, 0, 0, 1), alive(400), { first: 400, seed: 1 })).toBeNull();
  });
});

describe('ranks with one prompt left out', () => {
  it('run from the best to the worst', () => {
    // sums of the latents: 5, 4.5, 1; without the first prompt 1, 3, 1; without the second 4, 1.5, 0; and
    const delta = clusteredDelta(Float32Array.of(4, 1.5, 0, 1, 3, 1, 0, 0, 0), ['a', 'b', 'c']);
    expect(leaveOneOutRanks(delta, [0, 1])).toEqual([
      { low: 1, high: 2 },
      { low: 1, high: 2 },
    ]);
    expect(leaveOneOutRanks(delta, [2])![0]!.high).toBe(3);
    expect(leaveOneOutRanks(clusteredDelta(Float32Array.of(1, 2), ['a']), [0])).toBeUndefined();
  });
});
