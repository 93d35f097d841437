/** The shape and element type of each op's result, and what it refuses. One rule an op. */
import {
  applyRule,
  type Dim,
  factorsOf,
  type GraphDType,
  type Node,
  type OpTable,
  type Shape,
} from './node.ts';

export interface Typed {
  readonly shape: Shape;
  readonly dtype: GraphDType;
}

/** A graph that does not fit together: a mistake in the code that builds it. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
}

const f32 = (shape: Shape): Typed => ({ shape, dtype: 'f32' });
const show = (shape: Shape) => `[${shape.join(', ')}]`;

function refuse(node: Node, why: string): never {
  const inputs = node.inputs.map((i) => `${i.dtype}${show(i.shape)}`).join(', ');
  throw new GraphError(`${node.op}(${inputs}): ${why}`);
}

/** The shape two shapes broadcast to, or undefined. A named length fits itself and 1 only. */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    out.push(x === 1 ? y : x);
  }
  return out;
}

function input(node: Node, i: number, dtype: GraphDType = 'f32'): Shape {
  const found = node.inputs[i];
  if (!found) refuse(node, `input ${i} is missing`);
  if (found.dtype !== dtype) refuse(node, `input ${i} must be ${dtype}`);
  return found.shape;
}

const same = (node: Node): Typed => f32(input(node, 0));

function broadcast(node: Node, first: Shape, second: Shape): Shape {
  return broadcastShapes(first, second) ?? refuse(node, 'the shapes do not broadcast');
}

const binary = (node: Node): Typed => f32(broadcast(node, input(node, 0), input(node, 1)));

function axisOf(node: Node, shape: Shape, axis: number): Dim {
  return shape[axis] ?? refuse(node, `axis ${axis} is out of range`);
}

function knownAxis(node: Node, shape: Shape, axis: number): number {
  const length = axisOf(node, shape, axis);
  if (typeof length !== 'number') refuse(node, `axis ${axis} must have a known length, it is ${length}`);
  return length;
}

function replaced(shape: Shape, axis: number, length: Dim): Shape {
  return shape.map((n, i) => (i === axis ? length : n));
}

function matmul(node: Node<'matmul'>): Typed {
  const { transA, transB } = node.attributes;
  const a = input(node, 0);
  const b = input(node, 1);
  if (a.length < 2 || b.length < 2) refuse(node, 'both inputs need two axes or more');
  const [rows, inner] = transA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const [inner2, columns] = transB ? [b.at(-1)!, b.at(-2)!] : [b.at(-2)!, b.at(-1)!];
  if (inner !== inner2) refuse(node, `inner lengths ${inner} and ${inner2} differ`);
  const shape = [...broadcast(node, a.slice(0, -2), b.slice(0, -2)), rows, columns];
  if (node.inputs.length > 2) {
    if (a.length !== 2 || b.length !== 2) refuse(node, 'an addend needs matrices');
    const sum = broadcastShapes(shape, input(node, 2));
    if (sum?.length !== 2 || sum.some((n, i) => n !== shape[i]))
      refuse(node, 'the addend does not broadcast');
  }
  return f32(shape);
}

/** Elements as a product: the known part, and the named lengths sorted. */
function elements(shape: Shape): string {
  const factors = shape.flatMap(factorsOf);
  const known = factors.reduce<number>((p, n) => (typeof n === 'number' ? p * n : p), 1);
  const named = factors.filter((n) => typeof n === 'string').sort();
  return [known, ...named].join('·');
}

function rope(node: Node<'rope'>): Typed {
  const x = input(node, 0);
  const [tokens, half] = input(node, 1);
  const width = knownAxis(node, x, 1) / node.attributes.heads;
  const sin = input(node, 2);
  if (x.length !== 2 || tokens !== x[0] || typeof half !== 'number')
    refuse(node, 'expected [T, heads·h], cos [T, r/2]');
  if (!Number.isInteger(width) || 2 * half > width) refuse(node, `${node.attributes.heads} heads do not fit`);
  if (sin[0] !== tokens || sin[1] !== half) refuse(node, 'cos and sin differ in shape');
  return f32(x);
}

/** The shape of an input that has a last axis. */
function rows(node: Node): Shape {
  const shape = input(node, 0);
  return shape.length > 0 ? shape : refuse(node, 'an axis is needed');
}

/** The shape of places along the last axis, whose other axes must be `lead`. */
function places(node: Node, lead: Shape): Shape {
  const shape = input(node, 1, 'i64');
  if (shape.length !== lead.length + 1 || lead.some((n, i) => n !== shape[i]))
    refuse(node, 'the places do not fit beside the last axis');
  return shape;
}

const reduced = (node: Node): Typed => f32(replaced(rows(node), rows(node).length - 1, 1));

