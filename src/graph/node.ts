/**
 * What a compute graph is made of: the closed list of ops, and the node. Every table over ops (shape,
 * gradient, lowering, reference evaluation) is total over `OpName`, so an op that lacks a rule does not
 * compile. Knows nothing of models.
 */
import type { Tensor } from '../tensor.ts';

/**
 * A length: a number, or the name of a length that is only known when the graph runs (for example
 * 'tokens'). A product is named by its factors in order, numbers first: 'new·rows', '3·new'.
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** The factors of a length. */
export const factorsOf = (n: Dim): Dim[] =>
  typeof n === 'number'
    ? [n]
    : n.split('·').map((factor) => (/^\d+$/.test(factor) ? Number(factor) : factor));

/** Element types inside a graph: float32 values, int64 indices, and truth values. */
export type GraphDType = 'f32' | 'i64' | 'bool';

type None = Record<never, never>;

/** The attributes of each op. Inputs are written a, b, ...; `n` is the last axis. */
export interface OpAttributes {
  /** a value fed at each run */
  input: { readonly name: string; readonly shape: Shape; readonly dtype: GraphDType };
  /** a weight, bound by name when the graph is loaded */
  param: { readonly name: string; readonly shape: readonly number[] };
  /** a value known when the graph is built */
  constant: { readonly value: Tensor };

  /** a + b and so on, with NumPy broadcasting */
  add: None;
  sub: None;
  mul: None;
  div: None;
  /** −a and so on, element by element */
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  tanh: None;
  erf: None;
  sigmoid: None;
  /** a · sigmoid(a) */
  silu: None;
  cos: None;
  sin: None;
  /** a ≥ b, as truth values, with broadcasting */
  greaterOrEqual: None;
  /** a ? b : c, with broadcasting */
  where: None;

  /**
   * alpha · op(a) op(b), op transposes the last two axes; leading axes broadcast. With a third input c (a,
   * b matrices): + c.
   */
  matmul: { readonly transA: boolean; readonly transB: boolean; readonly alpha: number };
  /** sum over `axes`, which stay as length 1 */
  sum: { readonly axes: readonly number[] };
  /** greatest over the last axis, which stays as length 1 */
  max: None;
  /** exp(a) / Σ exp(a) over the last axis */
  softmax: None;
  /** ln Σ exp(a) over the last axis, which stays as length 1 */
  logSumExp: None;
  /** b · a / sqrt(mean(a²) + epsilon), the mean over the last axis */
  rmsNorm: { readonly epsilon: number };
  /**
   * rotary embedding of a [T, heads·h] by b = cos, c = sin [T, r/2]: halves (x₁,x₂) of each head's first r
   * → (x₁c−x₂s, x₂c+x₁s); `inverse` turns back
   */
  rope: { readonly heads: number; readonly inverse: boolean };

  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  /** a[..., start:end, ...] on one axis of known length */
  slice: { readonly axis: number; readonly start: number; readonly end: number };
  /** zeros before and after, on one axis of known length */
  pad: { readonly axis: number; readonly before: number; readonly after: number };
  concat: { readonly axis: number };
  /** whole numbers as indices */
  asIndex: None;
  /** rows b of the table a: [V, ...], [n] → [n, ...] */
  gather: None;
  /** zeros [rows, ...] with a's rows added at indices b: [n, ...], [n] → [rows, ...] */
  scatterAdd: { readonly rows: Dim };
  /**
   * places of the k greatest of the last axis, greatest first, of equal ones the lower: [..., n] → int64
   * [..., k]
   */
  topIndices: { readonly k: number };
  /** a's elements at places b of the last axis: [..., n], [..., k] → [..., k] */
  take: None;
  /** zeros with a's elements added at places b of the last axis: [..., k], [..., k] → [..., length] */
  put: { readonly length: Dim };
  /** a, broadcast to b's shape */
  broadcastLike: None;
  /** a, as if it were a constant: no gradient passes */
  detach: None;
}

export type OpName = keyof OpAttributes;

export interface Node<O extends OpName = OpName> {
  readonly op: O;
  readonly attributes: OpAttributes[O];
  readonly inputs: readonly Node[];
  readonly shape: Shape;
  readonly dtype: GraphDType;
}

/** Named results, and through them everything needed to compute them. */
export interface Graph {
  readonly outputs: Readonly<Record<string, Node>>;
}

/** A table with a rule for every op. */
export type OpTable<Args extends readonly unknown[], Result> = {
  readonly [O in OpName]: (node: Node<O>, ...args: Args) => Result;
};

/** Applies a table's rule for the node's op. */
export function applyRule<Args extends readonly unknown[], Result>(
  table: OpTable<Args, Result>,
  node: Node,
  ...args: Args
): Result {
  return (table[node.op] as (node: Node, ...args: Args) => Result)(node, ...args);
}

/** Every node that the roots need, each after its inputs. */
export function topological(roots: Iterable<Node>): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  for (const root of roots) {
    if (!seen.has(root)) stack.push({ node: root, next: 0 });
    seen.add(root);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const input = top.node.inputs[top.next++];
      if (input === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (!seen.has(input)) {
        seen.add(input);
        stack.push({ node: input, next: 0 });
      }
    }
  }
  return order;
}

/** The graph's nodes of one op, in topological order. */
export function nodesOf<O extends OpName>(graph: Graph, op: O): Node<O>[] {
  return topological(Object.values(graph.outputs)).filter((node): node is Node<O> => node.op === op);
}
