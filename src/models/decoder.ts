/**
 * A language model as embed → blocks → unembed over a residual stream, and the scope through which a family
 * reads its weights. Shapes: T tokens, n rows whose logits are wanted, d residual width, V vocabulary. Knows
 * no family.
 */

import { InputError } from '../errors.ts';
import { add, input, matmul, param } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import { isFloat, type StoredTensor, type Tensor } from '../tensor.ts';
import type { Heads, Scoring } from './attention.ts';

/** What one pass over tokens is fed, as nodes, and how its tokens see one another. */
export interface Pass {
  /** token ids [T] */
  readonly ids: Node;
  /** positions [T, 1], as float32 */
  readonly positions: Node;
  /**
   * softmax(scores) v over what each token may see: query [T, query·h], key and value [T, keyValue·h] → [T,
   * query·h]
   */
  attend(layer: number, query: Node, key: Node, value: Node, heads: Heads, scoring: Scoring): Node;
}

/** One family's model. The residual stream after block L is the site `resid_post L`. */
export interface Decoder {
  readonly family: string;
  /** d */
  readonly width: number;
  /** number of blocks; sites are resid_post 0 .. blocks − 1 */
  readonly blocks: number;
  /** V */
  readonly vocabulary: number;
  /** the longest sequence it was trained for, in tokens */
  readonly context: number;
  /** names of two tables, of embedding and unembedding, of which one may stand for both; default none */
  readonly tied?: readonly [string, string];
  /** [T, d] */
  embed(scope: Scope, pass: Pass): Node;
  /** [T, d] → [T, d] */
  block(layer: number, x: Node, scope: Scope, pass: Pass): Node;
  /** the norm before the unembedding, [n, d] → [n, d] */
  finalNorm(x: Node, scope: Scope): Node;
  /** what that norm multiplies its result by, element by element [d] */
  finalGain(scope: Scope): Node;
  /** whether that norm takes each row's mean away first; default not */
  readonly centres?: boolean;
  /** unembedding rows [V, d] */
  unembedding(scope: Scope): Node;
  /** what becomes of the products with those rows, element by element and growing; default nothing */
  logits?(products: Node): Node;
  /** names of tensors that files hold and nothing computes with; default none */
  readonly unused?: RegExp;
  /** modules whose weights lie in files as [inputs, outputs]; default none */
  readonly transposed?: (module: string) => boolean;
}

/** Logits of products with rows of the unembedding, of any shape. */
export const logitsFrom = ({ logits }: Decoder, products: Node): Node => logits?.(products) ?? products;

/** Whether a linear module has a bias; `as stored`: where the file has one. */
export type Bias = boolean | 'as stored';

/**
 * A low-rank update of one linear module: y += scale · (x Aᵀ) Bᵀ, with A [r, in] and B [out, r] named in the
 * weights.
 */
export interface LowRank {
  readonly a: string;
  readonly b: string;
  readonly rank: number;
  readonly scale: number;
}

/**
 * A model ready to be written as graphs: its shape, its weights by name, and the adapter's updates by module.
 */
export interface Model {
  readonly decoder: Decoder;
  readonly weights: ReadonlyMap<string, Tensor | StoredTensor>;
  readonly updates: ReadonlyMap<string, LowRank>;
  /** where it came from, for messages */
  readonly where: string;
}

/**
 * Reads a model's weights into a graph, checking each against the shape that the family expects. Weights
 * named `trainable` become inputs, so that they can change from run to run; `used` gathers their nodes.
 */
export class Scope {
  readonly used = new Map<string, Node>();

  constructor(
    private readonly model: Model,
    private readonly trainable: (name: string) => boolean = () => false,
  ) {}

  has(name: string): boolean {
    return this.model.weights.has(name);
  }

  /** A weight by its published name. */
  param(name: string, shape: readonly number[]): Node {
    const found = this.model.weights.get(name);
    if (!found) throw new InputError(`${this.model.where}: weight ${name} is missing`);
    if (found.shape.join() !== shape.join())
      throw new InputError(
        `${this.model.where}: weight ${name}: config expects [${shape}], the file has [${found.shape}]`,
      );
    if (!isFloat(found.dtype))
      throw new InputError(
        `${this.model.where}: weight ${name}: expected float values, found ${found.dtype} (quantised weights are not supported in this form)`,
      );
    if (!this.trainable(name)) return param(name, shape);
    const node = this.used.get(name) ?? input(name, shape);
    this.used.set(name, node);
    return node;
  }

  /**
   * x Wᵀ (+ bias) (+ the adapter's update), W [outputs, inputs] at `module`.weight, or its transpose where the
   * family's files hold that. Throws InputError where the file has a bias and there is to be none.
   */
  linear(x: Node, module: string, inputs: number, outputs: number, bias: Bias = 'as stored'): Node {
    const transB = !this.model.decoder.transposed?.(module);
    const shape = transB ? [outputs, inputs] : [inputs, outputs];
    const product = matmul(x, this.param(`${module}.weight`, shape), { transB });
    const name = `${module}.bias`;
    if (bias === false && this.has(name))
      throw new InputError(`${this.model.where}: weight ${name}: the config says that there is no bias`);
    const y = bias === true || this.has(name) ? add(product, this.param(name, [outputs])) : product;
    return this.updated(x, y, module, inputs, outputs);
  }

  /** y plus the adapter's update of `module`, where it has one. */
  private updated(x: Node, y: Node, module: string, inputs: number, outputs: number): Node {
    const update = this.model.updates.get(module);
    if (!update) return y;
    const low = matmul(x, this.param(update.a, [update.rank, inputs]), { transB: true });
    return add(
      y,
      matmul(low, this.param(update.b, [outputs, update.rank]), { transB: true, alpha: update.scale }),
    );
  }
}
