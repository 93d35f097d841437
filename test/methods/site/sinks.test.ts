/** Norms, the lower median, and which tokens are attention sinks. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowerMedian, rowNorms, sinkFactor, sinksOf } from '../../../src/methods/site/sinks.ts';

const norms = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 12 });

describe('lowerMedian', () => {
  it.each([
    [[3], 3],
    [[4, 1], 1],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2],
    [[10, 9, 2, 100], 9],
  ])('of %j is %d, as torch.median gives it', (values, expected) => {
    expect(lowerMedian(values)).toBe(expected);
  });

  it('leaves as many values below as above, or one fewer; and the values where they were', () => {
    fc.assert(
      fc.property(norms, (values) => {
        const before = [...values];
        const median = lowerMedian(values);
        expect(values).toEqual(before);
        expect(values).toContain(median);
        expect(values.filter((x) => x < median).length).toBeLessThanOrEqual((values.length - 1) / 2);
        expect(values.filter((x) => x > median).length).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });

  it('of nothing is no number', () => {
    expect(lowerMedian([])).toBeNaN();
    expect(sinksOf([1, 2], [])).toEqual([]);
  });
});

describe('sinksOf', () => {
  it('takes norms beyond ten times the median, not those at it', () => {
    expect(sinkFactor).toBe(10);
    expect(sinksOf([101, 10, 10, 10], [0, 1, 2, 3])).toEqual([0]);
    expect(sinksOf([100, 10, 10, 10], [0, 1, 2, 3])).toEqual([]);
    expect(sinksOf([10, 10, 31, 10], [0, 1, 2, 3], 3)).toEqual([2]);
  });

  it('of an even number of tokens measures by the smaller middle one', () => {
    expect(sinksOf([1, 1, 11, 11], [0, 1, 2, 3])).toEqual([2, 3]);
    expect(sinksOf([2, 2, 20, 20], [0, 1, 2, 3])).toEqual([]);
  });

  it('looks at the places of one sequence only', () => {
    const all = [50, 1, 1, 50, 50];
    expect(sinksOf(all, [0, 1, 2])).toEqual([0]);
    expect(sinksOf(all, [0, 3, 4])).toEqual([]);
  });

  it('is no matter of scale or order', () => {
    fc.assert(
      fc.property(norms, fc.constantFrom(0.5, 4, 1024), (values, scale) => {
        const places = [...values.keys()];
        const sinks = sinksOf(values, places, 3);
        const limit = 3 * [...values].sort((a, b) => a - b)[Math.ceil(values.length / 2) - 1]!;
        expect(sinks).toEqual(places.filter((place) => values[place]! > limit));
        const scaled = values.map((x) => x * scale);
        expect(sinksOf(scaled, places, 3)).toEqual(sinks);
        expect(sinksOf(values, places.toReversed(), 3)).toEqual(sinks.toReversed());
      }),
    );
  });
});

it('rowNorms are Euclidean, in float64', () => {
  expect([...rowNorms(Float32Array.of(3, 4, 0, 0, -5, 12), 2)]).toEqual([5, 0, 13]);
  // 3e19² does not fit into float32
  expect(rowNorms(Float32Array.of(3e19, 4e19), 2)[0]! / 5e19).toBeCloseTo(1, 6);
});
