/** The numbers that an SAE computes with, but those of its two matrices. Knows no format. */
import type { Normalisation } from './normalise.ts';

export interface SaeArithmetic {
  /** b_dec [d] */
  readonly bias: Float32Array;
  /** The kind's own weights, by name. */
  readonly weights: Readonly<Record<string, Float32Array>>;
  /** The kind's own counts, by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** What pre-activations are multiplied by [N]; absent: nothing. */
  readonly rescale?: Float32Array;
  readonly normalisation: Normalisation;
  /** Whether the bias is subtracted from the (normalised) input. */
  readonly subtractBias: boolean;
  /** What takes the encoder's activations to those of unit directions [N]. */
  readonly fold: Float32Array;
}
