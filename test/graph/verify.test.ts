/** What verify finds wrong with a whole graph. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as g from '../../src/graph/build.ts';
import { gradient } from '../../src/graph/gradient.ts';
import type { Node, OpName } from '../../src/graph/node.ts';
import { GraphError } from '../../src/graph/shape.ts';
import { verify } from '../../src/graph/verify.ts';
import { draw, opCases, withoutGradient } from '../support/opCases.ts';

const verifies = (...nodes: Node[]) =>
  verify({ outputs: Object.fromEntries(nodes.map((node, i) => [`y${i}`, node])) });

describe('verify accepts', () => {
  it('every op and its gradient', () => {
    for (const op of Object.keys(opCases) as OpName[])
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const { node } = opCases[op](draw(seed));
          verifies(node);
          const wrt = node.inputs.filter((i) => i.op === 'input' && i.dtype === 'f32');
          if (withoutGradient.includes(op) || op === 'rope' || wrt.length === 0) return;
          verifies(...gradient(node, wrt.slice(0, 1)));
        }),
        { numRuns: 3 },
      );
  });

  it('one name bound twice alike, and the empty graph', () => {
    verifies(g.add(g.input('x', ['tokens', 2]), g.input('x', ['tokens', 2])));
    verifies(g.add(g.param('w', [2]), g.param('w', [2])));
    verifies();
  });
});

describe('verify refuses', () => {
  const good = g.exp(g.input('x', ['tokens', 2]));

  it.each<[string, Partial<Node>, string]>([
    ['another shape', { shape: ['tokens', 3] }, 'exp: stored as f32[tokens,3], its rule gives f32[tokens,2]'],
    ['another rank', { shape: ['tokens'] }, 'exp: stored as f32[tokens], its rule gives f32[tokens,2]'],
    ['another type', { dtype: 'i64' }, 'exp: stored as i64[tokens,2], its rule gives f32[tokens,2]'],
    ['other inputs', { inputs: [g.input('y', [5])] }, 'exp: stored as f32[tokens,2], its rule gives f32[5]'],
  ])('a node stored with %s, however deep', (_, over, message) => {
    const bad = { ...good, ...over };
    expect(() => verifies(bad)).toThrow(GraphError);
    expect(() => verifies(bad)).toThrow(message);
    expect(() => verifies({ ...g.neg(good), inputs: [bad] })).toThrow(message);
  });

  it('a node that its own rule refuses', () => {
    expect(() => verifies({ ...good, inputs: [] })).toThrow('exp(): input 0 is missing');
  });

  it.each<[string, Node, string]>([
    ['another shape', g.input('x', ['tokens', 3]), 'bound to input[tokens,2] and to input[tokens,3]'],
    ['another type', g.input('x', ['tokens', 2], 'i64'), 'bound to input[tokens,2] and to input[tokens,2]'],
    ['a weight', g.param('x', [2]), 'bound to input[tokens,2] and to param[2]'],
  ])('a name bound a second time to %s', (_, other, message) => {
    const graph = () => verifies(good, other);
    expect(graph).toThrow(GraphError);
    expect(graph).toThrow(`the name x is ${message}`);
  });

  it('an output with the name of an input or a weight', () => {
    for (const y of [good, g.exp(g.param('x', [2]))])
      expect(() => verify({ outputs: { x: y } })).toThrow(
        /the name x is bound to (input|param)\[.*\] and to an output/,
      );
  });
});
