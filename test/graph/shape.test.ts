/** What the shape rules give and what they refuse. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as g from '../../src/graph/build.ts';
import type { Node, OpName, Shape } from '../../src/graph/node.ts';
import { broadcastShapes, GraphError } from '../../src/graph/shape.ts';
import { evaluate } from '../../src/runtime/reference.ts';
import { f32, i64 } from '../../src/tensor.ts';
import { draw, opCases } from '../support/opCases.ts';

const x = (...shape: Shape) => g.input('x', shape);
const ids = (...shape: Shape) => g.input('ids', shape, 'i64');
const flags = g.input('flags', [2], 'bool');

type Refused = readonly [build: () => Node, message: string];

const mismatch = (build: (a: Node, b: Node) => Node): Refused[] => [
  [() => build(x(2, 3), x(2)), '(f32[2, 3], f32[2]): the shapes do not broadcast'],
  [() => build(x('tokens'), x('rows')), '(f32[tokens], f32[rows]): the shapes do not broadcast'],
  [() => build(x('tokens'), x(3)), 'the shapes do not broadcast'],
  [() => build(x(2), ids(2)), '(f32[2], i64[2]): input 1 must be f32'],
];
const notFloat = (build: (a: Node) => Node): Refused[] => [
  [() => build(ids(2)), '(i64[2]): input 0 must be f32'],
  [() => build(flags), '(bool[2]): input 0 must be f32'],
];
const needsAxis = (build: (a: Node) => Node): Refused[] => [
  ...notFloat(build),
  [() => build(x()), '(f32[]): an axis is needed'],
];

/** Total over the ops, so that none goes without a thought. */
const refused: { readonly [O in OpName]: readonly Refused[] } = {
  input: [],
  param: [],
  constant: [
    [() => g.constant({ dtype: 'f64', shape: [1], data: Float64Array.of(1) }), '(): no constants of f64'],
    [() => g.constant({ dtype: 'u8', shape: [1], data: Uint8Array.of(1) }), 'no constants of u8'],
  ],
  add: [...mismatch(g.add), [() => g.make('add', {}, [x(2)]), '(f32[2]): input 1 is missing']],
  sub: mismatch(g.sub),
  mul: mismatch(g.mul),
  div: mismatch(g.div),
  neg: [...notFloat(g.neg), [() => g.make('neg', {}), '(): input 0 is missing']],
  exp: notFloat(g.exp),
  log: notFloat(g.log),
  sqrt: notFloat(g.sqrt),
  tanh: notFloat(g.tanh),
  erf: notFloat(g.erf),
  sigmoid: notFloat(g.sigmoid),
  silu: notFloat(g.silu),
  cos: notFloat(g.cos),
  sin: notFloat(g.sin),
  greaterOrEqual: mismatch(g.greaterOrEqual),
  where: [
    [() => g.where(x(2), x(2), x(2)), 'input 0 must be bool'],
    [() => g.where(flags, x(3), x(1)), 'the shapes do not broadcast'],
    [() => g.where(flags, x(2), x(3)), 'the shapes do not broadcast'],
  ],
  matmul: [
    [() => g.matmul(x(2, 3), x(4, 2)), 'inner lengths 3 and 4 differ'],
    [() => g.matmul(x(2, 3), x(3, 4), { transB: true }), 'inner lengths 3 and 4 differ'],
    [() => g.matmul(x(2, 3), x(2, 4), { transA: true, transB: true }), 'inner lengths 2 and 4 differ'],
    [() => g.matmul(x('tokens', 3), x('tokens', 3)), 'inner lengths 3 and tokens differ'],
    [() => g.matmul(x(3), x(3, 2)), 'two axes or more'],
    [() => g.matmul(x(2, 1, 3), x(3, 3, 2)), 'the shapes do not broadcast'],
    [() => withAddend(x(2, 3), x(3, 4), x(2, 3)), 'the addend does not broadcast'],
    [() => withAddend(x(1, 3), x(3, 4), x(2, 4)), 'the addend does not broadcast'],
    [() => withAddend(x(1, 2, 3), x(1, 3, 4), x(4)), 'an addend needs matrices'],
  ],
  sum: [
    ...notFloat((a) => g.sum(a, [0])),
    [() => g.sum(x(2, 3), [2]), 'axis 2 is out of range'],
    [() => g.sum(x(2), [-1]), 'axis -1 is out of range'],
  ],
  max: needsAxis(g.max),
  softmax: needsAxis(g.softmax),
  logSumExp: needsAxis(g.logSumExp),
  rmsNorm: [
    [() => g.rmsNorm(x(2, 3), x(2), 1e-5), 'the weight does not fit the last axis'],
    [() => g.rmsNorm(x(2, 3), x(1, 3), 1e-5), 'the weight does not fit the last axis'],
  ],
  rope: [
    [() => g.rope(x(5, 8), x(4, 2), x(4, 2), 2), 'expected [T, heads·h], cos [T, r/2]'],
    [() => g.rope(x(5, 8), x(5, 2), x(5, 1), 2), 'cos and sin differ in shape'],
    [() => g.rope(x(5, 8), x(5, 2), x(5, 2), 3), '3 heads do not fit'],
    [() => g.rope(x(5, 8), x(5, 3), x(5, 3), 2), '2 heads do not fit'],
    [() => g.rope(x(5, 'wide'), x(5, 3), x(5, 3), 2), 'axis 1 must have a known length, it is wide'],
  ],
  reshape: [
    [() => g.reshape(x(2, 3), [4]), 'cannot become [4]'],
    [() => g.reshape(x('tokens', 6), ['rows', 6]), 'cannot become [rows, 6]'],
    [() => g.reshape(x('tokens', 6), [6]), 'cannot become [6]'],
    [() => g.reshape(x('tokens', 6), ['4·tokens', 2]), 'cannot become [4·tokens, 2]'],
  ],
  transpose: [
    [() => g.transpose(x(2, 3), [0]), '[0] is no permutation'],
    [() => g.transpose(x(2, 3), [0, 0]), '[0, 0] is no permutation'],
    [() => g.transpose(x(2, 3), [1, 2]), '[1, 2] is no permutation'],
  ],
  slice: [
    [() => g.slice(x(2, 3), 1, 1, 4), 'no range 1..4 of 3'],
    [() => g.slice(x(2, 3), 1, 2, 2), 'no range 2..2 of 3'],
    [() => g.slice(x(2, 3), 1, -1, 2), 'no range -1..2 of 3'],
    [() => g.slice(x('tokens', 3), 0, 0, 1), 'axis 0 must have a known length, it is tokens'],
  ],
  pad: [
    [() => g.pad(x('tokens'), 0, 1, 1), 'axis 0 must have a known length'],
    [() => g.pad(x(3), 1, 1, 1), 'axis 1 is out of range'],
    [() => g.pad(x(3), 0, 1, -2), 'cannot pad by 1 and -2'],
  ],
  concat: [
    [() => g.concat([x(2, 3), x(3, 3)], 1), 'the shapes differ beside axis 1'],
    [() => g.concat([x(2, 3), x(2)], 0), 'the shapes differ beside axis 0'],
    [() => g.concat([x(2, 3), x('tokens', 3)], 0), 'axis 0 must have a known length'],
    [() => g.concat([], 0), 'input 0 is missing'],
  ],
  asIndex: [[() => g.asIndex(ids(3)), 'input 0 must be f32']],
  gather: [
    [() => g.gather(x(5, 2), x(3)), 'input 1 must be i64'],
    [() => g.gather(x(5, 2), ids(3, 1)), 'the indices must be a vector'],
    [() => g.gather(x(), ids(3)), 'an axis is needed'],
  ],
  scatterAdd: [
    [() => g.scatterAdd(x(3, 2), ids(4), 5), 'one index a row is needed'],
    [() => g.scatterAdd(x('rows', 2), ids('count'), 5), 'one index a row is needed'],
    [() => g.scatterAdd(x(3, 2), x(3), 5), 'input 1 must be i64'],
  ],
  topIndices: [
    ...needsAxis((a) => g.topIndices(a, 1)),
    [() => g.topIndices(x(2, 3), 4), 'no 4 of 3'],
    [() => g.topIndices(x(2, 3), 0), 'no 0 of 3'],
    [() => g.topIndices(x(2, 3), 1.5), 'no 1.5 of 3'],
  ],
  take: [
    [() => g.take(x(2, 3), x(2, 1)), 'input 1 must be i64'],
    [() => g.take(x(2, 3), ids(4, 1)), 'the places do not fit beside the last axis'],
    [() => g.take(x(2, 3), ids(2)), 'the places do not fit beside the last axis'],
    [() => g.take(x(), ids(2)), 'an axis is needed'],
  ],
  put: [
    [() => g.put(x(2, 3), ids(4, 3), 9), 'the places do not fit beside the last axis'],
    [() => g.put(x(2, 3), ids(2, 4), 9), 'one place an element is needed'],
    [() => g.put(x(2, 3), x(2, 3), 9), 'input 1 must be i64'],
  ],
  detach: notFloat(g.detach),
  broadcastLike: [
    [() => g.broadcastLike(x(2, 3), x(1, 3)), 'the first does not broadcast to the second'],
    [() => g.broadcastLike(x(1, 1, 3), x(2, 3)), 'the first does not broadcast to the second'],
    [() => g.broadcastLike(x(2, 3), x(4, 3)), 'the shapes do not broadcast'],
  ],
};

