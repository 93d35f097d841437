/**
 * A token from a distribution: every id has the share of [0, 1) that its probability says, truncations as
 * their definitions.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawFrom, type Truncation } from '../../../src/methods/completions/draw.ts';
import { argmax } from '../../../src/methods/statistics/argmax.ts';

const p = Float32Array.of(0.15, 0.5, 0.05, 0, 0.3);

/** The ids that uniform numbers on a fine grid give, with their shares. */
function shares(probabilities: Float32Array, truncation: Truncation): Map<number, number> {
  const counts = new Map<number, number>();
  const n = 10_000;
  for (let i = 0; i < n; i++) {
    const id = drawFrom(probabilities, (i + 0.5) / n, truncation);
    counts.set(id, (counts.get(id) ?? 0) + 1 / n);
  }
  return counts;
}

describe('drawFrom', () => {
  it.each<[Truncation, readonly number[]]>([
    [{}, [0.15, 0.5, 0.05, 0, 0.3]],
    [{ topK: 2 }, [0, 0.5, 0, 0, 0.3]],
    [{ topK: 1 }, [0, 1, 0, 0, 0]],
    [{ topK: 9 }, [0.15, 0.5, 0.05, 0, 0.3]],
    [{ topP: 0.49 }, [0, 0.5, 0, 0, 0]],
    [{ topP: 0.51 }, [0, 0.5, 0, 0, 0.3]],
    [{ topP: 0.81 }, [0.15, 0.5, 0, 0, 0.3]],
    [{ minP: 0.3 }, [0.15, 0.5, 0, 0, 0.3]],
    [{ minP: 0.61 }, [0, 0.5, 0, 0, 0]],
    // of the two that top-k leaves, the first alone has 62.5 %
    [{ topK: 2, topP: 0.6 }, [0, 0.5, 0, 0, 0]],
    [{ topK: 3, topP: 0.9, minP: 0.4 }, [0, 0.5, 0, 0, 0.3]],
  ])('%j leaves %j', (truncation, left) => {
    const total = left.reduce((a, b) => a + b, 0);
    const found = shares(p, truncation);
    left.forEach((x, id) => {
      expect(Math.abs((found.get(id) ?? 0) - x / total)).toBeLessThan(2e-4);
    });
  });

  it('of equal probabilities top-k keeps the lower id', () => {
    expect([...shares(Float32Array.of(0.25, 0.25, 0.25, 0.25), { topK: 2 }).keys()]).toEqual([0, 1]);
  });

  it('never draws what has no probability, whatever the number', () => {
    const weight = fc.oneof(fc.constant(0), fc.float({ min: Math.fround(1e-6), max: 1, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(weight, { minLength: 1, maxLength: 40 }).filter((w) => w.some((x) => x > 0)),
        fc.constantFrom(0, 0.5, 1 - 2 ** -53),
        fc.record({
          topK: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
          topP: fc.constantFrom(undefined, 0.1, 0.5, 0.99, 1),
          minP: fc.constantFrom(undefined, 0, 0.05, 1),
        }),
        (weights, uniform, truncation) => {
          const probabilities = Float32Array.from(weights);
          expect(probabilities[drawFrom(probabilities, uniform, truncation)]).toBeGreaterThan(0);
        },
      ),
    );
  });
});

it('argmax is the lowest place of the greatest', () => {
  expect(argmax([1, 3, 2, 3])).toBe(1);
  expect(argmax([Number.NEGATIVE_INFINITY])).toBe(0);
});
