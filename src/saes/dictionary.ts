/**
 * Puts an SAE together from its parts: normalise, subtract the input bias, encode by kind, fold the decoder norms; and
 * back. Knows the kinds, not the formats.
 */
import { InputError } from '../errors.ts';
import type { EncoderWeights, KindedEncoder } from './arithmetic.ts';
import { type Decoder, rowNorms, sumDirections, unitRows } from './decoder.ts';
import { encodeGated } from './gated.ts';
import { encodeJumpRelu } from './jumprelu.ts';
import { type Normalisation, normalise } from './normalise.ts';
import { once } from './once.ts';
import { encodeRelu } from './relu.ts';
import type { Encoding, Sae, SaeKind, TrainedOn } from './sae.ts';
import { encodeTopK } from './topk.ts';

export interface SaeParts<K extends SaeKind = SaeKind> {
  readonly kind: K;
  readonly where: string;
  readonly trainedOn: TrainedOn;
  readonly normalisation: Normalisation;
  readonly decoder: Decoder;
  /** Reads the encoder; called once. `norms` gives the decoder norms [N], for kinds that use them. */
  readonly encoder: (norms: () => Promise<Float32Array>) => Promise<EncoderWeights[K]>;
  /** Reads the decoder's bias [d]; called once. */
  readonly bias: () => Promise<Float32Array>;
  /** Whether the bias is subtracted from the (normalised) input. */
  readonly subtractBias: boolean;
  /** The activations already count unit directions, so that no norm is folded in; default false. */
  readonly unitActivations?: boolean;
}

const encoders: { [K in SaeKind]: (x: Float32Array, weights: EncoderWeights[K]) => Float32Array } = {
  relu: encodeRelu,
  topk: encodeTopK,
  jumprelu: encodeJumpRelu,
  gated: encodeGated,
};

/** The SAE of these parts. Reads nothing yet. */
export function makeSae<K extends SaeKind>(parts: SaeParts<K>): Sae {
  const { kind, where, trainedOn, decoder } = parts;
  const { width, latents } = decoder;
  const bias = once(parts.bias);
  const norms = once(() => rowNorms(decoder));
  const encoder = once(() => parts.encoder(norms));
  const fold = once(async () => {
    const n = await norms();
    return parts.unitActivations ? n.map((norm) => (norm > 0 ? 1 : 0)) : n;
  });

  async function encode(x: Float32Array): Promise<Encoding> {
    assertActivations(x, width, where);
    const { x: input, scale, shift } = normalise(x, width, parts.normalisation);
    if (parts.subtractBias) {
      const b = await bias();
      for (let i = 0; i < input.length; i++) input[i] = input[i]! - b[i % width]!;
    }
    const z = encoders[kind](input, await encoder());
    scaleColumns(z, await fold());
    return { tokens: x.length / width, z, scale, shift };
  }

  async function decode({ tokens, z, scale, shift }: Encoding): Promise<Float32Array> {
    const [sum, b] = await Promise.all([sumDirections(decoder, z, tokens), bias()]);
    return Float32Array.from(sum, (v, at) => {
      const t = Math.floor(at / width);
      return scale[t]! * (v + b[at % width]!) + shift[t]!;
    });
  }

  async function unfold(z: Float32Array): Promise<Float32Array> {
    const f = await fold();
    return z.map((v, at) => (f[at % latents] === 0 ? 0 : v / f[at % latents]!));
  }

  return {
    kind,
    width,
    latents,
    where,
    trainedOn,
    encode,
    unfold,
    decode,
    decoderRows: (from, to) => unitRows(decoder, from, to),
    decoderNorms: norms,
    arithmetic: async () => ({
      encoder: { kind, weights: await encoder() } as KindedEncoder,
      normalisation: parts.normalisation,
      subtractBias: parts.subtractBias,
      bias: await bias(),
      fold: await fold(),
    }),
  };
}

function assertActivations(x: Float32Array, width: number, where: string): void {
  if (x.length % width !== 0)
    throw new RangeError(`${where}: ${x.length} values are no whole number of activations of width ${width}`);
  const at = x.findIndex((v) => !Number.isFinite(v));
  if (at >= 0)
    throw new InputError(
      `${where}: expected finite activations, found ${x[at]} at token ${Math.floor(at / width)}, component ${at % width}`,
    );
}

/** Multiplies column i of z [T, N] by factors[i], in place. A factor 0 gives 0 whatever the value. */
function scaleColumns(z: Float32Array, factors: Float32Array): void {
  const N = factors.length;
  for (let at = 0; at < z.length; at++) {
    const factor = factors[at % N]!;
    z[at] = factor === 0 ? 0 : z[at]! * factor;
  }
}
