/**
 * What every sparse autoencoder (SAE) offers, whatever its kind and the format it was published in. From METHOD.md: decoder
 * directions are unit vectors, their norms folded into the activations. Knows no format, no file and no model.
 *
 * Shapes, here and in every file of this folder: T tokens, d the width of the residual stream, N latents; row-major.
 */
import { InputError } from '../errors.ts';
import type { SaeArithmetic } from './arithmetic.ts';

/** How an encoder turns its input into activations; one file a kind. */
export type SaeKind = 'relu' | 'topk' | 'jumprelu' | 'gated';

/** Where an SAE was trained to read, as far as its metadata says. */
export interface TrainedOn {
  readonly model: string | undefined;
  /** The publisher's own name of the place, such as `blocks.15.hook_resid_post`. */
  readonly hook: string | undefined;
  /** The place in the residual stream, where `hook` names one. */
  readonly site: { readonly kind: 'resid_pre' | 'resid_post'; readonly layer: number } | undefined;
}

/**
 * Activations of T tokens, in units of the unit decoder directions d_i, with what was taken off each token on the way in:
 * the reconstruction is x̂_t = scale_t · (Σ_i z_{t,i} d_i + decoder bias) + shift_t. So scale_t · z_{t,i} is what latent i
 * adds to the residual stream along d_i. Without activation normalisation scale is 1 and shift 0.
 */
export interface Encoding {
  readonly tokens: number;
  /** [T, N] */
  readonly z: Float32Array;
  /** [T] */
  readonly scale: Float32Array;
  /** [T] */
  readonly shift: Float32Array;
}

export interface Sae {
  readonly kind: SaeKind;
  /** d */
  readonly width: number;
  /** N */
  readonly latents: number;
  /** The file or folder it came from, for messages. */
  readonly where: string;
  readonly trainedOn: TrainedOn;

  /**
   * Activations of x [T, d]. The encoder is read on first use and kept (4·d·N bytes). A latent whose decoder row is all
   * zeros gets 0. Throws InputError where x or a weight is not finite, RangeError where x is no whole number of rows.
   */
  encode(x: Float32Array): Promise<Encoding>;

  /** z [T, N] to the activations [T, N] in the publishing library's own scale; 0 where the decoder row is all zeros. */
  unfold(z: Float32Array): Promise<Float32Array>;

  /** The reconstruction x̂ [T, d]. Reads the decoder piecewise. */
  decode(encoding: Encoding): Promise<Float32Array>;

  /**
   * Unit decoder directions [to − from, d] of latents from ≤ i < to, read from the file alone: a dictionary larger than
   * memory can be gone through in chunks. All zeros for a row of norm 0. Throws InputError where a weight is not finite,
   * RangeError where the range leaves 0..N.
   */
  decoderRows(from: number, to: number): Promise<Float32Array>;

  /** Norms [N] of the decoder rows as published; one pass over the decoder on first use. */
  decoderNorms(): Promise<Float32Array>;

  /** What `encode` and `decode` compute with; reads the encoder. */
  arithmetic(): Promise<SaeArithmetic>;
}

/** Throws InputError where the SAE's width is not d, the model's. */
export function assertWidth(sae: Pick<Sae, 'width' | 'where'>, d: number): void {
  if (sae.width !== d)
    throw new InputError(
      `SAE of width ${sae.width} (${sae.where}) does not fit the model's residual width ${d}`,
    );
}
