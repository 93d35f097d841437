/** Rotary position embedding: inverse frequencies of each published scaling, and the angles of a pass. */
import { z } from 'zod';
import { constant, cos, div, mul, reshape, sin } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import { f32 } from '../tensor.ts';
import type { Scope } from './decoder.ts';

const scaling = z.discriminatedUnion('rope_type', [
  z.object({ rope_type: z.literal('default') }),
  z.object({ rope_type: z.literal('linear'), factor: z.number().positive() }),
  z.object({
    rope_type: z.literal('llama3'),
    factor: z.number().positive(),
    low_freq_factor: z.number().positive(),
    high_freq_factor: z.number().positive(),
    original_max_position_embeddings: z.number().int().positive(),
  }),
  /** GGUF files of scaled models carry a divisor for each frequency as the tensor `rope_freqs.weight`. */
  z.object({ rope_type: z.literal('factors') }),
]);
export type RopeScaling = z.infer<typeof scaling>;

/**
 * The scaling of a config, which older files call `type` and newer keep beside `rope_theta` in
 * `rope_parameters`.
 */
export const ropeScaling = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((given) => ({ ...given, rope_type: given?.rope_type ?? given?.type ?? 'default' }))
  .pipe(scaling);

/**
 * Inverse frequencies [size/2]: θ^(−2i/size), in radians a position, changed by the scaling. `llama3`
 * (Llama 3.1, as in transformers' modeling_rope_utils): wavelengths beyond original/low are stretched by
 * `factor`, those under original/high kept, between them interpolated.
 */
export function inverseFrequencies(theta: number, size: number, by: RopeScaling): number[] {
  const plain = Array.from({ length: size / 2 }, (_, i) => theta ** ((-2 * i) / size));
  if (by.rope_type === 'linear') return plain.map((f) => f / by.factor);
  if (by.rope_type !== 'llama3') return plain;
  const {
    factor,
    low_freq_factor: low,
    high_freq_factor: high,
    original_max_position_embeddings: original,
  } = by;
  return plain.map((f) => {
    const wavelength = (2 * Math.PI) / f;
    if (wavelength < original / high) return f;
    if (wavelength > original / low) return f / factor;
    const smooth = (original / wavelength - low) / (high - low);
    return ((1 - smooth) * f) / factor + smooth * f;
  });
}

/** cos and sin of every position's angles, each [T, size/2], from positions [T, 1]. */
export function angles(positions: Node, theta: number, size: number, by: RopeScaling, scope: Scope) {
  const half = size / 2;
  const plain = constant(f32([1, half], inverseFrequencies(theta, size, by)));
  const inverse =
    by.rope_type === 'factors'
      ? div(plain, reshape(scope.param('rope_freqs.weight', [half]), [1, half]))
      : plain;
  const turn = mul(positions, inverse);
  return { cosine: cos(turn), sine: sin(turn) };
}
