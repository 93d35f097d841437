/** Two studies' lists of latents side by side. */

import type { LatentRow, StudyManifest } from '../../../results.ts';

export interface ComparedLatent {
  readonly latent: number;
  /** undefined where a study's dictionary has no such latent */
  readonly a: LatentRow | undefined;
  readonly b: LatentRow | undefined;
}

export interface StudyComparison {
  /** in either list, those in both first, by the better of their ranks */
  readonly latents: readonly ComparedLatent[];
  readonly shared: number;
  /** how many chance would have two lists share */
  readonly expected: number;
}

const inTop = (row: LatentRow | undefined, top: number) => row !== undefined && row.rank <= top;

/** The first `top` of both. */
export function compared(a: readonly LatentRow[], b: readonly LatentRow[], top: number): StudyComparison {
  const [ofA, ofB] = [a, b].map((rows) => new Map(rows.map((row) => [row.latent, row])));
  const either = new Set([...a, ...b].filter((row) => inTop(row, top)).map(({ latent }) => latent));
  const isShared = (one: ComparedLatent) => inTop(one.a, top) && inTop(one.b, top);
  const best = (one: ComparedLatent) => Math.min(one.a?.rank ?? Infinity, one.b?.rank ?? Infinity);
  const latents = [...either]
    .map((latent) => ({ latent, a: ofA!.get(latent), b: ofB!.get(latent) }))
    .sort((x, y) => Number(isShared(y)) - Number(isShared(x)) || best(x) - best(y) || x.latent - y.latent);
  const [inA, inB] = [Math.min(top, a.length), Math.min(top, b.length)];
  return {
    latents,
    shared: latents.filter(isShared).length,
    expected: a.length === 0 ? 0 : (inA * inB) / Math.max(a.length, b.length),
  };
}

/**
 * Whether a latent's number means the same in both: the same dictionary, by its hash; undefined where a
 * manifest does not say.
 */
export function sameDictionary(
  a: StudyManifest | undefined,
  b: StudyManifest | undefined,
): boolean | undefined {
  const [hashA, hashB] = [a, b].map((manifest) => manifest?.stages.attribute?.inputs.sae?.sha256);
  return hashA === undefined || hashB === undefined ? undefined : hashA === hashB;
}
