/**
 * Puts an SAE together from its parts, each read when it is first asked for; all but the two matrices are kept.
 * Knows neither the formats nor any kind by name.
 */
import { assertRange, decoderRowNorms, type SaeDecoder, unitRows, unitRowsOf } from './decoder.ts';
import type { SaeKind } from './kinds/kind.ts';
import type { LatentMatrix } from './latentMatrix.ts';
import type { Normalisation } from './normalise.ts';
import { once } from './once.ts';
import { assertLatents, type Sae, type TrainedOn } from './sae.ts';

/** W and C name the kind's own weights and counts. */
export interface SaeParts<W extends string = string, C extends string = string> {
  readonly kind: SaeKind<W, C>;
  readonly where: string;
  readonly trainedOn: TrainedOn;
  readonly normalisation: Normalisation;
  readonly decoder: SaeDecoder;
  /** W_enc [d, N] */
  readonly encoder: LatentMatrix;
  readonly counts: Readonly<Record<C, number>>;
  /** Reads b_dec [d] or one of the kind's own weights; called once for each. */
  readonly weight: (name: W | 'b_dec') => Promise<Float32Array>;
  /** Whether the bias is subtracted from the (normalised) input. */
  readonly subtractBias: boolean;
  /**
   * Pre-activations are multiplied by the decoder norms, so that activations count unit directions already
   * and no norm is folded in; default false.
   */
  readonly rescaled?: boolean;
  /**
   * What the input is multiplied by before it is encoded and the reconstruction divided by, s; default 1.
   * Activations are the published ones; their norms are in the scale of the residual stream.
   */
  readonly inputScale?: number;
}

/** The SAE of these parts. Reads nothing yet. */
export function makeSae<W extends string, C extends string>(parts: SaeParts<W, C>): Sae {
  const { kind, where, trainedOn, decoder, encoder, normalisation, counts, subtractBias } = parts;
  const { rescaled = false, inputScale = 1 } = parts;
  const published = once(() => decoderRowNorms(decoder));
  const norms = async () => scaled(await published(), 1 / inputScale);
  const arithmetic = once(async () => {
    const weights: Record<string, Float32Array> = {};
    for (const name of Object.keys(kind.weights) as W[]) weights[name] = await parts.weight(name);
    const bias = scaled(await parts.weight('b_dec'), 1 / inputScale);
    const sizes = await published();
    const shared = { weights, counts, bias, normalisation, subtractBias };
    if (!rescaled) return { ...shared, fold: scaled(sizes, 1 / inputScale) };
    return { ...shared, rescale: sizes, fold: sizes.map((norm) => (norm > 0 ? 1 / inputScale : 0)) };
  });
  return {
    kind,
    width: decoder.width,
    latents: decoder.latents,
    where,
    trainedOn,
    decoderRows: (from, to) => unitRows(decoder, from, to),
    async decoderRowsOf(latents) {
      assertLatents({ where, latents: decoder.latents }, latents);
      return unitRowsOf(decoder, latents);
    },
    decoderNorms: norms,
    // (s x − b) W = (x − b/s) (s W)
    async encoderColumns(from, to) {
      assertRange('encoder columns', decoder.latents, from, to);
      return scaled(await encoder.block(from, to), inputScale);
    },
    async encoderOf(latents) {
      assertLatents({ where, latents: decoder.latents }, latents);
      return scaled(await encoder.of(latents), inputScale);
    },
    arithmetic,
  };
}

const scaled = (values: Float32Array, by: number): Float32Array =>
  by === 1 ? values : values.map((value) => value * by);
