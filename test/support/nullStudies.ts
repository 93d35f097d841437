/** Studies of the causal test made up from known truths: effects of directions, completions of prompts. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { gammasFrom } from '../../src/methods/statistics/gamma.ts';
import type { PromptTallies, Tally } from '../../src/methods/steering/effect.ts';
import type { SideEffects } from '../../src/methods/steering/inference.ts';

export interface MadeUp {
  readonly prompts: number;
  readonly completions: number;
  /** of positives, left alone, by side */
  readonly share: readonly number[];
  /** how alike the completions of a prompt are: correlation of two of them */
  readonly icc: number;
}

/** The chance of a positive, prompt by prompt: a beta distribution with the share and the icc. */
export function propensities(
  random: RandomGenerator,
  { prompts, share, icc }: { prompts: number; share: number; icc: number },
): number[] {
  if (icc === 0) return new Array<number>(prompts).fill(share);
  const total = 1 / icc - 1;
  const gamma = gammasFrom(random);
  return Array.from({ length: prompts }, () => {
    const [yes, no] = [gamma(share * total), gamma((1 - share) * total)];
    return yes + no === 0 ? share : yes / (yes + no);
  });
}

/** How many of n succeed, by inversion of one uniform number. */
function binomial(random: RandomGenerator, n: number, chance: number): number {
  let left = uniformFloat64(random);
  let probability = (1 - chance) ** n;
  let k = 0;
  while (k < n && left >= probability) {
    left -= probability;
    k++;
    probability = chance === 1 ? Number(k === n) : (probability * (n - k + 1) * chance) / (k * (1 - chance));
  }
  return k;
}

/** Completions of one prompt. */
export function drawTally(
  random: RandomGenerator,
  { chance, completions, coherent = 1 }: { chance: number; completions: number; coherent?: number },
): Tally {
  const kept = coherent < 1 ? binomial(random, completions, coherent) : completions;
  return { completions, coherent: kept, positives: binomial(random, kept, chance) };
}

/** The chance of a prompt moved by an effect: toward 1 or 0 so that the mean moves by about as much. */
export const moved = (chance: number, effect: number): number => Math.max(0, Math.min(1, chance + effect));

/**
 * Sides of a test: `effects[d]` are the true effects of all directions on side d, the random ones first.
 * `sampled`: which candidates are.
 */
export function madeUpSides(
  random: RandomGenerator,
  made: MadeUp,
  effects: readonly (readonly number[])[],
  {
    randoms,
    signs,
    sampled = () => true,
  }: {
    readonly randoms: number;
    readonly signs: readonly (1 | -1)[];
    readonly sampled?: (candidate: number) => boolean;
  },
): SideEffects[] {
  return effects.map((side, d) => {
    const chances = propensities(random, { prompts: made.prompts, share: made.share[d]!, icc: made.icc });
    const draw = (effect: number) => {
      const positives = new Uint8Array(chances.length);
      for (let j = 0; j < chances.length; j++)
        positives[j] = binomial(random, made.completions, moved(chances[j]!, effect));
      return positives;
    };
    const alone = draw(0);
    const steered = side.map((effect, i) => (i < randoms || sampled(i - randoms) ? draw(effect) : undefined));
    const share = (positives: Uint8Array) => {
      let sum = 0;
      for (let j = 0; j < positives.length; j++) sum += positives[j]!;
      return sum / (made.prompts * made.completions);
    };
    const effects = steered.map((positives) => (positives ? share(positives) - share(alone) : Number.NaN));
    const tally = (positives: number): Tally => ({
      completions: made.completions,
      coherent: made.completions,
      positives,
    });
    return {
      sign: signs[d]!,
      random: effects.slice(0, randoms),
      candidates: effects.slice(randoms),
      // most of a thousand studies are decided without them
      get prompts() {
        return steered
          .slice(randoms)
          .map((positives): PromptTallies[] =>
            Array.from(positives ?? [], (count, j) => ({ steered: tally(count), alone: tally(alone[j]!) })),
          );
      },
    };
  });
}
