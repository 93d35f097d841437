/** The first rows in the order of a measured effect. */
import { describe, expect, it } from 'vitest';
import { reranked } from '../../../src/methods/attribution/reranking.ts';
import { decodeLatents, encodeLatents, type LatentRow } from '../../../src/results.ts';

const rows = [7, 3, 9, 1].map(
  (latent, i): LatentRow => ({
    latent,
    delta: 4 - i,
    rank: i + 1,
    standard_error: 0.5,
    same_sign: 1,
    sign: i === 1 ? -1 : 1,
    p: 0.25,
    q: null,
    silent_share: 0.5,
    activation_delta: null,
    deflated: 0.125,
    rank_low: 1,
    rank_high: null,
  }),
);

describe('reranked', () => {
  it('orders the first by the effect, leaves the others, and keeps delta', () => {
    const found = reranked(rows, 'exact', [0.5, -2, 0.75]);
    expect(found.map(({ latent, rank, delta, exact }) => [latent, rank, delta, exact])).toEqual([
      [9, 1, 2, 0.75],
      [7, 2, 4, 0.5],
      [3, 3, 3, -2],
      [1, 4, 1, Number.NaN],
    ]);
    expect(reranked(rows, 'integrated', [1, 1]).map(({ latent }) => latent)).toEqual([7, 3, 9, 1]);
    expect(() => reranked(rows, 'exact', [1, 2, 3, 4, 5])).toThrow(RangeError);
  });

  it('is kept in latents.parquet, which has no such column otherwise', async () => {
    const found = reranked(rows, 'integrated', [0.5, 0.75]);
    expect(await decodeLatents(encodeLatents(found))).toEqual(found);
    expect(Object.keys((await decodeLatents(encodeLatents(rows)))[0]!)).toEqual(Object.keys(rows[0]!));
  });
});
