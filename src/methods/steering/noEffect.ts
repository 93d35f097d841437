/**
 * The second null hypothesis of docs/method.md section 5: a candidate changes nothing, so that what is
 * called steered and what is called left alone could be exchanged within each prompt. Knows no random
 * directions.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { stepDown } from '../statistics/multiplicity.ts';
import type { PromptTallies } from './effect.ts';
import type { Tested } from './likeRandom.ts';

export interface TalliedSide {
  readonly sign: 1 | -1;
  /** per candidate, in one order of prompts; [] where not sampled */
  readonly prompts: readonly (readonly PromptTallies[])[];
}

export interface NoEffect {
  /** of the least studentised effect over sides */
  readonly joint: Tested;
  readonly sides: readonly Tested[];
}

/** Sums over prompts that an exchange changes, in this order, and what each becomes by it. */
const forms = 6;

/**
 * One candidate's prompts as sums over them: with p, c the positives and coherent completions steered, and q, d
 * those left alone, Σ p, Σ c, Σ p², Σ pc, Σ c², Σ pd. All are whole numbers, so that an exchange can be added
 * and nothing is lost.
 */
interface Sums {
  readonly prompts: number;
  /** as observed */
  readonly base: Float64Array;
  /** what the exchange of a prompt adds, prompt by prompt */
  readonly exchange: Float64Array;
  /** both ways together: of each sum and that with p and q, c and d in each other's place */
  readonly both: Float64Array;
  /** Σ pq and Σ cd, which no exchange changes */
  readonly positives: number;
  readonly coherent: number;
}

function sumsOf(tallies: readonly PromptTallies[]): Sums {
  const [base, both] = [new Float64Array(forms), new Float64Array(forms)];
  const exchange = new Float64Array(forms * tallies.length);
  let [positives, coherent] = [0, 0];
  tallies.forEach(({ steered, alone }, j) => {
    const [p, c, q, d] = [steered.positives, steered.coherent, alone.positives, alone.coherent];
    const now = [p, c, p * p, p * c, c * c, p * d];
    const then = [q, d, q * q, q * d, d * d, q * c];
    for (let form = 0; form < forms; form++) {
      base[form]! += now[form]!;
      both[form]! += now[form]! + then[form]!;
      exchange[j * forms + form] = then[form]! - now[form]!;
    }
    positives += p * q;
    coherent += c * d;
  });
  return { prompts: tallies.length, base, exchange, both, positives, coherent };
}

/**
 * The effect over its standard error by linearisation, prompts being the units: e / √(Σ u² J / (J − 1)) with
 * u = (p − R c) / Σc − (q − S d) / Σd and R, S the two shares, once `exchanged` prompts have been exchanged.
 * NaN without coherent text.
 */
function studentised(sums: Sums, exchanged: Uint16Array, count: number): number {
  const { prompts, base, exchange, both } = sums;
  // by index: this runs for each candidate in each draw, and taking an array apart costs as much as the rest
  let p = base[0]!;
  let c = base[1]!;
  let pp = base[2]!;
  let pc = base[3]!;
  let cc = base[4]!;
  let pd = base[5]!;
  for (let k = 0; k < count; k++) {
    const at = exchanged[k]! * forms;
    if (at >= exchange.length) break;
    p += exchange[at]!;
    c += exchange[at + 1]!;
    pp += exchange[at + 2]!;
    pc += exchange[at + 3]!;
    cc += exchange[at + 4]!;
    pd += exchange[at + 5]!;
  }
  const d = both[1]! - c;
  const [share, shareAlone] = [p / c, (both[0]! - p) / d];
  const own = (pp - 2 * share * pc + share * share * cc) / (c * c);
  const other =
    (both[2]! - pp - 2 * shareAlone * (both[3]! - pc) + shareAlone * shareAlone * (both[4]! - cc)) / (d * d);
  const together =
    (sums.positives - shareAlone * pd - share * (both[5]! - pd) + share * shareAlone * sums.coherent) /
    (c * d);
  const squares = own + other - 2 * together;
  const effect = share - shareAlone;
  // where all u are 0, rounding leaves about 1e-18; else one prompt alone makes more than 1e-8 of it
  if (squares < 1e-13) return effect === 0 ? 0 : effect * Number.POSITIVE_INFINITY;
  return effect / Math.sqrt((squares * prompts) / (prompts - 1));
}

/**
 * Compares each candidate with its own prompts under random exchanges, the same ones for all candidates and
 * sides, so that what they share (prompts, the completions left alone) is in the maxima. Candidates that
 * were not sampled have no part in it: no tally chose those that were. At least two prompts.
 */
export function noEffect(
  sides: readonly TalliedSide[],
  { draws, random }: { readonly draws: number; readonly random: RandomGenerator },
): NoEffect {
  const sums = sides.map(({ prompts }) => prompts.map(sumsOf));
  const most = Math.max(0, ...sums.flat().map(({ prompts }) => prompts));
  const exchanged = new Uint16Array(most);
  const candidates = sums[0]!.length;
  const values = sides.map(() => new Float64Array(candidates));
  const least = new Float64Array(candidates);
  const compute = (count: number) => {
    least.fill(Number.POSITIVE_INFINITY);
    sums.forEach((side, d) => {
      for (let i = 0; i < candidates; i++) {
        const one = side[i]!;
        const value = one.prompts === 0 ? Number.NaN : sides[d]!.sign * studentised(one, exchanged, count);
        values[d]![i] = value;
        // NaN stays
        least[i] = Math.min(least[i]!, value);
      }
    });
  };
  compute(0);
  const joint = stepDown([...least]);
  const each = values.map((side) => stepDown([...side]));
  for (let draw = 0; draw < draws; draw++) {
    let count = 0;
    for (let j = 0, bits = 0; j < most; j++, bits >>= 1) {
      if (j % 24 === 0) bits = uniformInt(random, 0, 0xffffff);
      if (bits & 1) exchanged[count++] = j;
    }
    compute(count);
    joint.add(least);
    for (const [d, side] of each.entries()) side.add(values[d]!);
  }
  const tested = (one: typeof joint): Tested => ({ single: one.single(), familyWise: one.familyWise() });
  return { joint: tested(joint), sides: each.map(tested) };
}
