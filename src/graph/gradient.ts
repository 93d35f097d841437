/**
 * Reverse-mode gradients. The table gives, for y = op(inputs) and dy = ∂L/∂y, what each input receives:
 * ∂L/∂input, as new nodes; null where an input has no gradient (indices, truth values). A gradient is a
 * graph like any other.
 */

import { f32 } from '../tensor.ts';
import {
  add,
  broadcastLike,
  constant,
  cos,
  div,
  exp,
  gather,
  known,
  matmul,
  mul,
  neg,
  pad,
  put,
  reshape,
  rope,
  scalar,
  scale,
  scatterAdd,
  sigmoid,
  sin,
  slice,
  softmax,
  sqrt,
  sub,
  sum,
  sumLast,
  take,
  transpose,
  where,
} from './build.ts';
import { applyRule, type Node, type OpTable, type Shape, topological } from './node.ts';
import { GraphError } from './shape.ts';

type Gradients = readonly (Node | null)[];

/** dy summed over the axes along which an input of shape `to` was broadcast. */
function unbroadcast(dy: Node, to: Shape): Node {
  const lead = dy.shape.length - to.length;
  const axes = dy.shape.flatMap((n, i) => (i < lead || (to[i - lead] === 1 && n !== 1) ? [i] : []));
  const summed = axes.length > 0 ? sum(dy, axes) : dy;
  return lead > 0 ? reshape(summed, to) : summed;
}

const one = scalar(1);
const a = (node: Node) => node.inputs[0]!;
const b = (node: Node) => node.inputs[1]!;
const c = (node: Node) => node.inputs[2]!;
const toA = (node: Node, dy: Node) => unbroadcast(dy, a(node).shape);
const toB = (node: Node, dy: Node) => unbroadcast(dy, b(node).shape);

/** y = αAB: dA = α dy Bᵀ, dB = α Aᵀ dy; for a transposed input the same, transposed. */
function matmulGradient(node: Node<'matmul'>, dy: Node): Gradients {
  const { transA, transB, alpha } = node.attributes;
  const [x, y] = [a(node), b(node)];
  const dx = transA
    ? matmul(y, dy, { transA: transB, transB: true, alpha })
    : matmul(dy, y, { transB: !transB, alpha });
  const dw = transB
    ? matmul(dy, x, { transA: true, transB: transA, alpha })
    : matmul(x, dy, { transA: !transA, alpha });
  const addend = node.inputs[2];
  return [toA(node, dx), toB(node, dw), ...(addend ? [unbroadcast(dy, addend.shape)] : [])];
}

/** y = w n, n = a r, r = 1/sqrt(mean(a²)+ε): da = r (w dy − n mean(w dy n)), dw = Σ dy n. */
function rmsNormGradient(node: Node<'rmsNorm'>, dy: Node): Gradients {
  const [x, weight] = [a(node), b(node)];
  const d = known(x, -1);
  const r = div(one, sqrt(add(scale(sumLast(mul(x, x)), 1 / d), scalar(node.attributes.epsilon))));
  const n = mul(x, r);
  const dn = mul(dy, weight);
  return [mul(r, sub(dn, mul(n, scale(sumLast(mul(dn, n)), 1 / d)))), unbroadcast(mul(dy, n), weight.shape)];
}

function concatGradient(node: Node<'concat'>, dy: Node): Gradients {
  const { axis } = node.attributes;
  let start = 0;
  return node.inputs.map((part) => {
    const end = start + known(part, axis);
    const piece = slice(dy, axis, start, end);
    start = end;
    return piece;
  });
}

function inversePermutation(permutation: readonly number[]): number[] {
  return permutation.map((_, i) => permutation.indexOf(i));
}

const zero = scalar(0);
const none = (node: Node): Gradients => node.inputs.map(() => null);

