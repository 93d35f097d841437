/**
 * The tokens of a pair: its own, or where all positives of a prompt stand against all its negatives, the
 * two of them that are the pair's.
 */
import type { PairRecord, PairTokens } from '../../../results.ts';

export type AllTokens = ReadonlyMap<string, PairTokens> | undefined;

export function tokensOf(all: AllTokens, pair: PairRecord): PairTokens | undefined {
  const own = all?.get(pair.id);
  if (own) return own;
  const whole = all?.get(pair.prompt_id);
  const places = [pair.positive_id, pair.negative_id].map(
    (id) => whole?.completions.findIndex((one) => one.id === id) ?? -1,
  );
  if (whole === undefined || places.includes(-1)) return undefined;
  return {
    pair: pair.id,
    prompt: whole.prompt,
    completions: places.map((at) => whole.completions[at]!),
    latents: whole.latents.map((one) => ({ ...one, completions: places.map((at) => one.completions[at]!) })),
  };
}
