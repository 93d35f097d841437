/**
 * What it takes to go over a dictionary block by block: a block's values, and a graph that they are fed to. Shapes:
 * d width, N latents, n latents of a block, R rows, T rows that are run at once.
 */
import { input } from '../graph/build.ts';
import type { Dim } from '../graph/node.ts';
import type { Feeds, Runtime } from '../runtime/runtime.ts';
import { type Tensor, tensor } from '../tensor.ts';
import type { SaeArithmetic } from './arithmetic.ts';
import type { Collected } from './collected.ts';
import { arithmeticOf, type Bind, type EncoderValues, encoderValues } from './graph.ts';
import { ranges, type Span } from './readAhead.ts';
import type { Sae } from './sae.ts';

/** What a pass over a dictionary is for. */
export interface BlockWork {
  readonly runtime: Runtime;
  readonly sae: Sae;
  readonly numbers: SaeArithmetic;
  /** whose activations are wanted one by one */
  readonly latents: readonly number[];
  /** whether Σ_i z_i d_i is wanted */
  readonly decode: boolean;
  /** n of all blocks but the last */
  readonly length: number;
}

/** Rows, each with what its activations count in sums. */
export interface WeightedRows {
  /** [R, d] */
  readonly rows: Float32Array;
  /** [R] */
  readonly weights: Float32Array;
}

/** Goes over all blocks of a dictionary with some rows and adds up what it finds. */
export interface BlockPass {
  run(rows: WeightedRows, into: Collected): Promise<void>;
  release(): Promise<void>;
}

/** Activations held at once, a few arrays of this many values: 64 MiB each. */
const activationsAtOnce = 1 << 24;

/** Rows that are run together. */
interface RowSlice {
  /** the number of the first of them */
  readonly first: number;
  /** [T, d] */
  readonly x: Tensor;
  /** [T, 1] */
  readonly weights: Tensor;
}

/** Rows one after another, as many at once as `n` latents allow. */
export function* slicesOf({ rows, weights }: WeightedRows, d: number, n: number): Generator<RowSlice> {
  const step = Math.max(1, Math.floor(activationsAtOnce / n));
  for (const [first, end] of ranges(weights.length, step))
    yield {
      first,
      x: tensor('f32', [end - first, d], rows.slice(first * d, end * d)),
      weights: tensor('f32', [end - first, 1], weights.slice(first, end)),
    };
}

/** What a block's latents are encoded with; [d] and scalars as they are. */
export async function encoderBlock({ sae, numbers }: BlockWork, [from, to]: Span): Promise<EncoderValues> {
  const own = arithmeticOf(numbers, sae, (values) => values.slice(from, to));
  return encoderValues(own, await sae.encoderColumns(from, to));
}

/** The length of an axis of a block's latents. */
export const blockLatents = 'latents';

/** Inputs of a graph over any one block, and the feeds of a block of `n` latents. */
export function blockInputs(): { bind: Bind; feeds(values: EncoderValues, n: number): Feeds } {
  const shapes = new Map<string, readonly Dim[]>();
  const shapeOf = (name: string, n: number) =>
    shapes.get(name)!.map((length) => (length === blockLatents ? n : Number(length)));
  return {
    bind(name, shape) {
      shapes.set(name, shape);
      return input(name, shape);
    },
    feeds: (values, n) =>
      Object.fromEntries(
        [...values]
          .filter(([name]) => shapes.has(name))
          .map(([name, data]) => [name, tensor('f32', shapeOf(name, n), data)]),
      ),
  };
}
