/** Simplified graphs: the same values, fewer nodes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as g from '../../src/graph/build.ts';
import { type Graph, type Node, topological } from '../../src/graph/node.ts';
import { print } from '../../src/graph/print.ts';
import { GraphError } from '../../src/graph/shape.ts';
import { simplify } from '../../src/graph/simplify.ts';
import { verify } from '../../src/graph/verify.ts';
import { evaluate } from '../../src/runtime/reference.ts';
import { f32, i64, sizeOf, type Tensor, tensor } from '../../src/tensor.ts';
import { expectClose } from '../support/close.ts';
import { type Draw, draw } from '../support/opCases.ts';

const size = ({ outputs }: Graph) => topological(Object.values(outputs)).length;
const one = (y: Node): Graph => ({ outputs: { y } });

/** Inputs of a random graph: shapes that broadcast, multiply and are rearranged. 'tokens' is 3. */
const inputs = [
  g.input('a', ['tokens', 4]),
  g.input('b', ['tokens', 4]),
  g.input('c', [4, 4]),
  g.input('row', [4]),
  g.input('thin', [1, 4]),
  g.input('tall', ['tokens', 1]),
  g.input('cube', [2, 'tokens', 4]),
  g.input('alone', []),
];

function feedsOf(d: Draw): Record<string, Tensor> {
  return Object.fromEntries(
    inputs.map(({ attributes, shape }) => {
      const lengths = shape.map((n) => (n === 'tokens' ? 3 : Number(n)));
      const data = Float64Array.from({ length: sizeOf(lengths) }, () => d.normal());
      return [attributes.name, tensor('f64', lengths, data)];
    }),
  );
}

function shuffled(d: Draw, count: number): number[] {
  return [...Array(count).keys()]
    .map((axis) => ({ axis, key: d.normal() }))
    .sort((p, q) => p.key - q.key)
    .map(({ axis }) => axis);
}

/** Ways to make a node of two others; what does not fit is a GraphError. */
const makers: readonly ((a: Node, b: Node, d: Draw) => Node)[] = [
  (a, b) => g.add(a, b),
  (a, b) => g.sub(a, b),
  (a, b) => g.mul(a, b),
  (a, b) => g.div(a, g.exp(g.tanh(b))),
  (a) => g.neg(a),
  (a) => g.neg(g.neg(a)),
  (a) => g.tanh(a),
  (a) => g.add(a, g.scalar(0)),
  (a) => g.add(g.scalar(0), a),
  (a) => g.mul(g.scalar(1), a),
  (a) => g.mul(a, g.scalar(1)),
  (a) => g.scale(a, 0.5),
  (a, b, d) =>
    g.matmul(a, b, { transA: d.below(2) === 1, transB: d.below(2) === 1, alpha: d.below(2) ? 1 : 0.5 }),
  (a, b, d) => g.add(g.matmul(a, b, { transB: d.below(2) === 1 }), inputs[d.below(6)]!),
  (a, b, d) => g.add(inputs[d.below(6)]!, g.matmul(a, b, { transA: d.below(2) === 1 })),
  (a, b) => g.broadcastLike(a, b),
  (a, b) => g.mul(g.broadcastLike(a, b), b),
  (a, b) => g.sub(b, g.broadcastLike(a, b)),
  (a, _, d) => g.transpose(a, shuffled(d, a.shape.length)),
  (a, _, d) => g.transpose(g.transpose(a, shuffled(d, a.shape.length)), shuffled(d, a.shape.length)),
  (a, _, d) =>
    g.reshape(
      a,
      shuffled(d, a.shape.length).map((axis) => a.shape[axis]!),
    ),
  (a, b) => g.reshape(g.reshape(a, [1, ...a.shape]), b.shape),
  (a) => g.sum(a, [0]),
];

