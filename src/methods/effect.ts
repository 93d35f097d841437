/**
 * The effect of steering: change in the share of positives against the same prompts left alone, its interval over prompts, and the rule that decides early
 * whether it leaves the gray zone. Incoherent completions are neither positive nor negative: shares are of the coherent ones. Knows neither models nor texts.
 */
import { bootstrap, type Interval } from './bootstrap.ts';

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

/** Change in the share of positives, −1 to 1: steered minus alone, over all prompts; NaN where either side has no coherent completion. */
export function effectOf(prompts: readonly PromptTallies[]): number {
  const of = (side: keyof PromptTallies) => positiveShare(total(prompts.map((prompt) => prompt[side])));
  return of('steered') - of('alone');
}

/** 95 % bootstrap interval of the effect, resampling prompts with both their sides. */
export function effectInterval(prompts: readonly PromptTallies[], seed: number): Interval {
  const groups = prompts.map((prompt) => [prompt]);
  return bootstrap(groups, (drawn) => ({ effect: effectOf(drawn) }), { seed }).effect;
}

/** Two-sided quantiles of the normal distribution. */
const z = { 0.95: 1.959964, 0.975: 2.241403, 0.99: 2.575829 } as const;
export type Level = keyof typeof z;

/** Wilson's score interval of a share. */
function wilson(share: number, n: number, level: Level): Interval {
  const [q, q2] = [z[level], z[level] ** 2];
  const centre = (share + q2 / (2 * n)) / (1 + q2 / n);
  const half = (q / (1 + q2 / n)) * Math.sqrt((share * (1 - share)) / n + q2 / (4 * n * n));
  return { low: centre - half, high: centre + half };
}

/**
 * Newcombe's interval (1998, method 10) of the difference of two shares, a − b, from counts: right also where a share is 0 or 1, as a bootstrap of few
 * prompts is not. It takes the sides to be independent; on the same prompts and seeds they vary together, which makes it too wide, never too narrow.
 */
export function newcombe(a: Tally, b: Tally, level: Level): Interval {
  const [p, q] = [positiveShare(a), positiveShare(b)];
  const [ia, ib] = [wilson(p, a.coherent, level), wilson(q, b.coherent, level)];
  return {
    low: p - q - Math.hypot(p - ia.low, ib.high - q),
    high: p - q + Math.hypot(ia.high - p, q - ib.low),
  };
}

export type Place = 'inside' | 'outside';

/** Where an effect lies; an undefined one (no coherent text) has not left the zone. */
export const placeOf = (effect: number, zone: Interval): Place =>
  effect < zone.low || effect > zone.high ? 'outside' : 'inside';

/**
 * The sequential rule: after some of the prompts an effect is decided only where its interval at `level` crosses no edge of the gray zone; else more
 * completions are drawn. One early look: the decision is wrong, against the one that all completions of the latent would lead to in the long run, with a
 * probability of at most 1 − level.
 */
export function decidedEarly(
  prompts: readonly PromptTallies[],
  zone: Interval,
  level: Level,
): Place | undefined {
  const [steered, alone] = (['steered', 'alone'] as const).map((side) =>
    total(prompts.map((prompt) => prompt[side])),
  ) as [Tally, Tally];
  if (steered.coherent === 0 || alone.coherent === 0) return undefined;
  const { low, high } = newcombe(steered, alone, level);
  if (high < zone.low || low > zone.high) return 'outside';
  return low > zone.low && high < zone.high ? 'inside' : undefined;
}
