/**
 * What every sparse autoencoder (SAE) offers, whatever its kind and the format it was published in. Decoder
 * directions are unit vectors, their norms folded into the activations (docs/method.md, terms). Knows no
 * format, no file and no model.
 *
 * Shapes, here and in every file of this folder: T tokens, d the width of the residual stream, N latents;
 * row-major.
 */
import { InputError } from '../errors.ts';
import type { SaeArithmetic } from './arithmetic.ts';
import type { SaeKind } from './kinds/kind.ts';

/** Where an SAE was trained to read, as far as its metadata says. */
export interface TrainedOn {
  readonly model: string | undefined;
  /** The publisher's own name of the place, such as `blocks.15.hook_resid_post`. */
  readonly hook: string | undefined;
  /** The place in the residual stream, where `hook` names one. */
  readonly site: { readonly kind: 'resid_pre' | 'resid_post'; readonly layer: number } | undefined;
}

/** An SAE whose weights are read when they are asked for. encoder.ts and graph.ts compute with it. */
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
   * Unit decoder directions [to − from, d] of latents from ≤ i < to, read from the file alone: a dictionary
   * larger than memory can be gone through in chunks. All zeros for a row of norm 0. Throws InputError where
   * a weight is not finite, RangeError where the range leaves 0..N.
   */
  decoderRows(from: number, to: number): Promise<Float32Array>;

  /**
   * Unit decoder directions [n, d] of some latents alone, in the order given. Throws InputError where a weight is not
   * finite, RangeError for a latent that it does not have.
   */
  decoderRowsOf(latents: readonly number[]): Promise<Float32Array>;

  /** Norms [N] of the decoder rows as published; one pass over the decoder on first use. */
  decoderNorms(): Promise<Float32Array>;

  /**
   * Columns [d, to − from] of the encoder of latents from ≤ i < to, read from the file alone, as decoderRows
   * does. Throws InputError where a weight is not finite, RangeError where the range leaves 0..N.
   */
  encoderColumns(from: number, to: number): Promise<Float32Array>;

  /**
   * The columns [d, n] of some latents alone, in the order given. Throws InputError where a weight is not finite,
   * RangeError for a latent that it does not have.
   */
  encoderOf(latents: readonly number[]): Promise<Float32Array>;

  /**
   * What it computes with beside the two matrices; one pass over the decoder on first use, for its norms. Throws
   * InputError where a weight is not finite.
   */
  arithmetic(): Promise<SaeArithmetic>;
}

/** Throws InputError where the SAE's width is not d, the model's. */
export function assertWidth(sae: Pick<Sae, 'width' | 'where'>, d: number): void {
  if (sae.width !== d)
    throw new InputError(
      `SAE of width ${sae.width} (${sae.where}) does not fit the model's residual width ${d}`,
    );
}

/** Throws RangeError for a latent that the SAE does not have. */
export function assertLatents(
  { where, latents: N }: Pick<Sae, 'latents' | 'where'>,
  latents: readonly number[],
): void {
  const none = latents.find((latent) => !Number.isInteger(latent) || latent < 0 || latent >= N);
  if (none !== undefined) throw new RangeError(`latent ${none}: ${where} has latents 0 to ${N - 1}`);
}
