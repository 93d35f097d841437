/**
 * Where the latents that are known to be the cause, and those known to be the decoy, came in a case's two
 * rankings.
 */
import type { CaseName, Truth } from './bundle.ts';

export type Mark = 'cause' | 'decoy';
type Aligned = Truth['cause'][number];

/**
 * Latents of an axis: those whose direction has at least this cosine with it. Random directions at width
 * 128 have one of 0 ± 0.09.
 */
const alignedFrom = 0.3;

/** The latents of the cause and of a case's decoy, most aligned first. */
export function knownLatents(truth: Truth, name: CaseName): Record<Mark, Aligned[]> {
  const of = (aligned: readonly Aligned[]) => aligned.filter(({ cosine }) => cosine >= alignedFrom);
  return { cause: of(truth.cause), decoy: of(truth.decoy[name]) };
}

/** What each of them is. */
export function marks(truth: Truth, name: CaseName): Map<number, Mark> {
  const { cause, decoy } = knownLatents(truth, name);
  const of = (mark: Mark, aligned: readonly Aligned[]) =>
    aligned.map(({ latent }) => [latent, mark] as const);
  return new Map([...of('decoy', decoy), ...of('cause', cause)]);
}

export interface Placed {
  readonly latent: number;
  /** cosine of its direction with the axis */
  readonly cosine: number;
  /** ranks, 1 the first; 0 for a latent that a ranking does not have */
  readonly byAttribution: number;
  readonly byActivation: number;
}

/** Latents, first rank first, by Δ-attribution and by Δ-activation. */
export interface Rankings {
  readonly byAttribution: readonly number[];
  readonly byActivation: readonly number[];
}

/** The places of the cause's latents and of the decoy's, most aligned first. */
export function places(truth: Truth, name: CaseName, rankings: Rankings): Record<Mark, Placed[]> {
  const rank = (order: readonly number[], latent: number) => order.indexOf(latent) + 1;
  const of = (aligned: readonly Aligned[]) =>
    aligned.map(({ latent, cosine }) => ({
      latent,
      cosine,
      byAttribution: rank(rankings.byAttribution, latent),
      byActivation: rank(rankings.byActivation, latent),
    }));
  const { cause, decoy } = knownLatents(truth, name);
  return { cause: of(cause), decoy: of(decoy) };
}

/** Latents among the first `count` of both rankings, in the order of the first. */
export function shared(first: readonly number[], second: readonly number[], count: number): number[] {
  const others = new Set(second.slice(0, count));
  return first.slice(0, count).filter((latent) => others.has(latent));
}
