/** One contract for every selector, and what each one ranks by, on numbers made by hand. */
import { describe, expect, it } from 'vitest';
import { meanContrastiveGradient } from '../../../src/methods/attribution/selectors/gradientCosine.ts';
import type { SelectorEvidence } from '../../../src/methods/attribution/selectors/selector.ts';
import {
  type SelectorName,
  selectorNamed,
  selectorNames,
  selectors,
} from '../../../src/methods/attribution/selectors/selectors.ts';
import type { ActivationMeans } from '../../../src/methods/site/activations.ts';
import { madeEvidence, type SelectorOrder, selectorContract } from '../../support/selectorContract.ts';

/** What each selector ranks by; random ranks by nothing. */
const orders: { readonly [name in SelectorName]: SelectorOrder } = {
  'delta-attribution': { score: async ({ delta }, i) => delta[i]! },
  'delta-activation': { score: async (evidence, i) => (await evidence.deltaActivation())[i]! },
  'activation-difference': {
    async score(evidence, i) {
      const { positive, negative } = await evidence.completions();
      return positive.mean[i]! - negative.mean[i]!;
    },
  },
  'frequency-difference': {
    async score(evidence, i) {
      const { positive, negative } = await evidence.completions();
      return positive.frequency[i]! - negative.frequency[i]!;
    },
  },
  'gradient-cosine': {
    async score(evidence, i) {
      const row = await evidence.dictionary.decoderRows(i, i + 1);
      const gradient = await evidence.gradient();
      return Math.abs(row.reduce((sum, x, j) => sum + x * gradient[j]!, 0)) / Math.hypot(...gradient);
    },
    approximate: true,
  },
  'exact-ablation': { score: async (evidence, i) => (await evidence.exact([i]))[0]! },
  random: {},
};

for (const selector of selectors) selectorContract(selector, orders[selector.name]);

it('every name leads to its own selector, each once; another is refused', () => {
  expect(new Set(selectorNames).size).toBe(selectors.length);
  expect(selectorNames.map((name) => selectorNamed(name))).toEqual(selectors);
  expect(() => selectorNamed('delta')).toThrow(/expected one of delta-attribution, .*found "delta"/);
});

/**
 * Five latents along the axes and the diagonal of a plane, all alive; what is not given rejects when asked
 * for.
 */
function plane(over: Partial<SelectorEvidence>): SelectorEvidence {
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
  it.each<[SelectorName, Partial<SelectorEvidence>, number[]]>([
    ['delta-attribution', { delta: Float32Array.of(-3, 2, 0, 4, 1) }, [3, 1, 4]],
    ['delta-activation', { deltaActivation: async () => Float32Array.of(1, -2, 7, 0, 3) }, [2, 4, 0]],
    ['activation-difference', { completions }, [4, 1, 2]],
    ['frequency-difference', { completions }, [1, 4, 3]],
    // |cos| with (0, −2): 0, 1, 0, 1, 0.71
    ['gradient-cosine', { gradient: async () => Float32Array.of(0, -2) }, [1, 3, 4]],
  ])('%s', async (name, over, expected) => {
    expect(await selectorNamed(name).select(plane(over), 3)).toEqual(expected);
  });

  it('exact-ablation runs four times as many as it gives, those that delta-attribution has first', async () => {
    const evidence = plane({
      delta: Float32Array.of(5, 4, 3, 2, 1),
      exact: async (asked) => {
        expect(asked).toEqual([0, 1, 2, 3]);
        return Float32Array.of(0.1, 0.5, 0.7, -2);
      },
    });
    expect(await selectorNamed('exact-ablation').select(evidence, 1)).toEqual([2]);
    const made = madeEvidence(60, 8);
    await selectorNamed('exact-ablation').select(made, 5);
    expect(made.exactCalls).toEqual([await selectorNamed('delta-attribution').select(made, 20)]);
  });

  it('random: every latent as often, in an order by the seed that a greater count goes on with', async () => {
    const firsts = new Array<number>(5).fill(0);
    for (let seed = 0; seed < 500; seed++) {
      const all = await selectorNamed('random').select(plane({ seed }), 5);
      expect(await selectorNamed('random').select(plane({ seed }), 2)).toEqual(all.slice(0, 2));
      firsts[all[0]!]!++;
    }
    // 100 each, with a standard deviation of 9
    for (const times of firsts) expect(Math.abs(times - 100)).toBeLessThan(40);
  });
});

it('a study without a reference model cannot be diffed: the reason comes through', async () => {
  const attempt = selectorNamed('delta-activation').select(plane({}), 1);
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
  expect(await selectorNamed('gradient-cosine').select(evidence, 1)).toEqual([latents - 2]);
  expect(reads).toEqual([1 << 18, 1 << 18, 1]);
  const zero = selectorNamed('gradient-cosine').select(
    plane({ gradient: async () => new Float32Array(2) }),
    1,
  );
  await expect(zero).rejects.toThrow('gradient is zero');
});

it('the mean contrastive gradient sums a contrast’s rows, and averages contrasts', () => {
  const rows = [{ gradient: Float32Array.of(1, 2, 3, 4) }, { gradient: Float32Array.of(-2, 0) }];
  expect([...meanContrastiveGradient(rows, 2)]).toEqual([1, 3]);
  expect(() => meanContrastiveGradient([], 2)).toThrow('no contrasts');
});
