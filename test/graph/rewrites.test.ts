/** Each rewrite of simplify: what it makes, and what it leaves alone. */
import { afterAll, describe, expect, it } from 'vitest';
import * as g from '../../src/graph/build.ts';
import type { Graph, Node } from '../../src/graph/node.ts';
import { print } from '../../src/graph/print.ts';
import { simplify } from '../../src/graph/simplify.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { evaluate } from '../../src/runtime/reference.ts';
import { f32, toFloat32 } from '../../src/tensor.ts';
import { expectClose } from '../support/close.ts';

const one = (y: Node): Graph => ({ outputs: { y } });
const simple = (y: Node) => print(simplify(one(y)));

const a = g.input('a', ['tokens', 4]);
const b = g.input('b', ['tokens', 4]);
const c = g.input('c', [4, 4]);
const row = g.input('row', [4]);
const thin = g.input('thin', [1, 4]);
const tall = g.input('tall', ['tokens', 1]);
const cube = g.input('cube', [2, 'tokens', 4]);

describe('rewrites', () => {
  it.each<[string, () => Node, () => Node]>([
    ['x + 0', () => g.add(a, g.scalar(0)), () => a],
    ['0 + x', () => g.add(g.scalar(0), a), () => a],
    ['x · 1', () => g.mul(a, g.scalar(1)), () => a],
    ['1 · x', () => g.mul(g.scalar(1), a), () => a],
    ['−−x', () => g.neg(g.neg(a)), () => a],
    ['−−−−−x', () => g.neg(g.neg(g.neg(g.neg(g.neg(a))))), () => g.neg(a)],
    ['reshape to its own shape', () => g.reshape(a, ['tokens', 4]), () => a],
    [
      'reshape twice',
      () => g.reshape(g.reshape(a, [4, 'tokens']), ['tokens', 2, 2]),
      () => g.reshape(a, ['tokens', 2, 2]),
    ],
    ['reshape there and back', () => g.reshape(g.reshape(a, [4, 'tokens']), ['tokens', 4]), () => a],
    ['transpose by nothing', () => g.transpose(cube, [0, 1, 2]), () => cube],
    [
      'transpose twice',
      () => g.transpose(g.transpose(cube, [1, 2, 0]), [0, 2, 1]),
      () => g.transpose(cube, [1, 0, 2]),
    ],
    ['transpose there and back', () => g.transpose(g.transpose(cube, [1, 2, 0]), [2, 0, 1]), () => cube],
    ['broadcast to its own shape', () => g.broadcastLike(a, b), () => a],
    ['a sum with a broadcast', () => g.add(g.broadcastLike(row, a), b), () => g.add(row, b)],
    ['a difference from a broadcast', () => g.sub(g.broadcastLike(tall, a), b), () => g.sub(tall, b)],
    ['a quotient by a broadcast', () => g.div(b, g.broadcastLike(thin, a)), () => g.div(b, thin)],
    [
      'a product of two broadcasts',
      () => g.mul(g.broadcastLike(tall, a), g.broadcastLike(row, a)),
      () => g.mul(tall, row),
    ],
    [
      'all at once',
      () => g.reshape(g.neg(g.add(g.neg(g.mul(a, g.scalar(1))), g.scalar(0))), ['tokens', 4]),
      () => a,
    ],
  ])('%s', (_, given, expected) => {
    expect(simple(given())).toBe(print(one(expected())));
  });

  const gemm = (x: Node, y: Node, z: Node) =>
    g.make('matmul', { transA: false, transB: false, alpha: 1 }, [x, y, z]);

  it('a product and a sum become one, on either side, of any shape that broadcasts into it', () => {
    for (const addend of [b, row, thin, tall, g.scalar(3)]) {
      const expected = print(one(gemm(a, c, addend)));
      expect(simple(g.add(g.matmul(a, c), addend))).toBe(expected);
      expect(print(one(gemm(a, c, addend)))).toBe(expected);
      const swapped = simplify(one(g.add(addend, g.matmul(a, c)))).outputs.y!;
      expect([swapped.op, swapped.inputs.length]).toEqual(['matmul', 3]);
    }
  });

  it.each<[string, () => Graph]>([
    [
      'needed elsewhere',
      () => {
        const product = g.matmul(a, c);
        return one(g.mul(g.add(product, row), product));
      },
    ],
    [
      'an output itself',
      () => {
        const product = g.matmul(a, c);
        return { outputs: { y: g.add(product, row), product } };
      },
    ],
    ['of more than two axes', () => one(g.add(g.matmul(cube, c), row))],
    ['that the sum widens', () => one(g.add(g.matmul(thin, c), a))],
    ['that has an addend already', () => one(g.add(gemm(a, c, row), thin))],
  ])('but not a product %s', (_, build) => {
    expect(print(simplify(build()))).toBe(print(build()));
  });

  it.each<[string, () => Node]>([
    ['a zero that widens', () => g.add(g.input('alone', []), g.constant(f32([2], [0, 0])))],
    ['a zero that is subtracted from', () => g.sub(g.scalar(0), a)],
    ['a one that is divided', () => g.div(g.scalar(1), a)],
    ['a broadcast that gives the shape', () => g.mul(g.broadcastLike(row, a), thin)],
    ['a broadcast that gives the rank', () => g.mul(g.broadcastLike(row, c), row)],
    ['a broadcast alone', () => g.broadcastLike(row, a)],
  ])('nor does it drop %s', (_, build) => {
    expect(simple(build())).toBe(print(one(build())));
  });
});

describe('on ONNX Runtime', () => {
  const runtime = nodeRuntime({ threads: 1 });
  afterAll(() => runtime.close());

  it('a product takes an addend of every shape, scaled or not', async () => {
    const values = (...shape: number[]) =>
      f32(
        shape,
        Array.from({ length: shape.reduce((p, n) => p * n, 1) }, (_, i) => Math.sin(7 * i)),
      );
    const feeds = {
      a: values(3, 4),
      b: values(3, 4),
      c: values(4, 4),
      row: values(4),
      thin: values(1, 4),
      tall: values(3, 1),
    };
    const addends = [
      b,
      row,
      thin,
      tall,
      g.scalar(3),
      g.constant(f32([1], [2])),
      g.constant(f32([1, 1], [2])),
    ];
    const sums = addends.map((addend, i) => g.add(g.matmul(a, g.scale(c, i + 2), { alpha: 0.5 }), addend));
    const graph = { outputs: Object.fromEntries(sums.map((node, i) => [`sum${i}`, node])) };
    const simplified = simplify(graph);
    expect(Object.values(simplified.outputs).map(({ op }) => op)).toEqual(addends.map(() => 'matmul'));
    const found = await (await runtime.load(simplified, new Map())).run(feeds);
    for (const [name, { data }] of Object.entries(evaluate(graph, new Map(), feeds)))
      expectClose(toFloat32(found[name]!), data, 1e-6);
  });
});
