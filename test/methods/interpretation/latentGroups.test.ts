/** Groups of latents, worked out by hand. */
import { describe, expect, it } from 'vitest';
import { latentGroups } from '../../../src/methods/interpretation/latentGroups.ts';

/** Symmetric, with `diagonal`, and the named values. */
function matrix(n: number, diagonal: readonly number[], named: Record<string, number>): number[][] {
  return Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) =>
      i === j ? diagonal[i]! : (named[`${Math.min(i, j)},${Math.max(i, j)}`] ?? 0),
    ),
  );
}

const ones = (n: number) => Array<number>(n).fill(1);

describe('latentGroups', () => {
  it('gather what points the same way or fires together', () => {
    const active = [10, 10, 10, 4];
    const groups = latentGroups({
      cosine: matrix(4, ones(4), { '0,2': 0.7 }),
      both: matrix(4, active, { '1,3': 5, '0,1': 6 }),
      active,
    });
    // 1 and 3: 5 / (10 + 4 − 5); 0 and 1: 6 / 14, too little
    expect(groups).toEqual([
      { members: [0, 2], cosine: 0.7, together: 0 },
      { members: [1, 3], cosine: 0, together: 5 / 9 },
    ]);
  });

  it('make no chain of what is half alike', () => {
    const input = {
      cosine: matrix(3, ones(3), { '0,1': 0.8, '1,2': 0.8, '0,2': 0.1 }),
      both: matrix(3, [1, 1, 1], {}),
      active: [1, 1, 1],
    };
    expect(latentGroups(input).map(({ members }) => members)).toEqual([[0, 1]]);
    expect(latentGroups(input, { cosine: 0.1 }).map(({ members, cosine }) => [members, cosine])).toEqual([
      [[0, 1, 2], 0.1],
    ]);
  });

  it('take the limits themselves for alike, and nothing below', () => {
    const active = [3e9, 3e9, 3e9];
    const input = (cosine: number, both: number) => ({
      cosine: matrix(3, ones(3), { '0,1': cosine }),
      both: matrix(3, active, { '1,2': both }),
      active,
    });
    const members = (cosine: number, both: number) =>
      latentGroups(input(cosine, both)).map((one) => one.members);
    // 2e9 / (3e9 + 3e9 − 2e9)
    expect(members(0.6, 0)).toEqual([[0, 1]]);
    expect(members(0, 2e9)).toEqual([[1, 2]]);
    expect(members(0.5999, 1.999e9)).toEqual([]);
  });

  it('tell copies of one latent by the greatest values there are', () => {
    const input = {
      cosine: matrix(2, ones(2), { '0,1': 1 }),
      both: matrix(2, [7, 7], { '0,1': 7 }),
      active: [7, 7],
    };
    expect(latentGroups(input)).toEqual([{ members: [0, 1], cosine: 1, together: 1 }]);
  });

  it('take latents that never fire for alone', () => {
    const input = { cosine: matrix(2, ones(2), {}), both: matrix(2, [0, 0], {}), active: [0, 0] };
    expect(latentGroups(input)).toEqual([]);
  });
});
