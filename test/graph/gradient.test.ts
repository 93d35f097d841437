/** Every op's gradient against central differences of the float64 reference. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as g from '../../src/graph/build.ts';
import { gradient } from '../../src/graph/gradient.ts';
import { type Graph, type Node, nodesOf, type OpName } from '../../src/graph/node.ts';
import { simplify } from '../../src/graph/simplify.ts';
import { evaluate } from '../../src/runtime/reference.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { type Draw, draw, type OpCase, opCases, withoutGradient } from '../support/opCases.ts';

/** A scalar of the op's result that weighs each element differently. */
function weighted(node: Node): Node {
  return g.sum(
    g.mul(node, g.input('probe', node.shape)),
    node.shape.map((_, i) => i),
  );
}

const asDoubles = (t: Tensor): Tensor =>
  t.dtype === 'f32' ? tensor('f64', t.shape, Float64Array.from(t.data as Float32Array)) : t;

function check(made: OpCase, d: Draw): void {
  const shape = evaluate({ outputs: { y: made.node } }, new Map(), made.feeds).y!.shape;
  const feeds: Record<string, Tensor> = Object.fromEntries(
    Object.entries(made.feeds).map(([k, t]) => [k, asDoubles(t)]),
  );
  feeds.probe = tensor(
    'f64',
    shape,
    Float64Array.from({ length: shape.reduce((p, n) => p * n, 1) }, () => d.normal()),
  );
  const loss = weighted(made.node);
  const wrt = nodesOf({ outputs: { loss } }, 'input').filter((n) => /^x\d/.test(n.attributes.name));
  const grads = gradient(loss, wrt);
  const graph: Graph = { outputs: Object.fromEntries(wrt.map((w, i) => [w.attributes.name, grads[i]!])) };
  const found = evaluate(graph, new Map(), feeds);
  const simplified = evaluate(simplify(graph), new Map(), feeds);
  for (const {
    attributes: { name },
  } of wrt) {
    const x = feeds[name]!.data as Float64Array;
    for (let i = 0; i < x.length; i++) {
      const at = (value: number) => {
        const data = x.slice();
        data[i] = value;
        return evaluate({ outputs: { loss } }, new Map(), { ...feeds, [name]: { ...feeds[name]!, data } })
          .loss!.data[0]!;
      };
      const h = 1e-5;
      const numeric = (at(x[i]! + h) - at(x[i]! - h)) / (2 * h);
      // central differences in float64: h² truncation and 1e-16/h rounding, both about 1e-10 of the values
      expect(found[name]!.data[i]).toBeCloseTo(numeric, 6);
      expect(simplified[name]!.data[i]).toBeCloseTo(found[name]!.data[i]!, 10);
    }
  }
}

describe('gradients equal finite differences', () => {
  const differentiable = (Object.keys(opCases) as OpName[]).filter((op) => !withoutGradient.includes(op));
  it.each(differentiable)('%s', (op) => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const d = draw(seed);
        check(opCases[op](d), d);
      }),
      { numRuns: 12 },
    );
  });

  it('max says that it has none', () => {
    expect(() => gradient(g.sum(g.max(g.input('x', [2, 3])), [0]), [g.input('x', [2, 3])])).toThrow();
    const x = g.input('x', [2, 3]);
    expect(() => gradient(g.max(x), [x])).toThrow(/max has no gradient/);
  });

  it('adds up over several uses, and stops at a cut', () => {
    const x = g.input('x', [3]);
    const cut = g.mul(x, x);
    const loss = g.sum(g.add(g.mul(cut, x), cut), [0]);
    const [dx, dcut] = [gradient(loss, [x])[0]!, gradient(loss, [cut])[0]!];
    const values = evaluate({ outputs: { dx, dcut } }, new Map(), {
      x: tensor('f64', [3], Float64Array.of(1, 2, -3)),
    });
    expect([...values.dx!.data]).toEqual([5, 16, 21]); // 3x² + 2x
    expect([...values.dcut!.data]).toEqual([2, 3, -2]); // x + 1
  });

  it('refuses a variable that the output does not depend on', () => {
    expect(() => gradient(g.exp(g.input('x', [2])), [g.input('y', [2])])).toThrow(
      /does not depend on input y/,
    );
  });
});
