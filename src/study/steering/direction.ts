/** What a causal test works along: a latent's decoder direction, or any other unit vector. */
import { type Dictionary, directionsOf } from '../../methods/attribution/score.ts';
import { signAlong } from '../../methods/attribution/sign.ts';
import { randomDirection } from '../../methods/statistics/random.ts';
import type { Role } from '../../results.ts';

export interface TestedDirection {
  /** unique in its causal test */
  readonly name: string;
  readonly role: Role;
  readonly latent: number | null;
  /** σ: adding σ d makes the positives likelier, to first order (docs/method.md section 5) */
  readonly sign: 1 | -1;
  /** unit vectors [d]; more than one in a group. Read when they are first needed. */
  readonly vectors: () => Promise<readonly Float32Array[]>;
  /** bounds that `cap` keeps the projections on `vectors` below; only where it is capped */
  readonly caps?: readonly number[] | undefined;
}

export const latentName = (latent: number): string => `latent ${latent}`;

export function latentDirection(
  dictionary: Dictionary,
  latent: number,
  { role, sign }: Pick<TestedDirection, 'role' | 'sign'>,
): TestedDirection {
  const vectors = async () => [await directionsOf(dictionary, [latent])];
  return { name: latentName(latent), role, latent, sign, vectors };
}

export const vectorDirection = (
  name: string,
  role: TestedDirection['role'],
  vector: Float32Array,
  { latent = null, sign = 1 }: Partial<Pick<TestedDirection, 'latent' | 'sign'>> = {},
): TestedDirection => ({ name, role, latent, sign, vectors: async () => [vector] });

/** Random directions of the residual stream, by the seed; a greater count keeps the first ones. */
export function gaussianDirections(count: number, seed: number, gradient: Float32Array): TestedDirection[] {
  return Array.from({ length: count }, (_, k) => {
    const { direction } = randomDirection(gradient.length, seed + k);
    const sign = signAlong(gradient, direction);
    return vectorDirection(`gaussian ${k + 1}`, 'gaussian', direction, { sign });
  });
}

/** The first latents that are removed together, of so many that are measured again. */
export const groupSize = (remeasured: number): number => Math.min(3, remeasured);

/** Latents whose span is removed. */
export const groupDirection = (members: readonly TestedDirection[]): TestedDirection => ({
  name: members.map(({ name }, i) => (i === 0 ? name : name.replace(/^latent /, ''))).join(' + '),
  role: 'group',
  latent: null,
  sign: 1,
  vectors: async () => (await Promise.all(members.map(({ vectors }) => vectors()))).flat(),
});
