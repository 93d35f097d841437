/**
 * For every op, how to make a small random instance of it: total over the ops, so that no op goes untested.
 */
import * as g from '../../src/graph/build.ts';
import type { Node, OpName, Shape } from '../../src/graph/node.ts';
import { f32, sizeOf, type Tensor, tensor } from '../../src/tensor.ts';

/** Draws for one case: lengths from 1 up, and values. */
export interface Draw {
  length(max?: number): number;
  normal(): number;
  below(n: number): number;
}

/** mulberry32: a small seeded generator. */
export function draw(seed: number): Draw {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    length: (max = 4) => 1 + Math.floor(uniform() * max),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    below: (n) => Math.floor(uniform() * n),
  };
}

export interface OpCase {
  readonly node: Node;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** Float32-exact values, so that the reference in float64 and ONNX Runtime start from the same numbers. */
function values(d: Draw, shape: readonly number[], of: (x: number) => number = (x) => x): Tensor<'f32'> {
  return tensor(
    'f32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => of(d.normal())),
  );
}

function fed(
  shapes: readonly (readonly number[])[],
  d: Draw,
  build: (...x: Node[]) => Node,
  of?: (x: number) => number,
): OpCase {
  const feeds = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, values(d, shape, of)]));
  return { node: build(...shapes.map((shape, i) => g.input(`x${i}`, shape))), feeds };
}

const positive = (x: number) => Math.abs(x) + 0.5;
const awayFromZero = (x: number) => (x < 0 ? x - 0.5 : x + 0.5);

function shape(d: Draw, rank = 1 + d.below(3)): number[] {
  return Array.from({ length: rank }, () => d.length());
}

/** Two shapes that broadcast: axes of one set to 1, or left off. */
function broadcastPair(d: Draw): [number[], number[]] {
  const full = shape(d, 3);
  const thin = full.map((n) => (d.below(3) === 0 ? 1 : n)).slice(d.below(3));
  return d.below(2) ? [full, thin] : [thin, full];
}

const unary = (build: (a: Node) => Node, of?: (x: number) => number) => (d: Draw) =>
  fed([shape(d)], d, build, of);
const binary = (build: (a: Node, b: Node) => Node, of?: (x: number) => number) => (d: Draw) =>
  fed(broadcastPair(d), d, build, of);

function indices(d: Draw, count: number, rows: number): Tensor<'i64'> {
  return tensor(
    'i64',
    [count],
    BigInt64Array.from({ length: count }, () => BigInt(d.below(rows))),
  );
}

/** Places along a last axis of length n, which may repeat. */
function places(d: Draw, rows: number, k: number, n: number): Tensor<'i64'> {
  return { ...indices(d, rows * k, n), shape: [rows, k] };
}

/** A case that depends on truth values of a given shape, which have no gradient. */
function chosen(d: Draw, s: readonly number[], build: (condition: Node) => OpCase): OpCase {
  const made = build(g.greaterOrEqual(g.input('signs', s), g.scalar(0)));
  return { ...made, feeds: { ...made.feeds, signs: values(d, s, awayFromZero) } };
}

function matmul(d: Draw): OpCase {
  const [m, k, n] = [d.length(), d.length(), d.length()];
  const [transA, transB] = [d.below(2) === 1, d.below(2) === 1];
  const options = { transA, transB, alpha: d.below(2) ? 1 : d.normal() };
  const a = transA ? [k, m] : [m, k];
  const b = transB ? [n, k] : [k, n];
  if (d.below(3) === 0) {
    const addend = [[m, n], [n], [1, n]][d.below(3)]!;
    return fed([a, b, addend], d, (x, y, c) => g.make('matmul', options, [x!, y!, c!]));
  }
  const lead = shape(d, d.below(3));
  const thin = lead.map((l) => (d.below(2) ? 1 : l));
  return fed(
    [
      [...lead, ...a],
      [...thin, ...b],
    ],
    d,
    (x, y) => g.matmul(x!, y!, options),
  );
}

function rope(d: Draw): OpCase {
  const [tokens, heads, half] = [d.length(5), d.length(3), 4 * d.length(2)];
  const width = 2 * half + (d.below(2) ? 8 : 0);
  const angle = values(d, [tokens, half]);
  const made = fed([[tokens, heads * width]], d, (x) =>
    g.rope(x!, g.input('cos', [tokens, half]), g.input('sin', [tokens, half]), heads, d.below(2) === 1),
  );
  const cos = { ...angle, data: angle.data.map(Math.cos) };
  const sin = { ...angle, data: angle.data.map(Math.sin) };
  return { ...made, feeds: { ...made.feeds, cos, sin } };
}

function reshape(d: Draw): OpCase {
  const [a, b, c] = shape(d, 3);
  const named: Shape = ['rows', b!, c!];
  const targets: Shape[] = [
    ['rows', b! * c!],
    [c!, 'rows', b!],
    [b! * c!, 'rows'],
  ];
  return {
    node: g.reshape(g.input('x0', named), targets[d.below(3)]!),
    feeds: { x0: values(d, [a!, b!, c!]) },
  };
}

