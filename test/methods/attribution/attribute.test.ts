/**
 * The attribution as a whole: its parts agree with one another, its ranking and shares of signs with their
 * definitions.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Attribution,
  attribute,
  ranking,
  sameSign,
} from '../../../src/methods/attribution/attribute.ts';
import type { ContrastRows } from '../../../src/methods/site/contrast.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { expectClose, greatest } from '../../support/close.ts';
import { madeDictionary, madeRows, slowScore } from '../../support/directions.ts';
import { draw } from '../../support/opCases.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

const [width, latents] = [6, 2100];
const dictionary = madeDictionary(latents, width);
const d = draw(9);
/** One contrast with fewer rows than the width, one with more. */
const contrasts: ContrastRows[] = [3, 17, 6].map((count, p) => ({
  ...madeRows(d, count, width),
  id: `contrast ${p}`,
  tokens: Array.from({ length: count }, (_, i) => ({ id: i, position: i, branch: -1 })),
  losses: [1, 2],
  packed: count,
  sinks: 0,
}));
const every = [...Array(latents).keys()];

describe('attribute', () => {
  let found: Attribution;
  beforeAll(async () => {
    found = await attribute(runtime, contrasts, dictionary, { top: 20 });
  });
  const column = (latent: number) => contrasts.map((_, p) => found.perContrast[p * latents + latent]!);

  it('each contrast’s Δ is the sum over its rows', () => {
    for (const [p, rows] of contrasts.entries()) {
      const slow = every.map((latent) => slowScore(rows, dictionary, latent));
      expectClose(found.perContrast.subarray(p * latents, (p + 1) * latents), slow, 1e-5);
    }
  });

  it('Δ is the mean of the contrasts’ own, and −d M d', () => {
    const means = every.map((latent) => column(latent).reduce((sum, x) => sum + x, 0) / contrasts.length);
    const scale = greatest(found.perContrast);
    expect(greatest(found.delta.map((x, i) => x - means[i]!))).toBeLessThanOrEqual(1e-5 * scale);
    const forms = every.map((latent) => {
      const x = dictionary.directions.subarray(latent * width, (latent + 1) * width);
      return -found.m.reduce((sum, v, at) => sum + v * x[Math.floor(at / width)]! * x[at % width]!, 0);
    });
    expectClose(found.delta, forms, 1e-5);
  });

  it('reports the greatest, whose tokens sum to each contrast’s Δ', () => {
    const sorted = [...found.delta].sort((a, b) => b - a);
    expect(found.top.map((latent) => found.delta[latent])).toEqual(sorted.slice(0, 20));
    for (const [k, latent] of found.top.entries())
      for (const [p, { tokens }] of contrasts.entries()) {
        const parts = tokens.map((_, t) => found.perToken[p]![t * 20 + k]!);
        const size = parts.reduce((sum, x) => sum + Math.abs(x), 0);
        const sum = parts.reduce((s, x) => s + x, 0);
        expect(Math.abs(column(latent)[p]! - sum)).toBeLessThanOrEqual(1e-5 * size);
      }
  });

  it('reports 100 by default, all where there are fewer, none where none are asked', async () => {
    expect((await attribute(runtime, contrasts, dictionary)).top.length).toBe(100);
    const few = madeDictionary(4, width);
    const all = await attribute(runtime, contrasts, few);
    expect([...all.top].sort()).toEqual([0, 1, 2, 3]);
    const none = await attribute(runtime, contrasts, few, { top: 0 });
    expect(none.top).toEqual([]);
    expect(none.delta).toEqual(all.delta);
  });

  it('needs a contrast', async () => {
    await expect(attribute(runtime, [], dictionary)).rejects.toThrow(RangeError);
  });
});

describe('ranking', () => {
  it('is by descending score, ties by number', () => {
    expect([...ranking(Float32Array.of(1, 3, 1, -2, 3, 0))]).toEqual([1, 4, 0, 2, 5, 3]);
    expect([...ranking(Float32Array.of(0, -0, 0))]).toEqual([0, 1, 2]);
    expect([...ranking(new Float32Array(0))]).toEqual([]);
  });

  it('is a permutation that never rises', () => {
    const few = fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 40 });
    fc.assert(
      fc.property(few, (scores) => {
        const order = [...ranking(Float32Array.from(scores))];
        expect(order.toSorted((a, b) => a - b)).toEqual([...scores.keys()]);
        for (const [i, latent] of order.slice(1).entries()) {
          const before = order[i]!;
          const falls = scores[before]! > scores[latent]!;
          expect(falls || (scores[before] === scores[latent] && before < latent)).toBe(true);
        }
      }),
    );
  });
});

describe('same sign', () => {
  it('is the share of contrasts with the sign of the mean', () => {
    // latent 1 of two, over four contrasts: 1, 2, −1, 6; mean 2
    const perContrast = Float32Array.of(9, 1, 9, 2, 9, -1, 9, 6);
    expect(sameSign(perContrast, 2, 1)).toBe(0.75);
    expect(sameSign(perContrast, 2, 0)).toBe(1);
    expect(sameSign(Float32Array.of(-2), 1, 0)).toBe(1);
    expect(sameSign(new Float32Array(3), 1, 0)).toBe(1);
  });
});
