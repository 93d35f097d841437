/**
 * Attention over a cache against attention over the whole sequence, and what does not depend on the cache's
 * length.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { input } from '../../src/graph/build.ts';
import { attention, cachedAttention } from '../../src/models/attention.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { referenceRuntime } from '../../src/runtime/reference.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { f32, type Tensor, tensor, toFloat32 } from '../../src/tensor.ts';
import { expectClose } from '../support/close.ts';
import { draw } from '../support/opCases.ts';
import { normal } from '../support/tinyModel.ts';

const fast = nodeRuntime({ threads: 1 });
afterAll(() => fast.close());
const heads = { query: 6, keyValue: 3, width: 8 };
const scale = heads.width ** -0.5;
const [wide, narrow] = [heads.query * heads.width, heads.keyValue * heads.width];

/**
 * The last `added` tokens of each row over a cache that holds the ones before; rows may have different
 * lengths.
 */
async function overCache(
  runtime: Runtime,
  rows: readonly { query: Tensor; key: Tensor; value: Tensor }[],
  added: number,
  places: number,
  garbage: number,
): Promise<Float32Array> {
  const shape = ['rows', heads.keyValue, places, heads.width] as const;
  const cache = {
    keys: input('keys', shape),
    values: input('values', shape),
    past: input('past', ['rows', places]),
    fresh: input('fresh', ['new', 'new']),
  };
  const flat = (name: string, width: number) => input(name, ['new·rows', width]);
  const out = cachedAttention(flat('query', wide), flat('key', narrow), flat('value', narrow), cache, heads, {
    scale,
  });
  const session = await runtime.load({ outputs: { out } }, new Map());
  const lengths = rows.map(({ key }) => key.shape[0]! - added);
  const tail = (name: 'query' | 'key' | 'value', width: number) =>
    f32(
      [rows.length * added, width],
      rows.flatMap((row, r) => [...toFloat32(row[name]).subarray(lengths[r]! * width)]),
    );
  function stored(name: 'key' | 'value'): Tensor {
    const data = new Float32Array(rows.length * heads.keyValue * places * heads.width).fill(garbage);
    rows.forEach((row, r) => {
      const from = toFloat32(row[name]);
      for (let t = 0; t < lengths[r]!; t++)
        for (let h = 0; h < heads.keyValue; h++)
          data.set(
            from.subarray(t * narrow + h * heads.width, t * narrow + (h + 1) * heads.width),
            ((r * heads.keyValue + h) * places + t) * heads.width,
          );
    });
    return tensor('f32', [rows.length, heads.keyValue, places, heads.width], data);
  }
  const masked = Number.NEGATIVE_INFINITY;
  const found = await session.run({
    query: tail('query', wide),
    key: tail('key', narrow),
    value: tail('value', narrow),
    keys: stored('key'),
    values: stored('value'),
    past: f32(
      [rows.length, places],
      lengths.flatMap((n) => Array.from({ length: places }, (_, place) => (place < n ? 0 : masked))),
    ),
    fresh: f32(
      [added, added],
      Array.from({ length: added * added }, (_, at) => (at % added <= Math.floor(at / added) ? 0 : masked)),
    ),
  });
  await session.release();
  return toFloat32(found.out!);
}

/** The same tokens' rows of attention over each whole sequence. */
async function whole(rows: Parameters<typeof overCache>[1], added: number): Promise<number[]> {
  const nodes = { query: input('query', ['t', wide]), key: input('key', ['t', narrow]) };
  const value = input('value', ['t', narrow]);
  const out = attention(nodes.query, nodes.key, value, input('mask', ['t', 't']), heads, { scale });
  const session = await referenceRuntime().load({ outputs: { out } }, new Map());
  const all: number[] = [];
  for (const row of rows) {
    const n = row.key.shape[0]!;
    const mask = f32(
      [n, n],
      Array.from({ length: n * n }, (_, at) => (at % n <= Math.floor(at / n) ? 0 : Number.NEGATIVE_INFINITY)),
    );
    const found = await session.run({ ...row, mask });
    all.push(...toFloat32(found.out!).subarray((n - added) * wide));
  }
  return all;
}

const d = draw(17);
const row = (n: number) => ({
  query: normal(d, [n, wide], 2),
  key: normal(d, [n, narrow], 2),
  value: normal(d, [n, narrow], 1),
});

describe('attention over a cache', () => {
  const step = { name: 'a step of rows of different lengths', rows: [1, 5, 17, 40].map(row), added: 1 };
  const prompt = { name: 'a prompt over an empty cache', rows: [row(9)], added: 9 };
  const more = { name: 'several tokens behind some', rows: [row(12), row(5)], added: 4 };

  it.each([step, prompt, more])(
    '$name: equals attention over the whole sequence',
    async ({ rows, added }) => {
      const expected = await whole(rows, added);
      for (const runtime of [referenceRuntime(), fast])
        expectClose(await overCache(runtime, rows, added, 64, 3), expected, 1e-5);
    },
  );

  it('does not see what stands behind a row, nor how long the cache is, to the bit', async () => {
    const { rows, added } = step;
    const found = await overCache(fast, rows, added, 64, 0);
    expect(await overCache(fast, rows, added, 64, 1e6)).toEqual(found);
    expect(await overCache(fast, rows, added, 48, 4)).toEqual(found);
    expect(await overCache(fast, rows, added, 80, 3)).toEqual(found);
    expect(await overCache(fast, rows, added, 128, 5)).toEqual(found);
    expect(await overCache(fast, rows, added, 144, 7)).toEqual(found);
    expect(await overCache(fast, rows, added, 448, -2)).toEqual(found);
  });
});
