/**
 * Decoder rows in chunks, from every float type, and what is wrong with weights that were read.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { saelens } from '../../src/saes/formats/saelens.ts';
import { saeGraph } from '../../src/saes/graph.ts';
import { bytesPerElement } from '../../src/tensor.ts';
import { type Case, cases, makeFiles } from './made.ts';
import { runGraph } from './runGraph.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

describe('decoder rows', () => {
  it('are unit vectors, or zeros where the row is', async () => {
    await fc.assert(
      fc.asyncProperty(cases('standard'), async (c) => {
        const sae = await saelens.open(makeFiles(c.config, c.weights));
        const rows = await sae.decoderRows(0, c.N);
        const norms = await sae.decoderNorms();
        for (let i = 0; i < c.N; i++) {
          const published = c.weights.W_dec!.values.slice(i * c.d, (i + 1) * c.d);
          const unit = [...rows.slice(i * c.d, (i + 1) * c.d)];
          expect(norms[i]).toBe(Math.fround(Math.hypot(...published)));
          expect(Math.hypot(...unit)).toBeCloseTo(norms[i]! > 0 ? 1 : 0, 6);
          unit.forEach((v, j) => {
            expect(v * norms[i]!).toBeCloseTo(published[j]!, 5);
          });
        }
      }),
    );
  });

  it('come out alike in any chunks, and each chunk reads its own bytes only', async () => {
    const cuts = fc.array(fc.nat(8), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(cases('topk'), cuts, async (c, at) => {
        const files = makeFiles(c.config, c.weights);
        const sae = await saelens.open(files);
        expect(files.reads).toEqual([]);
        const all = await sae.decoderRows(0, c.N);
        files.reads.length = 0;
        const edges = [0, ...at.map((cut) => cut % (c.N + 1)), c.N].sort((a, b) => a - b);
        const parts: number[] = [];
        for (let i = 1; i < edges.length; i++)
          parts.push(...(await sae.decoderRows(edges[i - 1]!, edges[i]!)));
        expect(parts).toEqual([...all]);
        expect(files.reads.reduce((bytes, part) => bytes + part.bytes, 0)).toBe(c.N * c.d * 4);
      }),
    );
  });

  it.each(['f64', 'f16', 'bf16'] as const)(
    'and activations do not depend on the stored type: %s',
    async (dtype) => {
      await fc.assert(
        fc.asyncProperty(cases('jumprelu'), async (c) => {
          const files = makeFiles(c.config, c.weights, dtype);
          const wide = await saelens.open(makeFiles(c.config, c.weights));
          const sae = await saelens.open(files);
          expect(await sae.decoderRows(1, c.N)).toEqual(await wide.decoderRows(1, c.N));
          expect(files.reads[0]!.bytes).toBe((c.N - 1) * c.d * bytesPerElement[dtype]);
          expect(await sae.arithmetic()).toEqual(await wide.arithmetic());
        }),
      );
    },
  );

  it('larger than one chunk are gone through whole', async () => {
    const [d, N] = [1, 2 ** 20 + 1];
    const weights: Case['weights'] = {
      W_enc: { shape: [d, N], values: Array(N).fill(0) },
      W_dec: { shape: [N, d], values: [...Array(N - 1).fill(1), 3] },
      b_dec: { shape: [d], values: [0.5] },
      b_enc: { shape: [N], values: [...Array(N - 1).fill(0), 1] },
    };
    const sae = await saelens.open(makeFiles({ d_in: d, d_sae: N }, weights));
    const { z, reconstruction } = await runGraph(runtime, sae, Float32Array.of(5));
    expect(z[N - 1]).toBe(3);
    expect([...reconstruction]).toEqual([3.5]);
  });

  it('outside the dictionary are a RangeError', async () => {
    const [c] = fc.sample(cases('standard'), { numRuns: 1, seed: 1 });
    const sae = await saelens.open(makeFiles(c!.config, c!.weights));
    for (const [from, to] of [
      [-1, 0],
      [0, c!.N + 1],
      [1, 0],
      [0, 0.5],
    ] as const)
      await expect(sae.decoderRows(from, to)).rejects.toThrow(RangeError);
    expect(await sae.decoderRows(c!.N, c!.N)).toEqual(new Float32Array(0));
  });
});

describe('a weight that is not finite', () => {
  const small = (name: string, at: number, value: number): Case['weights'] => {
    const weights = {
      W_enc: { shape: [2, 3], values: Array(6).fill(1) },
      W_dec: { shape: [3, 2], values: Array(6).fill(1) },
      b_dec: { shape: [2], values: [1, 1] },
      b_gate: { shape: [3], values: [1, 1, 1] },
      b_mag: { shape: [3], values: [1, 1, 1] },
      r_mag: { shape: [3], values: [1, 1, 1] },
    };
    weights[name as 'W_enc'].values[at] = value;
    return weights;
  };
  const config = { architecture: 'gated', d_in: 2, d_sae: 3 };

  it.each([
    ['W_enc', 4, '[1,1]'],
    ['W_dec', 5, '[2,1]'],
    ['b_dec', 1, '[1]'],
    ['b_gate', 2, '[2]'],
    ['b_mag', 0, '[0]'],
    ['r_mag', 0, '[0]'],
  ])('is named when read: %s', async (name, at, index) => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const sae = await saelens.open(makeFiles(config, small(name, at, value)));
      await expect(saeGraph(sae)).rejects.toThrow(
        new InputError(`made: tensor ${name}: expected finite values in float32, found ${value} at ${index}`),
      );
    }
  });

  it('is noticed in the rows asked for, under its own index', async () => {
    const sae = await saelens.open(makeFiles(config, small('W_dec', 4, Number.NaN)));
    expect((await sae.decoderRows(0, 2)).length).toBe(4);
    await expect(sae.decoderRows(1, 3)).rejects.toThrow('found NaN at [2,0]');
  });

  it('is also one that float32 cannot hold', async () => {
    const sae = await saelens.open(makeFiles(config, small('b_mag', 1, 1e300), 'f64'));
    await expect(saeGraph(sae)).rejects.toThrow('tensor b_mag');
  });
});
