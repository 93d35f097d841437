/** An SAE in plain TypeScript, written apart from its graph: what the graph is compared with. */
import type { Sae } from '../../../src/saes/sae.ts';
import { encoders } from './encoders.ts';
import { normalise } from './normalise.ts';

/**
 * Activations with what was taken off each token on the way in: x̂_t = scale_t · (Σ_i z_{t,i} d_i + b_dec) +
 * shift_t.
 */
export interface Encoding {
  readonly tokens: number;
  /** [T, N], of unit directions */
  readonly z: Float32Array;
  /** [T] */
  readonly scale: Float32Array;
  /** [T] */
  readonly shift: Float32Array;
}

/** Activations of x [T, d]. */
export async function encode(sae: Sae, x: Float32Array): Promise<Encoding> {
  const { width: d, latents: N, kind } = sae;
  const numbers = await sae.arithmetic();
  const { x: rows, scale, shift } = normalise(x, d, numbers.normalisation);
  const from = numbers.subtractBias ? rows.map((v, at) => v - numbers.bias[at % d]!) : rows;
  const own = encoders[kind.name]!(from, { ...numbers, encoder: await sae.encoderColumns(0, N) });
  return { tokens: x.length / d, z: own.map((a, at) => a * numbers.fold[at % N]!), scale, shift };
}

/** z [T, N] in the publishing library's own scale; 0 where the decoder row is all zeros. */
export async function unfold(sae: Sae, z: Float32Array): Promise<Float32Array> {
  const { fold } = await sae.arithmetic();
  const of = (at: number) => fold[at % sae.latents]!;
  return z.map((v, at) => (of(at) === 0 ? 0 : v / of(at)));
}

/** The reconstruction x̂ [T, d]. */
export async function decode(sae: Sae, { tokens, z, scale, shift }: Encoding): Promise<Float32Array> {
  const { width: d, latents: N } = sae;
  const rows = await sae.decoderRows(0, N);
  const { bias } = await sae.arithmetic();
  const out = new Float32Array(tokens * d);
  for (let t = 0; t < tokens; t++) {
    const sum = Float64Array.from(bias);
    for (let i = 0; i < N; i++) {
      const a = z[t * N + i]!;
      if (a !== 0) for (let j = 0; j < d; j++) sum[j] = sum[j]! + a * rows[i * d + j]!;
    }
    out.set(
      sum.map((v) => scale[t]! * v + shift[t]!),
      t * d,
    );
  }
  return out;
}
