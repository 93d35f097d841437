/** An SAE as a compute graph: encoder and decoder, whatever its kind. Length: 'tokens' T. */
import {
  add,
  constant,
  gather,
  greaterOrEqual,
  input,
  matmul,
  mul,
  param,
  scalar,
  sub,
  sum,
  transpose,
  where,
} from '../graph/build.ts';
import type { Graph, Node } from '../graph/node.ts';
import { simplify } from '../graph/simplify.ts';
import { i64, type Tensor, tensor } from '../tensor.ts';
import type { SaeArithmetic } from './arithmetic.ts';
import { weightShapes } from './kinds/kind.ts';
import { normalisations } from './normalise.ts';
import type { Sae } from './sae.ts';

export interface SaeGraph {
  /**
   * `x` [T, d] → `z` [T, N] (of unit directions), `reconstruction` x̂ [T, d], `fired` [1, N] (tokens at which
   * each latent is active). With activation normalisation x̂_t = scale_t · (Σ_i z_{t,i} d_i + b_dec) +
   * shift_t.
   */
  readonly graph: Graph;
  readonly weights: ReadonlyMap<string, Tensor>;
}

const zero = scalar(0);
const one = scalar(1);

/** Names a vector or matrix as a weight of the graph. */
type Bind = (name: string, shape: readonly number[], values: Float32Array) => Node;

/** What an encoder is of: a whole dictionary, or some of its latents. */
type Encoding = Pick<Sae, 'width' | 'latents' | 'kind'>;

/**
 * The kind's activations of x [T, d], which has been normalised and shifted: z [T, N] of decoder rows as
 * published.
 */
function ownActivations(x: Node, sae: Encoding, numbers: SaeArithmetic, bind: Bind): Node {
  const { width: d, latents, kind } = sae;
  const weights = Object.fromEntries(
    Object.entries(weightShapes(kind, d, latents)).map(([name, shape]) => [
      name,
      bind(name, shape, numbers.weights[name]!),
    ]),
  );
  const product = matmul(x, bind('W_enc', [d, latents], numbers.encoder));
  const affine = add(product, weights[kind.bias]!);
  const pre = numbers.rescale ? mul(affine, bind('rescale', [latents], numbers.rescale)) : affine;
  return kind.encode({ product, pre, latents, weights, counts: numbers.counts });
}

function encoded(x: Node, sae: Encoding, numbers: SaeArithmetic, bind: Bind) {
  const { width: d, latents } = sae;
  const { x: rows, ...back } = normalisations[numbers.normalisation](x, d);
  const bDec = bind('b_dec', [d], numbers.bias);
  const own = ownActivations(numbers.subtractBias ? sub(rows, bDec) : rows, sae, numbers, bind);
  return { z: mul(own, bind('fold', [latents], numbers.fold)), bDec, ...back };
}

const binding =
  (weights: Map<string, Tensor>, prefix = ''): Bind =>
  (name, shape, values) => {
    weights.set(prefix + name, tensor('f32', shape, values));
    return param(prefix + name, shape);
  };

const firedOf = (z: Node): Node => sum(where(greaterOrEqual(zero, z), zero, one), [0]);

/** Reads the whole SAE into memory: 8·d·N bytes. */
export async function saeGraph(sae: Sae): Promise<SaeGraph> {
  const { width: d, latents } = sae;
  const weights = new Map<string, Tensor>();
  const bind = binding(weights);
  const { z, bDec, scale, shift } = encoded(input('x', ['tokens', d]), sae, await sae.arithmetic(), bind);
  const decoded = add(matmul(z, bind('W_dec', [latents, d], await sae.decoderRows(0, latents))), bDec);
  const reconstruction = add(mul(decoded, scale), shift);
  return { graph: simplify({ outputs: { z, reconstruction, fired: firedOf(z) } }), weights };
}

/**
 * The activations of some latents on top of any node x [T, d]: z [T, n] of unit directions, by the whole
 * encoder, whatever its kind; `fired` [1, N], the tokens at which each latent of the dictionary is active; and
 * the weights, whose names begin with `sae.`. Reads the encoder into memory,
 * not the decoder: 4·d·N bytes. Throws RangeError for a latent that the SAE does not have.
 */
export async function activationsOn(
  x: Node,
  sae: Sae,
  latents: readonly number[],
): Promise<{ readonly z: Node; readonly fired: Node; readonly weights: ReadonlyMap<string, Tensor> }> {
  checkLatents(sae, latents);
  const weights = new Map<string, Tensor>();
  const { z } = encoded(x, sae, await sae.arithmetic(), binding(weights, 'sae.'));
  return { z: columnsAt(z, latents), fired: firedOf(z), weights };
}

function checkLatents(sae: Sae, latents: readonly number[]): void {
  const none = latents.find((latent) => !Number.isInteger(latent) || latent < 0 || latent >= sae.latents);
  if (none !== undefined)
    throw new RangeError(`latent ${none}: ${sae.where} has latents 0 to ${sae.latents - 1}`);
}

/** Columns of z [T, N], one a latent: [T, n]. */
const columnsAt = (z: Node, latents: readonly number[]): Node =>
  transpose(gather(transpose(z, [1, 0]), constant(i64([latents.length], latents))), [1, 0]);

/** Values [N] of some latents alone. */
const picked = (values: Float32Array, latents: readonly number[]) =>
  Float32Array.from(latents, (latent) => values[latent]!);

/** The arithmetic of some latents alone: their columns of the encoder, and their part of what is one a latent. */
function arithmeticOf(
  numbers: SaeArithmetic,
  { kind, width: d, latents: N }: Sae,
  latents: readonly number[],
): SaeArithmetic {
  const n = latents.length;
  const encoder = Float32Array.from(
    { length: d * n },
    (_, at) => numbers.encoder[Math.floor(at / n) * N + latents[at % n]!]!,
  );
  const own = Object.entries(numbers.weights).map(([name, values]) => {
    const isByLatent = kind.weights[name]!.join() === 'N';
    return [name, isByLatent ? picked(values, latents) : values] as const;
  });
  return {
    ...numbers,
    encoder,
    weights: Object.fromEntries(own),
    fold: picked(numbers.fold, latents),
    ...(numbers.rescale && { rescale: picked(numbers.rescale, latents) }),
  };
}

/** Some latents' contributions to the reconstruction of a node x [T, d]. */
export interface Contributions {
  /** [T, n]: z of unit directions, times the token's scale where the SAE normalises its input */
  readonly contribution: Node;
  /** their names begin with `sae.` */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/**
 * How far each of some latents moves the reconstruction along its unit direction, for any node x [T, d]. Of a
 * kind whose activations are separate by the latents' own columns of the encoder (4·d·n bytes), else by the
 * whole encoder. Throws RangeError for a latent that the SAE does not have.
 */
export async function contributionsOf(
  sae: Sae,
  latents: readonly number[],
): Promise<(x: Node) => Contributions> {
  checkLatents(sae, latents);
  const numbers = await sae.arithmetic();
  const { width, kind } = sae;
  const own = kind.separate && {
    sae: { width, kind, latents: latents.length },
    numbers: arithmeticOf(numbers, sae, latents),
  };
  return (x) => {
    const weights = new Map<string, Tensor>();
    const bind = binding(weights, 'sae.');
    const { z, scale } = own ? encoded(x, own.sae, own.numbers, bind) : encoded(x, sae, numbers, bind);
    return { contribution: mul(own ? z : columnsAt(z, latents), scale), weights };
  };
}
