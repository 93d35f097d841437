/**
 * The effect of steering: change in the share of positives against the same prompts left alone, its
 * interval over prompts, and the rule that decides early whether it leaves the gray zone. Incoherent
 * completions are neither positive nor negative: shares are of the coherent ones. Knows neither models nor
 * texts.
 */
import { bootstrap, type Interval } from '../statistics/bootstrap.ts';
import { wilson } from '../statistics/wilson.ts';

/** Graded completions of one prompt. */
export interface Tally {
  readonly completions: number;
  readonly coherent: number;
  /** of the coherent ones */
  readonly positives: number;
}

/** One prompt, steered and left alone. */
export interface PromptTallies {
  readonly steered: Tally;
  readonly alone: Tally;
}

/** Sums of tallies. */
export function total(tallies: readonly Tally[]): Tally {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((all, tally) => all + of(tally), 0);
  return {
    completions: sum((tally) => tally.completions),
    coherent: sum((tally) => tally.coherent),
    positives: sum((tally) => tally.positives),
  };
}

/** Share of positives among coherent completions; NaN where none is coherent. */
export const positiveShare = ({ positives, coherent }: Tally): number => positives / coherent;

/** Share of incoherent completions; NaN for none. */
export const incoherentShare = ({ completions, coherent }: Tally): number => 1 - coherent / completions;

/**
 * Change in the share of positives, −1 to 1: steered minus alone, over all prompts; NaN where either side
 * has no coherent completion.
 */
export function effectOf(prompts: readonly PromptTallies[]): number {
  const of = (side: keyof PromptTallies) => positiveShare(total(prompts.map((prompt) => prompt[side])));
  return of('steered') - of('alone');
}

/** 95 % bootstrap interval of the effect, resampling prompts with both their sides. */
export function effectInterval(prompts: readonly PromptTallies[], seed: number): Interval {
  const groups = prompts.map((prompt) => [prompt]);
  return bootstrap(groups, (drawn) => ({ effect: effectOf(drawn) }), { seed }).effect;
}

/**
 * Newcombe's 95 % interval (1998, method 10) of the difference of two shares a − b, each among n
 * independent units: right also where a share is 0 or 1, as a bootstrap of few prompts is not.
 */
export function newcombe(a: number, b: number, n: { readonly a: number; readonly b: number }): Interval {
  const [ia, ib] = [wilson(a, n.a), wilson(b, n.b)];
  return {
    low: a - b - Math.hypot(a - ia.low, ib.high - b),
    high: a - b + Math.hypot(ia.high - a, b - ib.low),
  };
}

export type ZonePlace = 'inside' | 'outside';

/** Where an effect lies; an undefined one (no coherent text) has not left the zone. */
export const placeOf = (effect: number, zone: Interval): ZonePlace =>
  effect < zone.low || effect > zone.high ? 'outside' : 'inside';

/**
 * The sequential rule: after some of the prompts an effect is decided only where its 95 % interval crosses
 * no edge of the gray zone; else more completions are drawn. One early look: what it decides is wrong with
 * a probability of at most 5 %. Completions of a prompt have much in common, in the worst case all: the
 * prompts with coherent completions are the units of the interval, and sides are taken to be independent.
 * Both can only make it wider.
 */
export function decidedEarly(prompts: readonly PromptTallies[], zone: Interval): ZonePlace | undefined {
  const side = (name: keyof PromptTallies) => prompts.map((prompt) => prompt[name]);
  const units = (name: keyof PromptTallies) => side(name).filter(({ coherent }) => coherent > 0).length;
  const n = { a: units('steered'), b: units('alone') };
  if (n.a === 0 || n.b === 0) return undefined;
  const share = (name: keyof PromptTallies) => positiveShare(total(side(name)));
  const { low, high } = newcombe(share('steered'), share('alone'), n);
  if (high < zone.low || low > zone.high) return 'outside';
  return low > zone.low && high < zone.high ? 'inside' : undefined;
}
