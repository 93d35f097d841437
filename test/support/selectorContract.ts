/** What holds for every selector, and made-up evidence to check it on. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Selector, SelectorEvidence } from '../../src/methods/attribution/selectors/selector.ts';
import type { ActivationMeans } from '../../src/methods/site/activations.ts';
import { madeDictionary } from './directions.ts';
import { draw } from './opCases.ts';

const width = 4;

/**
 * Random evidence of N latents: each fifth is dead, each seventh has a direction of zeros; scores take few
 * values, so that many are equal.
 */
export function madeEvidence(
  latents: number,
  seed: number,
): SelectorEvidence & { readonly exactCalls: number[][] } {
  const d = draw(seed);
  const scores = () => Float32Array.from({ length: latents }, () => Math.round(4 * d.normal()) / 4);
  const dictionary = madeDictionary(latents, width, seed);
  dictionary.directions.forEach((_, at) => {
    if (Math.floor(at / width) % 7 === 6) dictionary.directions[at] = 0;
  });
  const side = (): ActivationMeans => ({ mean: scores(), frequency: scores(), tokens: 9 });
  const completions = { positive: side(), negative: side() };
  const [delta, deltaActivation, exact] = [scores(), scores(), scores()];
  const gradient = Float32Array.from({ length: width }, () => d.normal());
  const exactCalls: number[][] = [];
  return {
    latents,
    dictionary,
    delta,
    frequency: async () => Float32Array.from({ length: latents }, (_, i) => (i % 5 === 4 ? 0 : 0.01)),
    deltaActivation: async () => deltaActivation,
    completions: async () => completions,
    gradient: async () => gradient,
    async exact(asked) {
      exactCalls.push([...asked]);
      return Float32Array.from(asked, (i) => exact[i]!);
    },
    seed,
    exactCalls,
  };
}

const usableOf = (latents: number) => [...Array(latents).keys()].filter((i) => i % 5 !== 4 && i % 7 !== 6);

export interface SelectorOrder {
  /** what the selector ranks a latent by; one that ranks by nothing has none */
  readonly score?: ((evidence: SelectorEvidence, latent: number) => Promise<number>) | undefined;
  /**
   * whether scores are rounded differently here, so that equal ones need not be seen as equal; default
   * false
   */
  readonly approximate?: boolean;
}

const cases = fc.record({
  latents: fc.integer({ min: 10, max: 60 }),
  count: fc.integer({ min: 0, max: 12 }),
  seed: fc.integer(),
});

/** Tests of one selector. */
export function selectorContract(selector: Selector, { score, approximate = false }: SelectorOrder): void {
  describe(selector.name, () => {
    it('says what it is', () => {
      expect(selector.name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(selector.about).not.toBe('');
    });

    it('gives as many distinct latents as are asked, alive and with a direction; all where that is fewer', async () => {
      await fc.assert(
        fc.asyncProperty(cases, async ({ latents, count, seed }) => {
          const evidence = madeEvidence(latents, seed);
          const usable = usableOf(latents);
          const chosen = await selector.select(evidence, count);
          expect(chosen).toHaveLength(Math.min(count, usable.length));
          expect(new Set(chosen).size).toBe(chosen.length);
          for (const latent of chosen) expect(usable).toContain(latent);
          const all = await selector.select(evidence, latents);
          expect([...all].sort((a, b) => a - b)).toEqual(usable);
        }),
        { numRuns: 25 },
      );
    });

    it('is the same for the same evidence', async () => {
      const [first, again] = [madeEvidence(50, 3), madeEvidence(50, 3)];
      expect(await selector.select(again, 10)).toEqual(await selector.select(first, 10));
    });

    it('says whether it asks for exact effects', async () => {
      const evidence = madeEvidence(50, 4);
      await selector.select(evidence, 3);
      expect(evidence.exactCalls.length > 0).toBe(selector.exact ?? false);
    });

    if (!score) return;
    it('goes down in score, and by number where scores are equal', async () => {
      await fc.assert(
        fc.asyncProperty(cases, async ({ latents, seed }) => {
          const evidence = madeEvidence(latents, seed);
          const chosen = await selector.select(evidence, latents);
          const values: number[] = [];
          for (const latent of chosen) values.push(Math.fround(await score(evidence, latent)));
          for (let k = 1; k < chosen.length; k++) {
            expect(values[k]!).toBeLessThanOrEqual(values[k - 1]! + 1e-6);
            if (!approximate && values[k] === values[k - 1])
              expect(chosen[k]!).toBeGreaterThan(chosen[k - 1]!);
          }
        }),
        { numRuns: 25 },
      );
    });
  });
}
