/** Studies of the causal test made up from known truths: effects of directions, completions of prompts. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { gammasFrom } from '../../src/methods/statistics/gamma.ts';
import { effectOf, type PromptTallies, type Tally } from '../../src/methods/steering/effect.ts';
import type { SideEffects } from '../../src/methods/steering/inference.ts';

export interface MadeUp {
  readonly prompts: number;
  readonly completions: number;
  /** of positives, left alone, by side */
  readonly share: readonly number[];
  /** how alike the completions of a prompt are: correlation of two of them */
  readonly icc: number;
  /** share of coherent completions; default 1 */
  readonly coherent?: number;
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

/** Completions of one prompt. */
export function drawTally(
  random: RandomGenerator,
  { chance, completions, coherent = 1 }: { chance: number; completions: number; coherent?: number },
): Tally {
  let [kept, positives] = [0, 0];
  for (let i = 0; i < completions; i++) {
    if (coherent < 1 && uniformFloat64(random) >= coherent) continue;
    kept++;
    if (uniformFloat64(random) < chance) positives++;
  }
  return { completions, coherent: kept, positives };
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
    const draw = (effect: number) =>
      chances.map((chance) => drawTally(random, { ...made, chance: moved(chance, effect) }));
    const alone = draw(0);
    const tallies = (effect: number): PromptTallies[] =>
      draw(effect).map((steered, j) => ({ steered, alone: alone[j]! }));
    const candidates = side.slice(randoms).map((effect, i) => (sampled(i) ? tallies(effect) : []));
    return {
      sign: signs[d]!,
      random: side.slice(0, randoms).map((effect) => effectOf(tallies(effect))),
      candidates: candidates.map((one) => (one.length === 0 ? Number.NaN : effectOf(one))),
      prompts: candidates,
    };
  });
}
