/** One contract for every selector, and what each one ranks by, on numbers made by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanContrastiveGradient } from '../../../src/methods/attribution/selectors/gradientCosine.ts';
import {
  type Evidence,
  type SelectorName,
  selectorNames,
} from '../../../src/methods/attribution/selectors/selector.ts';
import { selectors } from '../../../src/methods/attribution/selectors/selectors.ts';
import type { ActivationMeans } from '../../../src/methods/site/activations.ts';
import { madeDictionary } from '../../support/directions.ts';
import { draw } from '../../support/opCases.ts';

const width = 4;

/** Random evidence of N latents: each fifth is dead, each seventh has a direction of zeros; scores take few values, so that many are equal. */
function madeEvidence(latents: number, seed: number): Evidence & { readonly exactCalls: number[][] } {
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

type Score = (evidence: Evidence, latent: number) => Promise<number>;

/** What each selector ranks by; random ranks by nothing. */
const scoreOf: { readonly [name in SelectorName]: Score | undefined } = {
  'delta-attribution': async ({ delta }, i) => delta[i]!,
  'delta-activation': async (evidence, i) => (await evidence.deltaActivation())[i]!,
  'activation-difference': async (evidence, i) => {
    const { positive, negative } = await evidence.completions();
    return positive.mean[i]! - negative.mean[i]!;
  },
  'frequency-difference': async (evidence, i) => {
    const { positive, negative } = await evidence.completions();
    return positive.frequency[i]! - negative.frequency[i]!;
  },
  'gradient-cosine': async (evidence, i) => {
    const row = await evidence.dictionary.decoderRows(i, i + 1);
    const gradient = await evidence.gradient();
    return Math.abs(row.reduce((sum, x, j) => sum + x * gradient[j]!, 0)) / Math.hypot(...gradient);
  },
  'exact-ablation': async (evidence, i) => (await evidence.exact([i]))[0]!,
  random: undefined,
};

const cases = fc.record({
  latents: fc.integer({ min: 10, max: 60 }),
  count: fc.integer({ min: 0, max: 12 }),
  seed: fc.integer(),
});

describe.each(selectorNames)('%s', (name) => {
  const selector = selectors[name];

  it('stands in the table by its name, and says what it is', () => {
    expect(selector.name).toBe(name);
    expect(selector.about).not.toBe('');
  });

  it('gives as many distinct latents as are asked, alive and with a direction; all there are where that is fewer', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ latents, count, seed }) => {
        const evidence = madeEvidence(latents, seed);
        const usable = [...Array(latents).keys()].filter((i) => i % 5 !== 4 && i % 7 !== 6);
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

  it('goes down in score, and by number where scores are equal', async () => {
    const score = scoreOf[name];
    if (!score) return;
    await fc.assert(
      fc.asyncProperty(cases, async ({ latents, seed }) => {
        const evidence = madeEvidence(latents, seed);
        const chosen = await selector.select(evidence, latents);
        const values: number[] = [];
        for (const latent of chosen) values.push(Math.fround(await score(evidence, latent)));
        for (let k = 1; k < chosen.length; k++) {
          expect(values[k]!).toBeLessThanOrEqual(values[k - 1]! + 1e-6);
          if (name !== 'gradient-cosine' && values[k] === values[k - 1])
            expect(chosen[k]!).toBeGreaterThan(chosen[k - 1]!);
        }
      }),
      { numRuns: 25 },
    );
  });
});

/** Five latents along the axes and the diagonal of a plane, all alive; what is not given rejects when asked for. */
function plane(over: Partial<Evidence>): Evidence {
  const rows = Float32Array.of(1, 0, 0, 1, -1, 0, 0, -1, Math.SQRT1_2, Math.SQRT1_2);
  const missing = () => Promise.reject(new Error('not to be asked for'));
  return {
    latents: 5,
    dictionary: { width: 2, latents: 5, decoderRows: async (from, to) => rows.slice(2 * from, 2 * to) },
    delta: new Float32Array(5),
    frequency: async () => new Float32Array(5).fill(0.1),
    deltaActivation: missing,
    completions: missing,
    gradient: missing,
    exact: missing,
    seed: 1,
    ...over,
  };
}

const side = (mean: number[], frequency: number[]): ActivationMeans => ({
  mean: Float32Array.from(mean),
  frequency: Float32Array.from(frequency),
  tokens: 10,
});

describe('each asks for no more than it needs, and ranks by', () => {
  const completions = async () => ({
    positive: side([5, 1, 0, 2, 3], [0.1, 0.9, 0.2, 0.3, 0.5]),
    negative: side([6, 0, 0, 4, 0], [0.1, 0.1, 0.4, 0.2, 0.1]),
  });
  it.each<[SelectorName, Partial<Evidence>, number[]]>([
    ['delta-attribution', { delta: Float32Array.of(-3, 2, 0, 4, 1) }, [3, 1, 4]],
    ['delta-activation', { deltaActivation: async () => Float32Array.of(1, -2, 7, 0, 3) }, [2, 4, 0]],
    ['activation-difference', { completions }, [4, 1, 2]],
    ['frequency-difference', { completions }, [1, 4, 3]],
    // |cos| with (0, −2): 0, 1, 0, 1, 0.71
    ['gradient-cosine', { gradient: async () => Float32Array.of(0, -2) }, [1, 3, 4]],
  ])('%s', async (name, over, expected) => {
    expect(await selectors[name].select(plane(over), 3)).toEqual(expected);
  });

  it('exact-ablation runs four times as many as it gives, those that delta-attribution has first', async () => {
    const evidence = plane({
      delta: Float32Array.of(5, 4, 3, 2, 1),
      exact: async (asked) => {
        expect(asked).toEqual([0, 1, 2, 3]);
        return Float32Array.of(0.1, 0.5, 0.7, -2);
      },
    });
    expect(await selectors['exact-ablation'].select(evidence, 1)).toEqual([2]);
    const made = madeEvidence(60, 8);
    await selectors['exact-ablation'].select(made, 5);
    expect(made.exactCalls).toEqual([await selectors['delta-attribution'].select(made, 20)]);
  });

  it('random: every latent as often, in an order by the seed that a greater count goes on with', async () => {
    const firsts = new Array<number>(5).fill(0);
    for (let seed = 0; seed < 500; seed++) {
      const all = await selectors.random.select(plane({ seed }), 5);
      expect(await selectors.random.select(plane({ seed }), 2)).toEqual(all.slice(0, 2));
      firsts[all[0]!]!++;
    }
    // 100 each, with a standard deviation of 9
    for (const times of firsts) expect(Math.abs(times - 100)).toBeLessThan(40);
  });
});

it('a study without a reference model cannot be diffed: the reason comes through', async () => {
  const attempt = selectors['delta-activation'].select(plane({}), 1);
  await expect(attempt).rejects.toThrow('not to be asked for');
});

it('gradient-cosine goes through the decoder in chunks, and refuses a gradient of zeros', async () => {
  const latents = 1 << 19;
  const reads: number[] = [];
  const evidence = plane({
    latents,
    frequency: async () => new Float32Array(latents).fill(1),
    gradient: async () => Float32Array.of(3, 0, 0, 0),
    dictionary: {
      width: 4,
      latents,
      async decoderRows(from, to) {
        reads.push(to - from);
        return Float32Array.from({ length: 4 * (to - from) }, (_, at) =>
          Number(at === 4 * (latents - 2 - from)),
        );
      },
    },
  });
  expect(await selectors['gradient-cosine'].select(evidence, 1)).toEqual([latents - 2]);
  expect(reads).toEqual([1 << 18, 1 << 18, 1]);
  const zero = selectors['gradient-cosine'].select(plane({ gradient: async () => new Float32Array(2) }), 1);
  await expect(zero).rejects.toThrow('gradient is zero');
});

it('the mean contrastive gradient sums a contrast’s rows, and averages contrasts', () => {
  const rows = [{ gradient: Float32Array.of(1, 2, 3, 4) }, { gradient: Float32Array.of(-2, 0) }];
  expect([...meanContrastiveGradient(rows, 2)]).toEqual([1, 3]);
  expect(() => meanContrastiveGradient([], 2)).toThrow('no contrasts');
});