function withAddend(a: Node, b: Node, c: Node): Node {
  return g.make('matmul', { transA: false, transB: false, alpha: 1 }, [a, b, c]);
}

describe('what does not fit is a GraphError that shows op, inputs and reason', () => {
  const table = Object.entries(refused).flatMap(([op, cases]) => cases.map((one) => [op, ...one] as const));
  it.each(table)('%s', (op, build, message) => {
    expect(build).toThrow(GraphError);
    expect(build).toThrow(new RegExp(`^${op}\\(.*\\): `));
    expect(build).toThrow(message);
  });
});

describe('the rule gives the shape that the values have', () => {
  it.each(Object.keys(opCases) as OpName[])('%s', (op) => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { node, feeds } = opCases[op](draw(seed));
        const { shape } = evaluate({ outputs: { y: node } }, new Map(), feeds).y!;
        expect(shape.length).toBe(node.shape.length);
        for (const [axis, n] of node.shape.entries()) if (typeof n === 'number') expect(shape[axis]).toBe(n);
      }),
      { numRuns: 20 },
    );
  });

  it('names stay names', () => {
    const rows = g.gather(x(9, 4), ids('rows'));
    expect(rows.shape).toEqual(['rows', 4]);
    expect(g.scatterAdd(rows, ids('rows'), 'tokens').shape).toEqual(['tokens', 4]);
    expect(g.matmul(x('tokens', 4), x('rows', 4), { transB: true }).shape).toEqual(['tokens', 'rows']);
    expect(g.add(x('tokens', 1), x(1, 'rows')).shape).toEqual(['tokens', 'rows']);
    expect(g.reshape(x('tokens', 6), [2, 'tokens', 3]).shape).toEqual([2, 'tokens', 3]);
    expect(g.reshape(x('tokens', 6), ['2·tokens', 3]).shape).toEqual(['2·tokens', 3]);
    expect(g.reshape(x('new·rows', 6), ['rows', '3·new', 2]).shape).toEqual(['rows', '3·new', 2]);
    expect(g.constant(i64([2], [1, 2])).dtype).toBe('i64');
    expect(g.greaterOrEqual(x('tokens'), g.constant(f32([], [0]))).dtype).toBe('bool');
  });
});

