/**
 * An SAE as a compute graph: encoder and decoder, whatever its kind. Length: 'tokens' T. A dictionary larger than
 * memory is gone through block by block: encoder.ts.
 */
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
import type { Dim, Graph, Node } from '../graph/node.ts';
import { simplify } from '../graph/simplify.ts';
import { i64, type Tensor, tensor } from '../tensor.ts';
import type { SaeArithmetic } from './arithmetic.ts';
import { weightShapes } from './kinds/kind.ts';
import { normalisations } from './normalise.ts';
import { assertLatents, type Sae } from './sae.ts';

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

/** Names a vector or matrix of the SAE as a node of the graph. */
export type Bind = (name: string, shape: readonly Dim[]) => Node;

/** What an encoder is of: a whole dictionary, or some of its latents. */
export interface Encoding extends Pick<Sae, 'width' | 'kind'> {
  readonly latents: Dim;
}

/** Everything that an encoder computes with, by the names that Bind is given. */
export type EncoderValues = ReadonlyMap<string, Float32Array>;

/** The values of the latents whose vectors and whose columns of the encoder these are. */
export const encoderValues = (numbers: SaeArithmetic, encoder: Float32Array): EncoderValues =>
  new Map([
    ...Object.entries(numbers.weights),
    ['W_enc', encoder],
    ['b_dec', numbers.bias],
    ['fold', numbers.fold],
    ...(numbers.rescale ? [['rescale', numbers.rescale] as const] : []),
  ]);

/** What of x [T, d] an encoder starts from, and what takes a reconstruction back. */
export function entering(x: Node, { width: d }: Encoding, numbers: SaeArithmetic, bind: Bind) {
  const { x: rows, ...back } = normalisations[numbers.normalisation](x, d);
  const bDec = bind('b_dec', [d]);
  return { rows: numbers.subtractBias ? sub(rows, bDec) : rows, bDec, ...back };
}

/** Pre-activations of x [T, d] and what else a kind encodes them with. */
function preActivations(x: Node, of: Encoding, numbers: SaeArithmetic, bind: Bind) {
  const { width: d, latents, kind } = of;
  const { rows, ...back } = entering(x, of, numbers, bind);
  const weights = Object.fromEntries(
    Object.entries(weightShapes(kind, d, latents)).map(([name, shape]) => [name, bind(name, shape)]),
  );
  const product = matmul(rows, bind('W_enc', [d, latents]));
  const affine = add(product, weights[kind.bias]!);
  const pre = numbers.rescale ? mul(affine, bind('rescale', [latents])) : affine;
  return { product, pre, weights, ...back };
}

/** The pre-activations [T, N] alone, of a kind that chooses among them. */
export const preActivationsOf = (x: Node, of: Encoding, numbers: SaeArithmetic, bind: Bind): Node =>
  preActivations(x, of, numbers, bind).pre;

/** z [T, N] of unit directions for x [T, d], and what the reconstruction is made with. */
export function encoded(x: Node, of: Encoding, numbers: SaeArithmetic, bind: Bind) {
  const { product, pre, weights, ...back } = preActivations(x, of, numbers, bind);
  const { kind, latents } = of;
  const own = kind.encode({ product, pre, latents, weights, counts: numbers.counts });
  return { z: mul(own, bind('fold', [latents])), ...back };
}

/** x̂ [T, d] from Σ_i z_{t,i} d_i [T, d]. */
export const reconstructed = (
  decoded: Node,
  { bDec, scale, shift }: Pick<ReturnType<typeof entering>, 'bDec' | 'scale' | 'shift'>,
): Node => add(mul(add(decoded, bDec), scale), shift);

/** Binds values as weights of the graph, under their names with a prefix. */
const binding =
  (weights: Map<string, Tensor>, values: EncoderValues, prefix = ''): Bind =>
  (name, shape) => {
    weights.set(prefix + name, tensor('f32', shape as number[], values.get(name)!));
    return param(prefix + name, shape as number[]);
  };