const rules: OpTable<[], Typed> = {
  input: ({ attributes }) => attributes,
  param: ({ attributes }) => f32(attributes.shape),
  constant: (node) => {
    const { dtype, shape } = node.attributes.value;
    if (dtype !== 'f32' && dtype !== 'i64' && dtype !== 'bool') refuse(node, `no constants of ${dtype}`);
    return { shape, dtype };
  },
  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  neg: same,
  exp: same,
  log: same,
  sqrt: same,
  tanh: same,
  erf: same,
  sigmoid: same,
  silu: same,
  cos: same,
  sin: same,
  greaterOrEqual: (node) => ({ shape: binary(node).shape, dtype: 'bool' }),
  where: (node) =>
    f32(broadcast(node, input(node, 0, 'bool'), broadcast(node, input(node, 1), input(node, 2)))),
  matmul,
  sum: (node) => {
    const shape = input(node, 0);
    for (const axis of node.attributes.axes) axisOf(node, shape, axis);
    return f32(shape.map((n, i) => (node.attributes.axes.includes(i) ? 1 : n)));
  },
  max: reduced,
  softmax: (node) => f32(rows(node)),
  logSumExp: reduced,
  rmsNorm: (node) => {
    const x = input(node, 0);
    const weight = input(node, 1);
    if (weight.length !== 1 || weight[0] !== x.at(-1)) refuse(node, 'the weight does not fit the last axis');
    return f32(x);
  },
  rope,
  reshape: (node) => {
    const indices = node.inputs[0]?.dtype === 'i64';
    const from = input(node, 0, indices ? 'i64' : 'f32');
    const to = node.attributes.shape;
    if (elements(from) !== elements(to)) refuse(node, `cannot become ${show(to)}`);
    return { shape: to, dtype: indices ? 'i64' : 'f32' };
  },
  transpose: (node) => {
    const shape = input(node, 0);
    const { permutation } = node.attributes;
    const sorted = [...permutation].sort((p, q) => p - q);
    if (sorted.length !== shape.length || sorted.some((axis, i) => axis !== i))
      refuse(node, `${show(permutation)} is no permutation of its axes`);
    return f32(permutation.map((axis) => shape[axis]!));
  },
  slice: (node) => {
    const { axis, start, end } = node.attributes;
    const length = knownAxis(node, input(node, 0), axis);
    if (start < 0 || end > length || start >= end) refuse(node, `no range ${start}..${end} of ${length}`);
    return f32(replaced(input(node, 0), axis, end - start));
  },
  pad: (node) => {
    const { axis, before, after } = node.attributes;
    if (before < 0 || after < 0) refuse(node, `cannot pad by ${before} and ${after}`);
    return f32(replaced(input(node, 0), axis, knownAxis(node, input(node, 0), axis) + before + after));
  },
  concat: (node) => {
    const { axis } = node.attributes;
    const first = input(node, 0);
    const lengths = node.inputs.map((_, i) => knownAxis(node, input(node, i), axis));
    for (const { shape } of node.inputs)
      if (shape.length !== first.length || shape.some((n, i) => i !== axis && n !== first[i]))
        refuse(node, `the shapes differ beside axis ${axis}`);
    return f32(
      replaced(
        first,
        axis,
        lengths.reduce((sum, n) => sum + n, 0),
      ),
    );
  },
  asIndex: (node) => ({ shape: input(node, 0), dtype: 'i64' }),
  gather: (node) => {
    const ids = input(node, 1, 'i64');
    if (ids.length !== 1) refuse(node, 'the indices must be a vector');
    return f32([ids[0]!, ...rows(node).slice(1)]);
  },
  scatterAdd: (node) => {
    const [n, ...rest] = input(node, 0);
    const ids = input(node, 1, 'i64');
    if (ids.length !== 1 || ids[0] !== n) refuse(node, 'one index a row is needed');
    return f32([node.attributes.rows, ...rest]);
  },
  topIndices: (node) => {
    const shape = rows(node);
    const { k } = node.attributes;
    const n = shape.at(-1)!;
    if (!Number.isInteger(k) || k < 1 || (typeof n === 'number' && k > n)) refuse(node, `no ${k} of ${n}`);
    return { shape: replaced(shape, shape.length - 1, k), dtype: 'i64' };
  },
  take: (node) => f32(places(node, rows(node).slice(0, -1))),
  put: (node) => {
    const shape = places(node, rows(node).slice(0, -1));
    if (shape.at(-1) !== rows(node).at(-1)) refuse(node, 'one place an element is needed');
    return f32(replaced(shape, shape.length - 1, node.attributes.length));
  },
  broadcastLike: (node) => {
    const like = input(node, 1);
    const shape = broadcast(node, input(node, 0), like);
    if (shape.length !== like.length || shape.some((n, i) => n !== like[i]))
      refuse(node, 'the first does not broadcast to the second');
    return f32(like);
  },
  detach: same,
};

/**
 * Shape and element type of a node's result from its op, attributes and inputs; throws GraphError where
 * they don't fit.
 */
export function infer(node: Node): Typed {
  return applyRule(rules, node);
}