const rules: OpTable<[dy: Node], Gradients> = {
  input: none,
  param: none,
  constant: none,
  add: (y, dy) => [toA(y, dy), toB(y, dy)],
  sub: (y, dy) => [toA(y, dy), toB(y, neg(dy))],
  mul: (y, dy) => [toA(y, mul(dy, b(y))), toB(y, mul(dy, a(y)))],
  div: (y, dy) => [toA(y, div(dy, b(y))), toB(y, neg(div(mul(dy, y), b(y))))],
  neg: (_, dy) => [neg(dy)],
  exp: (y, dy) => [mul(dy, y)],
  log: (y, dy) => [div(dy, a(y))],
  sqrt: (y, dy) => [div(scale(dy, 0.5), y)],
  tanh: (y, dy) => [mul(dy, sub(one, mul(y, y)))],
  erf: (y, dy) => [mul(dy, scale(exp(neg(mul(a(y), a(y)))), 2 / Math.sqrt(Math.PI)))],
  sigmoid: (y, dy) => [mul(dy, mul(y, sub(one, y)))],
  // σ(a)(1 + a(1 − σ(a))) = σ(a) + y(1 − σ(a))
  silu: (y, dy) => {
    const s = sigmoid(a(y));
    return [mul(dy, add(s, mul(y, sub(one, s))))];
  },
  cos: (y, dy) => [neg(mul(dy, sin(a(y))))],
  sin: (y, dy) => [mul(dy, cos(a(y)))],
  greaterOrEqual: none,
  where: (y, dy) => [
    null,
    unbroadcast(where(a(y), dy, zero), b(y).shape),
    unbroadcast(where(a(y), zero, dy), c(y).shape),
  ],
  matmul: matmulGradient,
  sum: (y, dy) => [broadcastLike(dy, a(y))],
  // Only ever a shift that cancels or a statistic: no gradient is defined where the greatest is tied.
  max: () => {
    throw new GraphError('max has no gradient: it is not differentiable at ties');
  },
  softmax: (y, dy) => [mul(y, sub(dy, sumLast(mul(dy, y))))],
  logSumExp: (y, dy) => [mul(softmax(a(y)), dy)],
  rmsNorm: rmsNormGradient,
  // a rotation: its transpose is its inverse; the angles are constants of the model
  rope: (y, dy) => [rope(dy, b(y), c(y), y.attributes.heads, !y.attributes.inverse), null, null],
  reshape: (y, dy) => [reshape(dy, a(y).shape)],
  transpose: (y, dy) => [transpose(dy, inversePermutation(y.attributes.permutation))],
  slice: (y, dy) => {
    const { axis, start, end } = y.attributes;
    return [pad(dy, axis, start, known(a(y), axis) - end)];
  },
  pad: (y, dy) => {
    const { axis, before } = y.attributes;
    return [slice(dy, axis, before, before + known(a(y), axis))];
  },
  concat: concatGradient,
  asIndex: none,
  gather: (y, dy) => [scatterAdd(dy, b(y), a(y).shape[0]!), null],
  scatterAdd: (y, dy) => [gather(dy, b(y)), null],
  topIndices: none,
  take: (y, dy) => [put(dy, b(y), a(y).shape.at(-1)!), null],
  put: (y, dy) => [take(dy, b(y)), null],
  broadcastLike: (y, dy) => [toA(y, dy), null],
  detach: none,
};

/**
 * ∂(Σ output)/∂w for each w in `wrt`, as new nodes of w's shape, in that order. Only the paths between
 * `wrt` and the output are differentiated. A `wrt` that the output does not depend on is a GraphError: a
 * forgotten connection, not a zero.
 */
export function gradient(output: Node, wrt: readonly Node[]): Node[] {
  const order = topological([output]);
  const depends = new Set<Node>(wrt);
  for (const node of order) if (node.inputs.some((i) => depends.has(i))) depends.add(node);
  const received = new Map<Node, Node>();
  received.set(output, broadcastLike(constant(f32([], [1])), output));
  for (const node of order.toReversed()) {
    const dy = received.get(node);
    if (!dy || !depends.has(node) || wrt.includes(node)) continue;
    applyRule(rules, node, dy).forEach((piece, i) => {
      const into = node.inputs[i]!;
      if (!piece || !depends.has(into)) return;
      const before = received.get(into);
      received.set(into, before ? add(before, piece) : piece);
    });
  }
  return wrt.map((w) => received.get(w) ?? missing(w));
}

function missing(w: Node): never {
  const name = 'name' in w.attributes ? ` ${w.attributes.name}` : '';
  throw new GraphError(`gradient: the output does not depend on ${w.op}${name} by a differentiable path`);
}