function transpose(d: Draw): OpCase {
  const axes = [0, 1, 2].map((axis) => ({ axis, key: d.normal() })).sort((p, q) => p.key - q.key);
  return fed([shape(d, 3)], d, (x) =>
    g.transpose(
      x!,
      axes.map(({ axis }) => axis),
    ),
  );
}

function axisCase(d: Draw, build: (x: Node, axis: number, length: number) => Node): OpCase {
  const s = shape(d, 3);
  const axis = d.below(3);
  return fed([s], d, (x) => build(x!, axis, s[axis]!));
}

/** Ops without a gradient, each for its reason. */
export const withoutGradient: readonly OpName[] = ['max'];

export const opCases: { readonly [O in OpName]: (d: Draw) => OpCase } = {
  input: (d) => fed([shape(d)], d, (x) => x!),
  param: (d) => fed([shape(d)], d, (x) => g.add(x!, g.scalar(1))),
  constant: (d) => fed([shape(d)], d, (x) => g.mul(x!, g.constant(values(d, [1])))),
  add: binary(g.add),
  sub: binary(g.sub),
  mul: binary(g.mul),
  div: binary(g.div, awayFromZero),
  neg: unary(g.neg),
  exp: unary(g.exp),
  log: unary(g.log, positive),
  sqrt: unary(g.sqrt, positive),
  tanh: unary(g.tanh),
  erf: unary(g.erf),
  sigmoid: unary(g.sigmoid),
  silu: unary(g.silu),
  cos: unary(g.cos),
  sin: unary(g.sin),
  greaterOrEqual: (d) => {
    const s = shape(d);
    return chosen(d, s, (condition) => fed([s], d, (a) => g.where(condition, a!, g.neg(a!))));
  },
  where: (d) => {
    const [full, thin] = broadcastPair(d);
    return chosen(d, full, (condition) => fed([full, thin], d, (a, b) => g.where(condition, a!, b!)));
  },
  matmul,
  sum: (d) => axisCase(d, (x, axis) => g.sum(x, d.below(2) ? [axis] : [0, 2])),
  max: unary(g.max),
  softmax: unary(g.softmax),
  logSumExp: unary(g.logSumExp),
  rmsNorm: (d) => {
    const [tokens, width] = [d.length(), 1 + d.length(6)];
    return fed([[tokens, width], [width]], d, (x, weight) => g.rmsNorm(x!, weight!, 1e-5));
  },
  rope,
  reshape,
  transpose,
  slice: (d) =>
    axisCase(d, (x, axis, length) => {
      const start = d.below(length);
      return g.slice(x, axis, start, start + 1 + d.below(length - start));
    }),
  pad: (d) => axisCase(d, (x, axis) => g.pad(x, axis, d.below(3), d.below(3))),
  concat: (d) => {
    const s = shape(d, 3);
    const axis = d.below(3);
    return fed([s, s.with(axis, d.length())], d, (a, b) => g.concat([a!, b!], axis));
  },
  asIndex: (d) => {
    const [rows, count] = [d.length(5), d.length(6)];
    const made = fed([[rows, d.length()]], d, (x) => g.gather(x!, g.asIndex(g.input('places', ['count']))));
    const whole = f32([count], Array.from(indices(d, count, rows).data, Number));
    return { ...made, feeds: { ...made.feeds, places: whole } };
  },
  gather: (d) => {
    const [rows, count] = [d.length(5), d.length(6)];
    const made = fed([[rows, d.length()]], d, (x) => g.gather(x!, g.input('ids', ['count'], 'i64')));
    return { ...made, feeds: { ...made.feeds, ids: indices(d, count, rows) } };
  },
  scatterAdd: (d) => {
    const [rows, count] = [d.length(5), d.length(6)];
    const made = fed([[count, d.length()]], d, (x) => g.scatterAdd(x!, g.input('ids', [count], 'i64'), rows));
    return { ...made, feeds: { ...made.feeds, ids: indices(d, count, rows) } };
  },
  broadcastLike: (d) => {
    const [rows, width] = [d.length(5), d.length()];
    const like = g.input('like', ['rows', width]);
    const made = fed([[1, width]], d, (x) => g.broadcastLike(x!, like));
    return { ...made, feeds: { ...made.feeds, like: values(d, [rows, width]) } };
  },
  topIndices: (d) => {
    const [rows, n] = [d.length(), d.length(6)];
    return fed([[rows, n]], d, (x) => g.take(x!, g.topIndices(x!, d.length(n))));
  },
  take: (d) => {
    const [rows, n, k] = [d.length(), d.length(5), d.length(5)];
    const made = fed([[rows, n]], d, (x) => g.take(x!, g.input('places', [rows, k], 'i64')));
    return { ...made, feeds: { ...made.feeds, places: places(d, rows, k, n) } };
  },
  put: (d) => {
    const [rows, n, k] = [d.length(), d.length(5), d.length(5)];
    const made = fed([[rows, k]], d, (x) => g.put(x!, g.input('places', [rows, k], 'i64'), n));
    return { ...made, feeds: { ...made.feeds, places: places(d, rows, k, n) } };
  },
  detach: (d) => fed([shape(d)], d, (x) => g.add(x!, g.mul(g.detach(x!), g.scalar(0)))),
};
