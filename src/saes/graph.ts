/**
 * An SAE as a compute graph: the same numbers as `encode` and `decode`, many times faster. Length: 'tokens' T.
 */
import {
  add,
  constant,
  div,
  exp,
  gather,
  greaterOrEqual,
  input,
  matmul,
  mul,
  param,
  put,
  scalar,
  scale,
  sqrt,
  sub,
  sum,
  sumLast,
  take,
  topIndices,
  transpose,
  where,
} from '../graph/build.ts';
import type { Graph, Node } from '../graph/node.ts';
import { simplify } from '../graph/simplify.ts';
import { i64, type Tensor, tensor } from '../tensor.ts';
import type { KindedEncoder, SaeArithmetic } from './arithmetic.ts';
import type { Normalisation } from './normalise.ts';
import type { Sae } from './sae.ts';

export interface SaeGraph {
  /** `x` [T, d] → `z` [T, N] (of unit directions), `reconstruction` [T, d], `fired` [1, N] (tokens at which each latent is active) */
  readonly graph: Graph;
  readonly weights: ReadonlyMap<string, Tensor>;
}

const zero = scalar(0);
const one = scalar(1);
const relu = (a: Node) => where(greaterOrEqual(a, zero), a, zero);
/** `a` where it is above `limit`, else 0. */
const above = (a: Node, limit: Node) => where(greaterOrEqual(limit, a), zero, a);

interface Normalised {
  readonly x: Node;
  readonly scale: Node;
  readonly shift: Node;
}

const normalise: { readonly [how in Normalisation]: (x: Node, d: number) => Normalised } = {
  none: (x) => ({ x, scale: one, shift: zero }),
  constant_norm_rescale: (x, d) => {
    const size = sqrt(scale(sumLast(mul(x, x)), 1 / d));
    return { x: div(x, where(greaterOrEqual(zero, size), one, size)), scale: size, shift: zero };
  },
  layer_norm: (x, d) => {
    const shift = scale(sumLast(x), 1 / d);
    const centred = sub(x, shift);
    const deviation = sqrt(scale(sumLast(mul(centred, centred)), 1 / (d - 1)));
    return { x: div(centred, add(deviation, scalar(1e-5))), scale: deviation, shift };
  },
};

/** Names a vector or matrix as a weight of the graph. */
type Bind = (name: string, shape: readonly number[], values: Float32Array) => Node;

function encode(x: Node, { kind, weights }: KindedEncoder, latents: number, d: number, bind: Bind): Node {
  const vector = (name: string, values: Float32Array) => bind(name, [latents], values);
  const product = matmul(x, bind('W_enc', [d, latents], weights.weight));
  const pre = add(product, vector('b_enc', weights.bias));
  switch (kind) {
    case 'relu':
      return relu(pre);
    case 'topk': {
      const ranked = weights.rescale ? mul(pre, vector('rescale', weights.rescale)) : pre;
      const places = topIndices(ranked, weights.k);
      return put(relu(take(ranked, places)), places, latents);
    }
    case 'jumprelu':
      return relu(above(pre, vector('threshold', weights.threshold)));
    case 'gated': {
      const magnitude = mul(product, exp(vector('r_mag', weights.logMagnitude)));
      const z = relu(add(magnitude, vector('b_mag', weights.magnitudeBias)));
      return where(greaterOrEqual(zero, pre), zero, z);
    }
  }
}

/** What an encoder computes with, bound as weights of a graph. */
interface Encoded {
  /** [T, N], of unit directions */
  readonly z: Node;
  readonly bDec: Node;
  readonly norm: Normalised;
}

function encoded(x: Node, { width: d, latents }: Sae, parts: SaeArithmetic, bind: Bind): Encoded {
  const { encoder, normalisation, subtractBias, bias, fold } = parts;
  const norm = normalise[normalisation](x, d);
  const bDec = bind('b_dec', [d], bias);
  const activations = encode(subtractBias ? sub(norm.x, bDec) : norm.x, encoder, latents, d, bind);
  return { z: mul(activations, bind('fold', [latents], fold)), bDec, norm };
}

const binding =
  (weights: Map<string, Tensor>, prefix = ''): Bind =>
  (name, shape, values) => {
    weights.set(prefix + name, tensor('f32', shape, values));
    return param(prefix + name, shape);
  };

/** Reads the whole SAE into memory: 8·d·N bytes. */
export async function saeGraph(sae: Sae): Promise<SaeGraph> {
  const { width: d, latents } = sae;
  const weights = new Map<string, Tensor>();
  const bind = binding(weights);
  const { z, bDec, norm } = encoded(input('x', ['tokens', d]), sae, await sae.arithmetic(), bind);
  const decoded = add(matmul(z, bind('W_dec', [latents, d], await sae.decoderRows(0, latents))), bDec);
  const reconstruction = add(mul(decoded, norm.scale), norm.shift);
  const fired = sum(where(greaterOrEqual(zero, z), zero, one), [0]);
  return { graph: simplify({ outputs: { z, reconstruction, fired } }), weights };
}

/**
 * The activations of some latents on top of any node x [T, d]: z [T, n] of unit directions, by the whole encoder, whatever its kind; and the weights, whose names begin
 * with `sae.`. Reads the encoder into memory, not the decoder: 4·d·N bytes. Throws RangeError for a latent that the SAE does not have.
 */
export async function activationsOn(
  x: Node,
  sae: Sae,
  latents: readonly number[],
): Promise<{ readonly z: Node; readonly weights: ReadonlyMap<string, Tensor> }> {
  const none = latents.find((latent) => !Number.isInteger(latent) || latent < 0 || latent >= sae.latents);
  if (none !== undefined)
    throw new RangeError(`latent ${none}: ${sae.where} has latents 0 to ${sae.latents - 1}`);
  const weights = new Map<string, Tensor>();
  const { z } = encoded(x, sae, await sae.arithmetic(), binding(weights, 'sae.'));
  const columns = gather(transpose(z, [1, 0]), constant(i64([latents.length], latents)));
  return { z: transpose(columns, [1, 0]), weights };
}
