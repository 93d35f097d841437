/** Two studies' lists of latents side by side. */

import { type LatentEffects, type LatentRow, verdictOf } from '../../../results.ts';
import { count, fixed } from '../../format.ts';

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

/** A study as it is compared. */
export interface ComparedStudy {
  readonly name: string;
  readonly latents: readonly LatentRow[];
  readonly effects: ReadonlyMap<number, LatentEffects>;
}

const firstOf = ({ latents }: ComparedStudy) => latents.find(({ rank }) => rank === 1)?.latent;

const isConfirmed = ({ effects }: ComparedStudy, latent: number) => {
  const found = effects.get(latent);
  return found?.role === 'candidate' && verdictOf(found) === 'confirmed';
};

const confirmedText = (a: ComparedStudy, b: ComparedStudy, latent: number) => {
  const [inA, inB] = [isConfirmed(a, latent), isConfirmed(b, latent)];
  if (inA && inB) return 'confirmed in both';
  return inA || inB ? `confirmed in ${inA ? a.name : b.name} only` : 'confirmed in neither';
};

/** What two studies with one dictionary have in common, the first latents first. */
export function comparisonText(
  a: ComparedStudy,
  b: ComparedStudy,
  top: number,
  { shared, expected }: StudyComparison,
): string {
  const [first, second] = [firstOf(a), firstOf(b)];
  const inCommon = `${count(shared)} of the first ${top} by Δ are the same, where chance would have ${fixed(expected, expected < 1 ? 2 : 0)}.`;
  if (first === undefined || second === undefined) return inCommon;
  const lead =
    first === second
      ? `Latent ${first} comes first in both and is ${confirmedText(a, b, first)}.`
      : `First are latent ${first} in ${a.name} (${confirmedText(a, b, first)}) and latent ${second} in ${b.name} (${confirmedText(a, b, second)}).`;
  const others = [...a.effects.keys()].filter(
    (latent) => latent !== first && isConfirmed(a, latent) && isConfirmed(b, latent),
  );
  const more =
    others.length === 0
      ? ''
      : ` Confirmed in both, too: ${others.map((latent) => `latent ${latent}`).join(', ')}.`;
  return `${lead}${more} ${inCommon}`;
}
