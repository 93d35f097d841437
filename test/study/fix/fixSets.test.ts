/** Which sets of latents are tried, which is taken, and on which prompts it is measured. */
import { describe, expect, it } from 'vitest';
import type { LatentRow, SteeringRow } from '../../../src/results.ts';
import { bestOf } from '../../../src/study/fix/fixMeasure.ts';
import { measuredOn } from '../../../src/study/fix/fixSearch.ts';
import { type FixLatent, orderedLatents, setsOf } from '../../../src/study/fix/fixSets.ts';

const row = (latent: number, delta: number, standard_error: number, q: number | null = 0.1) =>
  ({ latent, delta, standard_error, q }) as LatentRow;
const rows = [
  row(4, 9, 3),
  row(7, 8, 1),
  row(2, 5, 4),
  row(9, 4, 0.25),
  row(5, 3, 0.1, null),
  row(1, -2, 0.1),
];
const arm = (latent: number, effect: number, over: Partial<SteeringRow> = {}) =>
  ({ latent, effect, operation: 'remove', role: 'candidate', verdict: 'confirmed', ...over }) as SteeringRow;
const steered = [
  arm(4, -0.2),
  arm(2, -0.5),
  arm(8, -0.9, { role: 'random' }),
  arm(7, -0.9, { verdict: 'suggestive' }),
  arm(9, -0.9, { operation: 'add' }),
];

const known = new Map(
  rows.map(({ latent }): [number, FixLatent] => {
    const direction = new Float32Array(12);
    direction[latent] = 1;
    return [latent, { latent, sign: 1, direction }];
  }),
);
const numbers = ({ latents }: { latents: readonly FixLatent[] }) => latents.map(({ latent }) => latent);

describe('the first latents', () => {
  it('are those that support the positives and are alive, by each order; confirmed by removal, strongest first', () => {
    const found = orderedLatents(rows, steered, {
      orders: ['confirmed', 'delta', 'certainty'],
      sizes: [1, 3],
    });
    expect([...found]).toEqual([
      ['confirmed', [2, 4]],
      ['delta', [4, 7, 2]],
      ['certainty', [9, 7, 4]],
    ]);
  });

  it('make sets of the sizes asked, each once, with all orders that it is the first by', () => {
    const ordered = new Map([
      ['confirmed', [4]],
      ['delta', [4, 7, 2]],
      ['certainty', [7, 4]],
    ] as const);
    expect(setsOf(ordered, [1, 2, 3], known).map((set) => [numbers(set), set.orders])).toEqual([
      [[4], ['confirmed', 'delta']],
      [
        [4, 7],
        ['delta', 'certainty'],
      ],
      [[4, 7, 2], ['delta']],
      [[7], ['certainty']],
    ]);
  });

  it('one whose direction lies in the span of those before is passed over', () => {
    const twice = new Map(known).set(7, { latent: 7, sign: 1, direction: known.get(4)!.direction });
    expect(setsOf(new Map([['delta', [4, 7, 2]]]), [2], twice).map(numbers)).toEqual([[4, 2]]);
  });
});

describe('the best', () => {
  const tally = (positives: number, coherent: number, completions = 10) => ({
    positives,
    coherent,
    completions,
  });
  const one = (latents: readonly number[], ...of: Parameters<typeof tally>) => ({
    latents,
    tally: tally(...of),
  });
  const alone = tally(8, 10);

  it('leaves the least share of positives among coherent texts; of equal ones it has the fewest latents', () => {
    expect(bestOf([one([1, 2], 3, 10), one([1], 3, 10), one([3], 4, 10)], alone, 0.2)?.latents).toEqual([1]);
  });

  it('does not break more texts than may be', () => {
    expect(bestOf([one([1], 0, 7), one([2], 6, 9)], alone, 0.2)?.latents).toEqual([2]);
  });

  it('is none where nothing is lower than before', () => {
    expect(bestOf([one([1], 8, 10), one([2], 0, 0)], alone, 0.2)).toBeUndefined();
  });
});

it('a fix of confirmed latents is measured where they were not confirmed, any other on all prompts', () => {
  expect(measuredOn(['confirmed'], 5)).toEqual({ parts: ['aside'], aside: true });
  expect(measuredOn(['confirmed'], 1)).toEqual({ parts: ['evaluation', 'aside'], aside: false });
  expect(measuredOn(['confirmed', 'delta'], 5)).toEqual({ parts: ['evaluation', 'aside'], aside: false });
  expect(measuredOn(['delta'], 0)).toEqual({ parts: ['evaluation'], aside: false });
});
