/**
 * What a sparse autoencoder's training starts from, and what its weights are in the data's own units when
 * it ends.
 */
import { InputError } from '../../errors.ts';
import { f32, type Tensor, tensor, toFloat32 } from '../../tensor.ts';
import { generatorOf } from '../statistics/random.ts';
import type { RowShard } from './rowStream.ts';
import type { TrainedKind } from './saeGraph.ts';

/** Of rows [n, d]. */
export interface RowStatistics {
  /** [d] */
  readonly mean: Float64Array;
  /** mean Euclidean norm */
  readonly norm: number;
  /** mean of Σ(x − mean)² */
  readonly variance: number;
}

/**
 * Reads every shard once. Throws InputError for rows that are all equal: there is nothing to learn from
 * them.
 */
export async function rowStatistics(shards: readonly RowShard[], d: number): Promise<RowStatistics> {
  const sum = new Float64Array(d);
  let norms = 0;
  let squares = 0;
  let n = 0;
  for (const shard of shards) {
    const rows = await shard.read();
    for (let at = 0; at < rows.length; at += d) {
      let square = 0;
      for (let i = 0; i < d; i++) {
        const x = rows[at + i]!;
        sum[i]! += x;
        square += x * x;
      }
      squares += square;
      norms += Math.sqrt(square);
      n++;
    }
  }
  const mean = sum.map((s) => s / n);
  const variance = squares / n - mean.reduce((total, m) => total + m * m, 0);
  if (!(variance > 0)) throw new InputError(`the ${n} activations to train on are all the same`);
  return { mean, norm: norms / n, variance };
}

/** Weights of an SAE in the data's units, in SAELens' layout. */
export interface SaeWeights {
  /** [d, N] */
  readonly W_enc: Tensor<'f32'>;
  /** [N, d], unit rows */
  readonly W_dec: Tensor<'f32'>;
  /** [N] */
  readonly b_enc: Tensor<'f32'>;
  /** [d] */
  readonly b_dec: Tensor<'f32'>;
  /** [N], of a JumpReLU */
  readonly threshold?: Tensor<'f32'>;
}

/** Random unit rows [N, d]. */
function unitRows(latents: number, d: number, seed: number): Float32Array {
  const random = generatorOf(seed);
  const uniform = () => ((random.next() >>> 0) + 0.5) / 2 ** 32;
  const rows = new Float32Array(latents * d);
  for (let start = 0; start < rows.length; start += d) {
    let square = 0;
    for (let i = start; i < start + d; i++) {
      const x = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
      rows[i] = x;
      square += x * x;
    }
    for (let i = start; i < start + d; i++) rows[i]! /= Math.sqrt(square);
  }
  return rows;
}

/** θ of a JumpReLU at the start, in scaled coordinates. */
const firstThreshold = 0.5;

/**
 * Parameters before the first step: random unit decoder rows, the encoder equal to them, b_dec the (scaled)
 * mean, other biases 0.
 */
export function firstParameters(
  kind: TrainedKind,
  latents: number,
  { mean }: RowStatistics,
  scale: number,
  seed: number,
): Map<string, Tensor> {
  const d = mean.length;
  const rows = unitRows(latents, d, seed);
  const parameters = new Map<string, Tensor>([
    ['encoder', tensor('f32', [latents, d], rows)],
    ['decoder', tensor('f32', [latents, d], rows.slice())],
    ['encoderBias', tensor('f32', [latents], new Float32Array(latents))],
    [
      'decoderBias',
      f32(
        [d],
        mean.map((m) => m * scale),
      ),
    ],
  ]);
  if (kind === 'jumprelu')
    parameters.set(
      'logThreshold',
      tensor('f32', [latents], new Float32Array(latents).fill(Math.log(firstThreshold))),
    );
  return parameters;
}

function transposed(rows: Float32Array, n: number, d: number): Float32Array {
  const out = new Float32Array(rows.length);
  for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) out[j * n + i] = rows[i * d + j]!;
  return out;
}

/**
 * Trained parameters with the scale folded back. With s the scale, the trained code reads s·x: its
 * activations are s times those of the folded one, whose b_enc, b_dec and threshold are the trained ones /
 * s.
 */
export function foldedWeights(parameters: Readonly<Record<string, Tensor>>, scale: number): SaeWeights {
  const [latents, d] = parameters.encoder!.shape as [number, number];
  const values = (name: string) => toFloat32(parameters[name]!);
  const unscaled = (name: string, of: (x: number) => number = (x) => x) =>
    f32(
      parameters[name]!.shape,
      values(name).map((x) => of(x) / scale),
    );
  return {
    W_enc: tensor('f32', [d, latents], transposed(values('encoder'), latents, d)),
    W_dec: tensor('f32', [latents, d], values('decoder')),
    b_enc: unscaled('encoderBias'),
    b_dec: unscaled('decoderBias'),
    ...(parameters.logThreshold && { threshold: unscaled('logThreshold', Math.exp) }),
  };
}
