/** What is kept of a stream of passages, against a loop that keeps everything. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PassageFinds, type ReadPassage } from '../../../src/methods/interpretation/passages.ts';

const n = 3;
const textOf = (id: number) => `<${id}>`;
const options = { top: 4, sample: 6, parts: 3, shown: 2, zero: 3, before: 2, after: 1 };

const value = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 40 }).map((x) => x / 8) },
);
const token = fc.oneof(
  { weight: 6, arbitrary: fc.array(value, { minLength: n, maxLength: n }) },
  { weight: 1, arbitrary: fc.constant(Array<number>(n).fill(Number.NaN)) },
);
const stream: fc.Arbitrary<ReadPassage[]> = fc
  .array(fc.array(token, { minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 25 })
  .map((passages) =>
    passages.map((rows, line) => ({
      corpus: line % 2,
      line,
      ids: rows.map((_, t) => 100 * line + t),
      z: Float32Array.from(rows.flat()),
    })),
  );

const all = (passages: readonly ReadPassage[]) => {
  const seen = new PassageFinds(n, options);
  for (const passage of passages) seen.add(passage);
  return seen;
};

/** Activations of latent i in a passage; sinks are NaN. */
const along = ({ ids, z }: ReadPassage, i: number) => ids.map((_, t) => z[t * n + i]!);
/** The place of its greatest activation, the first of equal ones; undefined where it is never active. */
const peakOf = (passage: ReadPassage, i: number) => {
  const values = along(passage, i);
  const greatest = Math.max(...values.filter((x) => x > 0), 0);
  return greatest > 0 ? { at: values.indexOf(greatest), greatest } : undefined;
};

describe('Passages', () => {
  it('count as the direct loop does', () => {
    fc.assert(
      fc.property(stream, (passages) => {
        const seen = all(passages);
        const found = seen.results(textOf);
        for (let i = 0; i < n; i++) {
          const values = passages.flatMap((passage) => along(passage, i));
          const firing = values.filter((x) => x > 0);
          const { tokens, active, passages: count, active_passages, mean, max, histogram } = found[i]!;
          expect(tokens).toBe(values.filter((x) => !Number.isNaN(x)).length);
          expect(active).toBe(firing.length);
          expect(count).toBe(passages.length);
          expect(active_passages).toBe(passages.filter((passage) => peakOf(passage, i)).length);
          expect(max).toBe(Math.max(0, ...firing));
          if (firing.length === 0) expect(mean).toBeNull();
          else expect(mean).toBeCloseTo(firing.reduce((a, b) => a + b) / firing.length, 9);
          histogram.counts.forEach((bin, k) => {
            const [low, high] = [histogram.edges[k]!, histogram.edges[k + 1]!];
            // an edge of the form 2^(b/8) lies within rounding of the value that is equal to it
            const within = firing.filter(
              (x) => Math.log2(x) >= Math.log2(low) - 1e-12 && Math.log2(x) < Math.log2(high) - 1e-12,
            );
            expect(within.length).toBe(bin);
          });
          expect(histogram.counts.reduce((a, b) => a + b, 0)).toBe(firing.length);
          for (let j = 0; j < n; j++) {
            const others = passages.flatMap((passage) => along(passage, j));
            expect(seen.both[i]![j]).toBe(values.filter((x, t) => x > 0 && others[t]! > 0).length);
          }
        }
      }),
    );
  });

  it('show the greatest activations, one a passage, the earlier of equal ones first, with the tokens around', () => {
    fc.assert(
      fc.property(stream, (passages) => {
        const found = all(passages).results(textOf);
        for (let i = 0; i < n; i++) {
          const wanted = passages
            .flatMap((passage) => {
              const peak = peakOf(passage, i);
              return peak ? [{ passage, ...peak }] : [];
            })
            .sort((a, b) => b.greatest - a.greatest || a.passage.line - b.passage.line)
            .slice(0, options.top);
          expect(found[i]!.top).toEqual(
            wanted.map(({ passage, at }) => {
              const start = Math.max(0, at - options.before);
              const ids = passage.ids.slice(start, at + options.after + 1);
              const activations = along(passage, i).slice(start, at + options.after + 1);
              return {
                corpus: passage.corpus,
                line: passage.line,
                start,
                peak: at - start,
                ids,
                tokens: ids.map(textOf),
                activations: activations.map((x) => (Number.isNaN(x) ? null : x)),
              };
            }),
          );
        }
      }),
    );
  });

  it('sample active passages by parts of equal count from low to high, and windows without activity', () => {
    fc.assert(
      fc.property(stream, (passages) => {
        for (const [i, { quantiles, zero, active_passages }] of all(passages).results(textOf).entries()) {
          const sampled = Math.min(active_passages, options.sample);
          expect(quantiles.length).toBe(Math.min(options.parts, sampled));
          quantiles.forEach(({ low, high, passages: shown }, part) => {
            if (part > 0) expect(low).toBeGreaterThanOrEqual(quantiles[part - 1]!.high);
            expect(shown.length).toBeGreaterThan(0);
            for (const { line, peak, activations } of shown) {
              const { greatest } = peakOf(passages[line]!, i)!;
              expect(activations[peak]).toBe(greatest);
              expect(greatest).toBeGreaterThanOrEqual(low);
              expect(greatest).toBeLessThanOrEqual(high);
            }
          });
          for (const { activations } of zero)
            expect(activations.every((x) => x === null || x === 0)).toBe(true);
          expect(new Set(zero.map(({ line }) => line)).size).toBe(zero.length);
        }
      }),
    );
  });

  it('are the same after a checkpoint at any point, and with all passages equally likely', () => {
    fc.assert(
      fc.property(stream, fc.nat(25), (passages, cut) => {
        const seen = new PassageFinds(n, options);
        for (const passage of passages.slice(0, cut)) seen.add(passage);
        const again = new PassageFinds(n, options, JSON.parse(JSON.stringify(seen.snapshot())));
        for (const passage of passages.slice(cut)) again.add(passage);
        expect(JSON.stringify(again.results(textOf))).toBe(JSON.stringify(all(passages).results(textOf)));
      }),
    );
  });

  it('draw without preference for early or late passages', () => {
    const lines = Array.from({ length: 400 }, (_, line) => line);
    let early = 0;
    let drawn = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const seen = new PassageFinds(1, { sample: 20, parts: 1, shown: 20, seed });
      for (const line of lines) seen.add({ corpus: 0, line, ids: [1], z: Float32Array.of(1) });
      const shown = seen.results(textOf)[0]!.quantiles[0]!.passages;
      drawn += shown.length;
      early += shown.filter(({ line }) => line < 200).length;
    }
    // 800 draws: 400 ± 5 standard deviations of 14
    expect(drawn).toBe(800);
    expect(Math.abs(early - 400)).toBeLessThan(71);
  });

  it('keep no more for ten times the passages', () => {
    const sizes = [100, 1000].map((count) => {
      const seen = new PassageFinds(1);
      for (let line = 0; line < count; line++)
        seen.add({ corpus: 0, line, ids: [1, 2, 3], z: Float32Array.of(0, 1 + (line % 7), 0) });
      return JSON.stringify(seen.snapshot()).length;
    });
    expect(sizes[1]! / sizes[0]!).toBeLessThan(1.2);
  });
});
