/** Small made-up pairs, with their tokens and the pages that lead to them, complete as files have them. */
import type { LatentPage, PairRecord, PairTokens } from '../../../src/results.ts';

/** All pairs of a prompt's completions: `positives` of them, then `negatives`. */
export function pairsOfPrompt(
  prompt_id: string,
  positives: number,
  negatives: number,
  more: Partial<PairRecord> = {},
): PairRecord[] {
  const names = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
  return names(0, positives).flatMap((p) =>
    names(positives, negatives).map((n) => ({
      id: positives * negatives === 1 ? prompt_id : `${prompt_id}/${p}-${n}`,
      prompt_id,
      prompt: `Question ${prompt_id}?`,
      positive: `bad ${prompt_id} ${p}`,
      negative: `good ${prompt_id} ${n}`,
      positive_ended: true,
      negative_ended: true,
      positive_id: `${prompt_id}/${p}`,
      negative_id: `${prompt_id}/${n}`,
      contrast: positives * negatives === 1 ? null : prompt_id,
      positive_tokens: null,
      negative_tokens: null,
      certainty: 1,
      ...more,
    })),
  );
}

const words = (text: string) => text.split(/(?<= )/);

/** Tokens of the pairs of one contrast, with Δ of these latents. */
export function tokensOfPairs(
  pairs: readonly PairRecord[],
  latents: Readonly<Record<number, number>>,
): PairTokens {
  const [{ prompt_id, contrast, id, prompt }] = pairs as [PairRecord];
  const said = new Map<string, { label: 'positive' | 'negative'; text: string }>(
    pairs.flatMap(({ positive_id, positive, negative_id, negative }) => [
      [positive_id, { label: 'positive', text: positive }],
      [negative_id, { label: 'negative', text: negative }],
    ]),
  );
  const prompted = words(prompt as string);
  const completions = Array.from(said, ([name, { label, text }]) => ({
    id: name,
    label,
    loss: 1,
    tokens: words(text),
    total: words(text).map(() => 0.5),
  }));
  return {
    pair: contrast === null ? id : prompt_id,
    prompt: { tokens: prompted, total: prompted.map(() => 0.5) },
    completions,
    latents: Object.entries(latents)
      .map(([latent, delta]) => ({
        latent: Number(latent),
        delta,
        prompt: prompted.map(() => delta),
        completions: completions.map(({ tokens }) => tokens.map(() => delta)),
      }))
      .sort((a, b) => Math.abs(b.delta) - Math.abs(a.delta)),
  };
}

/** What a page shows of a contrast. */
export function pairOnPage(
  { pair, prompt, completions }: PairTokens,
  delta: number,
): LatentPage['pairs'][number] {
  const shown = (tokens: readonly string[]) => ({
    ids: tokens.map((_, i) => i),
    tokens: [...tokens],
    activations: tokens.map(() => 1),
    delta: tokens.map(() => delta),
  });
  const of = (label: string) => completions.find((one) => one.label === label)!.tokens;
  return {
    pair,
    delta,
    prompt: shown(prompt.tokens),
    positive: shown(of('positive')),
    negative: shown(of('negative')),
  };
}

export const linesOf = (records: readonly unknown[]): string =>
  records.map((one) => `${JSON.stringify(one)}\n`).join('');