/** Tokens [1, N] at which each latent is active, of z [T, N]. */
export const firedOf = (z: Node): Node => sum(where(greaterOrEqual(zero, z), zero, one), [0]);

/** Reads the whole SAE into memory: 8·d·N bytes. */
export async function saeGraph(sae: Sae): Promise<SaeGraph> {
  const { width: d, latents } = sae;
  const numbers = await sae.arithmetic();
  const weights = new Map<string, Tensor>();
  const values = new Map(encoderValues(numbers, await sae.encoderColumns(0, latents)));
  const bind = binding(weights, values.set('W_dec', await sae.decoderRows(0, latents)));
  const x = input('x', ['tokens', d]);
  const { z, ...back } = encoded(x, sae, numbers, bind);
  const reconstruction = reconstructed(matmul(z, bind('W_dec', [latents, d])), back);
  return { graph: simplify({ outputs: { z, reconstruction, fired: firedOf(z) } }), weights };
}

/**
 * The activations of some latents on top of any node x [T, d]: z [T, n] of unit directions; and the weights, whose
 * names begin with `sae.`. Of a kind whose activations are separate by the latents' own columns of the encoder
 * (4·d·n bytes), else by the whole encoder (4·d·N bytes). Throws RangeError for a latent that the SAE does not
 * have.
 */
export async function activationsOn(
  x: Node,
  sae: Sae,
  latents: readonly number[],
): Promise<{ readonly z: Node; readonly weights: ReadonlyMap<string, Tensor> }> {
  const { z, weights } = (await chosenOf(sae, latents))(x);
  return { z, weights };
}

/** Columns of z [T, N], one a latent: [T, n]. */
const columnsAt = (z: Node, latents: readonly number[]): Node =>
  transpose(gather(transpose(z, [1, 0]), constant(i64([latents.length], latents))), [1, 0]);

/** Values [N] of some latents alone. */
const picked = (values: Float32Array, latents: readonly number[]) =>
  Float32Array.from(latents, (latent) => values[latent]!);

/** The arithmetic with `part` of whatever is one a latent. */
export function arithmeticOf(
  numbers: SaeArithmetic,
  { kind }: Pick<Sae, 'kind'>,
  part: (values: Float32Array) => Float32Array,
): SaeArithmetic {
  const own = Object.entries(numbers.weights).map(([name, values]) => {
    const isByLatent = kind.weights[name]!.join() === 'N';
    return [name, isByLatent ? part(values) : values] as const;
  });
  return {
    ...numbers,
    weights: Object.fromEntries(own),
    fold: part(numbers.fold),
    ...(numbers.rescale && { rescale: part(numbers.rescale) }),
  };
}

/** z [T, n] of some latents for any node x [T, d], with the token's scale and the weights of the graph. */
async function chosenOf(sae: Sae, latents: readonly number[]) {
  assertLatents(sae, latents);
  const all = await sae.arithmetic();
  const { width, kind } = sae;
  const of = kind.separate ? { width, kind, latents: latents.length } : sae;
  const numbers = kind.separate ? arithmeticOf(all, sae, (values) => picked(values, latents)) : all;
  const encoder = await (kind.separate ? sae.encoderOf(latents) : sae.encoderColumns(0, sae.latents));
  const values = encoderValues(numbers, encoder);
  return (x: Node) => {
    const weights = new Map<string, Tensor>();
    const { z, scale } = encoded(x, of, numbers, binding(weights, values, 'sae.'));
    return { z: kind.separate ? z : columnsAt(z, latents), scale, weights };
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
 * How far each of some latents moves the reconstruction along its unit direction, for any node x [T, d]; by what
 * activationsOn takes. Throws RangeError for a latent that the SAE does not have.
 */
export async function contributionsOf(
  sae: Sae,
  latents: readonly number[],
): Promise<(x: Node) => Contributions> {
  const chosen = await chosenOf(sae, latents);
  return (x) => {
    const { z, scale, weights } = chosen(x);
    return { contribution: mul(z, scale), weights };
  };
}
