/**
 * The effect of a change to a model: change in the share of positives against the same prompts left alone.
 * Incoherent completions are neither positive nor negative: shares are of the coherent ones. Knows neither
 * models nor texts.
 */
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
  const sums = { completions: 0, coherent: 0, positives: 0 };
  for (const tally of tallies) {
    sums.completions += tally.completions;
    sums.coherent += tally.coherent;
    sums.positives += tally.positives;
  }
  return sums;
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
