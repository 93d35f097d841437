/** What an SAE's encoding and decoding are made of, for those who compute it elsewhere. Knows no format. */
import type { GatedWeights } from './gated.ts';
import type { JumpReluWeights } from './jumprelu.ts';
import type { Linear } from './linear.ts';
import type { Normalisation } from './normalise.ts';
import type { TopKWeights } from './topk.ts';

/** What the encoder of each kind is made of. */
export interface EncoderWeights {
  relu: Linear;
  topk: TopKWeights;
  jumprelu: JumpReluWeights;
  gated: GatedWeights;
}

/** An encoder by its kind. */
export type KindedEncoder = {
  [K in keyof EncoderWeights]: { readonly kind: K; readonly weights: EncoderWeights[K] };
}[keyof EncoderWeights];

export interface SaeArithmetic {
  readonly encoder: KindedEncoder;
  readonly normalisation: Normalisation;
  /** Whether the bias is subtracted from the (normalised) input. */
  readonly subtractBias: boolean;
  /** The decoder's bias [d]. */
  readonly bias: Float32Array;
  /** What takes the encoder's activations to those of unit directions [N]. */
  readonly fold: Float32Array;
}
