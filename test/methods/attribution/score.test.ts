/** Scores by quadratic forms against row-by-row loops, across the borders of chunks and groups. */
import { afterAll, describe, expect, it } from 'vitest';
import {
  type DecoderRows,
  directionsOf,
  outerProducts,
  scoreContrasts,
  scoreMatrix,
  scoreTokens,
} from '../../../src/methods/attribution/score.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { expectClose } from '../../support/close.ts';
import { type Made, madeDictionary, madeRows, slowScore, slowToken } from '../../support/directions.ts';
import { draw } from '../../support/opCases.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

const width = 8;
/** a chunk is 2,048 latents, a group 2,048 rows */
const many = madeDictionary(2 * 2048 + 37, width);

/** Sums of d² or of tens of terms of size about 1 in float32. */
const tolerance = 1e-5;

async function matrixOf(rows: DecoderRows, d = width): Promise<Float32Array> {
  const products = await outerProducts(runtime, d);
  const m = await products.of(rows);
  await products.release();
  return m;
}

/** [P, N], and how often each place was handed out. */
async function contrastScores(contrasts: readonly DecoderRows[], made: Made) {
  const values = new Float32Array(contrasts.length * made.latents);
  const times = new Uint8Array(values.length);
  const blocks: [first: number, contrasts: number][] = [];
  await scoreContrasts(runtime, contrasts, made, (first, count, from, n, block) => {
    blocks.push([first, count]);
    expect(block.length).toBe(n * count);
    for (let i = 0; i < n; i++)
      for (let p = 0; p < count; p++) {
        const at = (first + p) * made.latents + from + i;
        values[at] = block[i * count + p]!;
        times[at]!++;
      }
  });
  return { values, times, blocks };
}

const slowScores = (contrasts: readonly DecoderRows[], made: Made, latents: readonly number[]) =>
  contrasts.flatMap((rows) => latents.map((latent) => slowScore(rows, made, latent)));

describe('outerProducts', () => {
  it('is Σ ĝ_t c_tᵀ', async () => {
    const rows = { gradient: Float32Array.of(1, 2, 3, 4), centred: Float32Array.of(5, 6, 7, 8) };
    // [1,2]ᵀ[5,6] + [3,4]ᵀ[7,8]
    expect([...(await matrixOf(rows, 2))]).toEqual([26, 30, 38, 44]);
  });
});

describe('scoreMatrix', () => {
  it.each([1, 2047, 2048, 2049, many.latents])('of %d latents equals the loop over rows', async (latents) => {
    const made = madeDictionary(latents, width, latents);
    const rows = madeRows(draw(3), 21, width);
    const found = await scoreMatrix(runtime, await matrixOf(rows), made);
    expectClose(found, slowScores([rows], made, [...Array(latents).keys()]), tolerance);
    expect(made.reads.flat().at(-1)).toBe(latents);
  });

  it('takes M as it is, not its symmetric part alone, and in the order that the rows give it', async () => {
    const made = { ...madeDictionary(1, 2), directions: Float32Array.of(0.6, 0.8) };
    made.decoderRows = async () => made.directions;
    // −(0.36·1 + 0.48·(2 + 3) + 0.64·4)
    expect((await scoreMatrix(runtime, Float32Array.of(1, 2, 3, 4), made))[0]).toBeCloseTo(-5.32, 5);
  });
});

describe('scoreContrasts', () => {
  const borders = [0, 1, 2046, 2047, 2048, 2049, 4095, 4096, many.latents - 1];

  it('of more rows than a group, fewer, as many and more rows a contrast than d', async () => {
    const d = draw(4);
    const contrasts = Array.from({ length: 330 }, (_, p) => madeRows(d, [3, 8, 9, 40][p % 4]!, width));
    const { values, times, blocks } = await contrastScores(contrasts, many);
    expect(times.every((n) => n === 1)).toBe(true);
    const groups = [...new Map(blocks)];
    expect(groups.length).toBe(2);
    expect(groups[1]![0]).toBe(groups[0]![1]);
    const found = contrasts.flatMap((_, p) => borders.map((i) => values[p * many.latents + i]!));
    expectClose(found, slowScores(contrasts, many, borders), tolerance);
  });

  it('of one contrast, whatever its rows', async () => {
    const made = madeDictionary(50, width);
    for (const count of [1, width, width + 1, 3000]) {
      const rows = madeRows(draw(count), count, width);
      const { values } = await contrastScores([rows], made);
      expectClose(values, slowScores([rows], made, [...Array(50).keys()]), tolerance);
    }
  });

  it('of contrasts that fill a group to the row', async () => {
    const made = madeDictionary(3, width);
    const contrasts = Array.from({ length: 257 }, (_, p) => madeRows(draw(p), width, width));
    const { values, blocks } = await contrastScores(contrasts, made);
    expect(blocks).toEqual([
      [0, 256],
      [256, 1],
    ]);
    const slow = slowScores(contrasts, made, [0, 1, 2]);
    expectClose(values, slow, tolerance);
  });

  it('of a contrast that alone has more rows than a group', async () => {
    const wide = madeDictionary(3, 2100);
    const quick = (i: number) => ((i * 7919) % 127) / 127 - 0.5;
    const big: DecoderRows = {
      gradient: Float32Array.from({ length: 2060 * wide.width }, (_, i) => quick(i)),
      centred: Float32Array.from({ length: 2060 * wide.width }, (_, i) => quick(i + 1e6)),
    };
    const contrasts = [madeRows(draw(1), 2, wide.width), big, madeRows(draw(2), 1, wide.width)];
    const { values, blocks } = await contrastScores(contrasts, wide);
    expect(blocks).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
    for (const [p, rows] of contrasts.entries()) {
      const parts = slowScores([rows], wide, [0, 1, 2]);
      expectClose(values.subarray(3 * p, 3 * p + 3), parts, tolerance);
    }
  });

  it('of none', async () => {
    expect((await contrastScores([], many)).blocks).toEqual([]);
  });
});

describe('scoreTokens', () => {
  it('is each row’s part, and a column sums to the score', async () => {
    const rows = madeRows(draw(6), 13, width);
    const chosen = [4096, 7, 2048, 7];
    const directions = await directionsOf(many, chosen);
    const found = scoreTokens(rows, directions, width);
    const slow = Array.from({ length: 13 }, (_, t) =>
      chosen.map((latent) => slowToken(rows, t, many, latent)),
    );
    expectClose(found, slow.flat(), 1e-6);
    const { values } = await contrastScores([rows], many);
    for (const [k, latent] of chosen.entries()) {
      const column = slow.map((_, t) => found[t * chosen.length + k]!);
      const sum = column.reduce((s, x) => s + x, 0);
      const size = column.reduce((s, x) => s + Math.abs(x), 0);
      expect(Math.abs(values[latent]! - sum)).toBeLessThanOrEqual(tolerance * size);
    }
  });

  it('of no directions is empty', async () => {
    expect(scoreTokens(madeRows(draw(1), 3, width), await directionsOf(many, []), width).length).toBe(0);
  });
});
