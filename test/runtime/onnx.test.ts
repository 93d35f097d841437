/** Every op on ONNX Runtime against the float64 reference, plain and simplified. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as g from '../../src/graph/build.ts';
import { gradient } from '../../src/graph/gradient.ts';
import { type Graph, nodesOf, type OpName } from '../../src/graph/node.ts';
import { simplify } from '../../src/graph/simplify.ts';
import { nodeRuntime, threadsAsked } from '../../src/runtime/node.ts';
import { evaluate } from '../../src/runtime/reference.ts';
import { f32, toFloat32 } from '../../src/tensor.ts';
import { draw, opCases, withoutGradient } from '../support/opCases.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

describe('CULPRIT_THREADS', () => {
  it('is the number of threads, where it is set', () => {
    expect(threadsAsked({ CULPRIT_THREADS: '3' })).toBe(3);
    expect(threadsAsked({ CULPRIT_THREADS: '' })).toBeUndefined();
    expect(threadsAsked({})).toBeUndefined();
  });

  it.each(['0', '-1', '1.5', '1e3', 'two', ' 2'])('is refused as %j', (asked) => {
    expect(() => threadsAsked({ CULPRIT_THREADS: asked })).toThrow(
      `CULPRIT_THREADS: expected a whole number from 1 to 9999, found ${JSON.stringify(asked)}`,
    );
  });
});

/** float32 keeps 24 bits; the longest sums here have tens of terms of size about 1. */
const tolerance = 2e-5;

describe('ONNX Runtime equals the reference', () => {
  it.each(Object.keys(opCases) as OpName[])('%s', async (op) => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const made = opCases[op](draw(seed));
        const outputs: Record<string, typeof made.node> = { y: made.node };
        if (!withoutGradient.includes(op)) {
          const wrt = nodesOf({ outputs }, 'input').filter((n) => /^x\d/.test(n.attributes.name));
          gradient(made.node, wrt).forEach((dx, i) => {
            outputs[`d${i}`] = dx;
          });
        }
        const graph: Graph = { outputs };
        const expected = evaluate(graph, new Map(), made.feeds);
        for (const form of [graph, simplify(graph)]) {
          const session = await runtime.load(form, new Map());
          const found = await session.run(made.feeds);
          await session.release();
          for (const [name, { shape, data }] of Object.entries(expected)) {
            expect(found[name]!.shape).toEqual(shape);
            const values = toFloat32(found[name]!);
            data.forEach((x, i) => {
              expect(Math.abs(values[i]! - x)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(x)));
            });
          }
        }
      }),
      { numRuns: 8 },
    );
  });

  it('binds weights by name, of every float type', async () => {
    const x = g.input('x', ['tokens', 2]);
    const graph: Graph = { outputs: { y: g.matmul(x, g.param('w', [3, 2]), { transB: true }) } };
    const weights = {
      f32: f32([3, 2], [1, 2, 3, 4, 5, 6]),
      bf16: {
        dtype: 'bf16' as const,
        shape: [3, 2],
        data: Uint16Array.of(0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0),
      },
      f16: {
        dtype: 'f16' as const,
        shape: [3, 2],
        data: Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600),
      },
    };
    for (const w of Object.values(weights)) {
      const session = await runtime.load(graph, new Map([['w', w]]));
      const { y } = await session.run({ x: f32([2, 2], [1, 0, 1, 1]) });
      expect([...toFloat32(y!)]).toEqual([1, 3, 5, 3, 7, 11]);
    }
  });

  it('says which weight is missing or has another shape', async () => {
    const graph: Graph = { outputs: { y: g.exp(g.param('w', [3, 2])) } };
    await expect(runtime.load(graph, new Map())).rejects.toThrow('no weight is bound to w');
    await expect(runtime.load(graph, new Map([['w', f32([2], [1, 2])]]))).rejects.toThrow(
      'expects [3,2], its data has [2]',
    );
  });

  it('a released session does not run', async () => {
    const session = await runtime.load({ outputs: { y: g.exp(g.input('x', [1])) } }, new Map());
    await session.release();
    await expect(session.run({ x: f32([1], [0]) })).rejects.toThrow(/not loaded/);
  });
});
