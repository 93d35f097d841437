/** What the user says of a dictionary, where its files leave it open. */
import { InputError } from '../../errors.ts';
import type { SaeSaid } from './format.ts';

/** How each is said. */
export const howSaid: { readonly [name in keyof SaeSaid]-?: string } = {
  kind: '--sae-kind, or sae.kind in study.yaml',
  k: '--sae-k, or sae.k in study.yaml',
  threshold: '--sae-threshold, or sae.threshold in study.yaml',
  subtractBias: '--sae-bias, or sae.subtract_bias in study.yaml',
};

/** Throws InputError: the files do not say it, and neither does the user. */
export function unsaid(where: string, name: keyof SaeSaid, expected: string): never {
  throw new InputError(`SAE ${where}: its files do not say ${expected}: say it with ${howSaid[name]}`);
}

/** k of N latents, as the path tells it or the user says it; both have to agree. */
export function countSaid(where: string, { k }: SaeSaid, latents: number, told?: string): number {
  const own = told === undefined ? undefined : Number(told);
  const found = k ?? own ?? unsaid(where, 'k', 'k, how many latents are active at a token');
  if (own !== undefined && found !== own)
    throw new InputError(`SAE ${where}: expected k ${own}, as its path says, found ${found}`);
  if (!Number.isInteger(found) || found < 1 || found > latents)
    throw new InputError(`SAE ${where}: k: expected a whole number from 1 to ${latents}, found ${found}`);
  return found;
}
