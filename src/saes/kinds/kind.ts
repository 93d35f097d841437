/**
 * What a kind of SAE is: its encoder as graph nodes, and the numbers that it needs. One file per kind beside
 * this one, one line per kind in kinds.ts. Knows no format and no file.
 */
import type { Dim, Node } from '../../graph/node.ts';

/** Length of an axis: d the width, N the number of latents. */
type Axis = 'd' | 'N';

/** What an encoder starts from. W and C name the kind's own weights and counts. */
export interface EncoderNodes<W extends string = string, C extends string = string> {
  /** x W_enc [T, N] */
  readonly product: Node;
  /**
   * pre-activations [T, N]: the product plus the kind's bias, times the decoder norms where the SAE was
   * trained so
   */
  readonly pre: Node;
  /** N, or the name of that length where a block of latents is encoded by itself */
  readonly latents: Dim;
  readonly weights: Readonly<Record<W, Node>>;
  readonly counts: Readonly<Record<C, number>>;
}

export interface SaeKind<W extends string = string, C extends string = string> {
  readonly name: string;
  /**
   * Shapes of the weights that it needs beside W_enc, W_dec and b_dec, by the names that SAELens gives them.
   */
  readonly weights: Readonly<Record<W, readonly Axis[]>>;
  /** The one of them [N] that is added to the product. */
  readonly bias: W;
  /** Names of the whole numbers from 1 to N that it needs, such as k. */
  readonly counts: readonly C[];
  /**
   * Whether an activation depends on its own latent's pre-activation alone, so that a few latents need no more
   * than their own columns of the encoder; default no.
   */
  readonly separate?: true;
  /**
   * The count k of a kind whose activations are max(0, p) of each token's k greatest pre-activations p (of equal
   * ones the lower latent's) and 0 of all others; default none. A kind that is neither separate nor of this sort
   * needs its whole encoder in memory.
   */
  readonly keeps?: C;
  /** Activations [T, N], none below 0, of decoder rows as published. */
  encode(nodes: EncoderNodes<W, C>): Node;
}

/** Shapes of a kind's own weights at width d and N latents. */
export function weightShapes<L extends Dim>(kind: SaeKind, d: number, N: L): Record<string, (number | L)[]> {
  const lengths: Record<Axis, number | L> = { d, N };
  return Object.fromEntries(
    Object.entries(kind.weights).map(([name, axes]) => [name, axes.map((axis) => lengths[axis])]),
  );
}
