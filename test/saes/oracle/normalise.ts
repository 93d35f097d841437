/**
 * What some SAEs do to an activation before they encode it, in plain TypeScript and float64. Definitions:
 * SAELens `sae.py`.
 */
import type { Normalisation } from '../../../src/saes/normalise.ts';

/**
 * x [T, d] as the encoder wants it; x̂_t = scale_t · ŷ_t + shift_t takes a reconstruction ŷ back. scale,
 * shift [T].
 */
interface Normalised {
  readonly x: Float32Array;
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

interface Factors {
  readonly divisor: number;
  readonly scale: number;
  readonly shift: number;
}

/** An all-zero token stays zero and comes back as zero under `constant_norm_rescale` (SAELens: NaN). */
export function normalise(x: Float32Array, width: number, how: Normalisation): Normalised {
  const tokens = x.length / width;
  const out = new Float32Array(x.length);
  const scale = new Float32Array(tokens);
  const shift = new Float32Array(tokens);
  for (let t = 0; t < tokens; t++) {
    const row = x.subarray(t * width, (t + 1) * width);
    const f = factors[how](row);
    scale[t] = f.scale;
    shift[t] = f.shift;
    for (let j = 0; j < width; j++) out[t * width + j] = (row[j]! - f.shift) / f.divisor;
  }
  return { x: out, scale, shift };
}

const factors: { [how in Normalisation]: (row: Float32Array) => Factors } = {
  none: () => ({ divisor: 1, scale: 1, shift: 0 }),
  constant_norm_rescale: (row) => {
    const scale = Math.sqrt(sumOf(row, (v) => v * v) / row.length);
    return { divisor: scale || 1, scale, shift: 0 };
  },
  layer_norm: (row) => {
    const mean = sumOf(row, (v) => v) / row.length;
    const deviation = Math.sqrt(sumOf(row, (v) => (v - mean) ** 2) / (row.length - 1));
    return { divisor: deviation + 1e-5, scale: deviation, shift: mean };
  },
};

function sumOf(row: Float32Array, of: (v: number) => number): number {
  let sum = 0;
  for (const v of row) sum += of(v);
  return sum;
}
