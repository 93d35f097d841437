/**
 * Contrasts from graded completions: of each prompt with completions of both kinds, all positives against all negatives (METHOD.md: the same pass
 * gives the mean over all n⁺n⁻ pairs).
 */
import type { Contrast } from './contrast.ts';

export interface GradedCompletion {
  /** which prompt it answers */
  readonly prompt: string;
  readonly promptIds: readonly number[];
  /** with the end token, where it ended by itself */
  readonly ids: readonly number[];
  readonly label: 'positive' | 'negative' | 'incoherent';
}

/** At most `perSide` positives and as many negatives of each prompt, in the order given. Incoherent completions are left out. */
export function contrastsOf(
  graded: readonly GradedCompletion[],
  perSide = Number.POSITIVE_INFINITY,
): Contrast[] {
  const byPrompt = new Map<string, GradedCompletion[]>();
  for (const one of graded) byPrompt.set(one.prompt, [...(byPrompt.get(one.prompt) ?? []), one]);
  return [...byPrompt].flatMap(([id, ones]) => {
    const of = (label: GradedCompletion['label']) =>
      ones
        .filter((one) => one.label === label)
        .map((one) => one.ids)
        .slice(0, perSide);
    const contrast = { id, prompt: ones[0]!.promptIds, positives: of('positive'), negatives: of('negative') };
    return contrast.positives.length > 0 && contrast.negatives.length > 0 ? [contrast] : [];
  });
}