/** Any graph that a few draws give, with several outputs. */
function randomGraph(d: Draw): Graph {
  const pool: Node[] = [...inputs];
  while (pool.length < inputs.length + 14) {
    const pick = () => pool[d.below(3) ? d.below(pool.length) : pool.length - 1 - d.below(4)]!;
    try {
      pool.push(makers[d.below(makers.length)]!(pick(), pick(), d));
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
    }
  }
  return { outputs: Object.fromEntries([0, 1, 5].map((back) => [`y${back}`, pool.at(-1 - back)!])) };
}

describe('a random graph', () => {
  it('keeps its values, its shapes and its outputs; never grows; is simple after once', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const d = draw(seed);
        const graph = randomGraph(d);
        const simplified = simplify(graph);
        verify(simplified);
        expect(size(simplified)).toBeLessThanOrEqual(size(graph));
        expect(print(simplify(simplified))).toBe(print(simplified));
        const feeds = feedsOf(d);
        const [before, after] = [graph, simplified].map((one) => evaluate(one, new Map(), feeds));
        expect(Object.keys(after!)).toEqual(Object.keys(before!));
        for (const [name, { shape, data }] of Object.entries(before!)) {
          expect(after![name]!.shape).toEqual(shape);
          expect(simplified.outputs[name]!.shape).toEqual(graph.outputs[name]!.shape);
          // float64 sums taken in another order
          expectClose(after![name]!.data, data, 1e-12);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('equal subgraphs become one', () => {
  const x = () => g.input('x', ['tokens', 4]);
  const deep = () => g.tanh(g.matmul(g.exp(x()), g.param('w', [4, 4])));

  it('however deep, inputs and weights by name', () => {
    const graph = one(g.mul(deep(), deep()));
    expect(size(graph)).toBe(11);
    expect(size(simplify(graph))).toBe(6);
    const { outputs } = simplify({ outputs: { p: deep(), q: deep() } });
    expect(outputs.p).toBe(outputs.q);
  });

  it('found only once they are simplified', () => {
    const graph = one(g.mul(g.exp(g.add(x(), g.scalar(0))), g.exp(g.neg(g.neg(x())))));
    expect(size(simplify(graph))).toBe(3);
  });

  it.each<[string, () => [Node, Node], number]>([
    ['small constants by value', () => [g.constant(f32([2], [1, 2])), g.constant(f32([2], [1, 2]))], 1],
    ['constants of other values', () => [g.constant(f32([2], [1, 2])), g.constant(f32([2], [1, 3]))], 2],
    [
      'constants of other shapes',
      () => [g.constant(f32([2, 1], [1, 2])), g.constant(f32([1, 2], [1, 2]))],
      2,
    ],
    [
      'large constants of one array',
      () => {
        const t = f32([1025], Array(1025).fill(1));
        return [g.constant(t), g.constant({ ...t })];
      },
      1,
    ],
    [
      'large constants of two arrays',
      () => [g.constant(f32([1025], Array(1025).fill(1))), g.constant(f32([1025], Array(1025).fill(1)))],
      2,
    ],
  ])('%s', (_, build, count) => {
    const [p, q] = build();
    expect(size(simplify({ outputs: { p, q } }))).toBe(count);
  });

  it.each<[string, Node, Node]>([
    ['attributes', g.sum(x(), [0]), g.sum(x(), [1])],
    ['order', g.sub(x(), g.input('z', ['tokens', 4])), g.sub(g.input('z', ['tokens', 4]), x())],
    ['name', g.exp(g.param('v', [4])), g.exp(g.param('w', [4]))],
    ['kind of binding', g.exp(g.param('v', [4])), g.exp(g.input('u', [4]))],
    [
      'element type',
      g.gather(x(), g.constant(i64([1], [0]))),
      g.reshape(g.sum(g.slice(g.input('z', [2, 4]), 0, 0, 1), [0]), [1, 4]),
    ],
  ])('but not of another %s', (_, p, q) => {
    const { outputs } = simplify({ outputs: { p, q } });
    expect(outputs.p).not.toBe(outputs.q);
  });
});