describe('broadcastShapes', () => {
  const dim = fc.constantFrom<number | string>(1, 2, 3, 'n');
  const shapes = fc.array(dim, { maxLength: 3 });

  it('is symmetric, and a shape broadcasts to itself and with 1', () => {
    fc.assert(
      fc.property(shapes, shapes, (a, b) => {
        expect(broadcastShapes(a, b)).toEqual(broadcastShapes(b, a));
        expect(broadcastShapes(a, a)).toEqual(a);
        expect(broadcastShapes(a, [])).toEqual(a);
        const both = broadcastShapes(a, b);
        const lead = (s: readonly unknown[], i: number) => s.at(i - 3) ?? 1;
        const fits = [0, 1, 2].every(
          (i) => lead(a, i) === lead(b, i) || lead(a, i) === 1 || lead(b, i) === 1,
        );
        expect(both !== undefined).toBe(fits);
        if (both) expect(broadcastShapes(both, a)).toEqual(both);
      }),
    );
  });
});

describe('known', () => {
  it('gives a length that is a number, and says which one is not', () => {
    expect(g.known(x('tokens', 4), -1)).toBe(4);
    expect(() => g.known(x('tokens', 4), 0)).toThrow('axis 0 of input has no known length');
    expect(() => g.known(x(4), 1)).toThrow(TypeError);
  });
});
