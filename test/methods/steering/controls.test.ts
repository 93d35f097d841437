/** Matched controls: as frequent as the candidates, and nothing else about them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchedControls } from '../../../src/methods/steering/controls.ts';
import { draw } from '../../support/opCases.ts';

/** Frequencies over four decades, a tenth of the latents dead. */
function frequencies(latents: number, seed: number): Float32Array {
  const d = draw(seed);
  return Float32Array.from({ length: latents }, (_, i) =>
    i % 10 === 3 ? 0 : Math.min(1, 10 ** (-2.5 + 0.7 * d.normal())),
  );
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

describe('matchedControls', () => {
  const frequency = frequencies(4000, 1);
  const byFrequency = [...frequency.keys()].sort((a, b) => frequency[b]! - frequency[a]!);
  const logs = (latents: readonly number[]) => latents.map((i) => Math.log(frequency[i]!));

  it.each([
    ['much more frequent than the average latent', 40],
    ['much rarer', 3200],
  ])('have the frequencies of candidates that are %s', (_, from) => {
    const candidates = byFrequency.slice(from, from + 400).filter((_, i) => i % 4 === 0);
    const controls = matchedControls(frequency, candidates, 200, 7);
    const average = median(logs(byFrequency.filter((i) => frequency[i]! > 0)));
    const [own, theirs] = [median(logs(controls)), median(logs(candidates))];
    expect(Math.abs(theirs - average)).toBeGreaterThan(1);
    expect(Math.abs(own - theirs)).toBeLessThan(0.1);
    const spread = (values: readonly number[]) => {
      const sorted = [...values].sort((a, b) => a - b);
      return sorted[Math.floor(0.9 * sorted.length)]! - sorted[Math.floor(0.1 * sorted.length)]!;
    };
    expect(spread(logs(controls)) / spread(logs(candidates))).toBeGreaterThan(0.8);
    expect(spread(logs(controls)) / spread(logs(candidates))).toBeLessThan(1.25);
  });

  it('are distinct, alive, no candidates, the same for a seed; more of them keep the first', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 30, max: 120 }),
        fc.integer(),
        fc.integer({ min: 1, max: 10 }),
        (latents, seed, chosen) => {
          const given = frequencies(latents, seed);
          const candidates = [...given.keys()].filter((i) => i % 10 !== 3).slice(0, chosen);
          const free = [...given.keys()].filter((i) => given[i]! > 0 && !candidates.includes(i));
          const all = matchedControls(given, candidates, free.length, seed);
          expect([...all].sort((a, b) => a - b)).toEqual(free);
          for (const count of [0, 1, free.length >> 1])
            expect(matchedControls(given, candidates, count, seed)).toEqual(all.slice(0, count));
        },
      ),
      { numRuns: 30 },
    );
    const candidates = byFrequency.slice(0, 20);
    const first = matchedControls(frequency, candidates, 20, 1);
    expect(matchedControls(frequency, candidates, 20, 2)).not.toEqual(first);
  });

  it('of equally frequent latents any may come', () => {
    const flat = new Float32Array(200).fill(0.1);
    const seen = new Set(Array.from({ length: 60 }, (_, seed) => matchedControls(flat, [0], 1, seed)[0]!));
    expect(Math.max(...seen) - Math.min(...seen)).toBeGreaterThan(150);
    expect(seen.size).toBeGreaterThan(40);
  });

  it('a candidate that never fired has nothing to match; others stand in', () => {
    const given = Float32Array.of(0, 0.5, 0.5, 0.5);
    expect(matchedControls(given, [0, 1], 2, 3).sort()).toEqual([2, 3]);
    expect(() => matchedControls(given, [0], 1, 3)).toThrow('no candidate ever fired');
  });

  it('refuses more than there are', () => {
    const attempt = () => matchedControls(Float32Array.of(0.1, 0.2, 0, 0.4), [0], 3, 1);
    expect(attempt).toThrow(RangeError);
    expect(attempt).toThrow('3 controls asked, 2 latents fired that are no candidate');
  });
});
