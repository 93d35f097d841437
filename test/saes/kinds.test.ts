/**
 * The graph of every kind, evaluated in float64, against the formula written out on random small SAEs; and
 * what each kind does at its edges, there and on ONNX Runtime.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { referenceRuntime } from '../../src/runtime/reference.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { makeSae } from '../../src/saes/dictionary.ts';
import { saelens } from '../../src/saes/formats/saelens.ts';
import { relu } from '../../src/saes/kinds/relu.ts';
import { topk } from '../../src/saes/kinds/topk.ts';
import { wholeEncoder } from '../../src/saes/latentMatrix.ts';
import { assertWidth, type Sae } from '../../src/saes/sae.ts';
import { type Case, cases, kinds, makeFiles, type Values } from './made.ts';
import { unfold } from './oracle/oracle.ts';
import { runGraph } from './runGraph.ts';

const exact = referenceRuntime();
const onnx = nodeRuntime({ threads: 1 });
afterAll(() => onnx.close());

const rounding = 2 ** -24;

/** Activations [T][N] in the library's own scale, straight from the definition. */
function activations(c: Case): number[][] {
  const { N, T, config } = c;
  const p = range(T).map((t) => range(N).map((i) => preActivation(c, t, i)));
  const at = (name: string, i: number) => c.weights[name]!.values[i]!;
  switch (config.architecture) {
    case 'standard':
      return p.map((row) => row.map((v) => Math.max(0, v)));
    case 'jumprelu':
      return p.map((row) => row.map((v, i) => (v > at('threshold', i) ? Math.max(0, v) : 0)));
    case 'gated':
      return p.map((row) =>
        row.map((gate, i) => {
          const product = gate - at('b_gate', i);
          return gate > 0 ? Math.max(0, product * Math.exp(at('r_mag', i)) + at('b_mag', i)) : 0;
        }),
      );
    default:
      return p.map((row) => {
        const rescaled = row.map((v, i) => (config.rescale_acts_by_decoder_norm ? f(v * f(norm(c, i))) : v));
        const best = range(N).sort((i, j) => rescaled[j]! - rescaled[i]! || i - j);
        const kept = new Set(best.slice(0, config.k as number));
        return rescaled.map((v, i) => (kept.has(i) ? Math.max(0, v) : 0));
      });
  }
}

function preActivation({ d, N, x, weights, config }: Case, t: number, i: number): number {
  const bias = (weights.b_enc ?? weights.b_gate)!.values[i]!;
  const subtract = config.apply_b_dec_to_input ? 1 : 0;
  return range(d).reduce(
    (sum, j) =>
      sum + (x[t * d + j]! - subtract * weights.b_dec!.values[j]!) * weights.W_enc!.values[j * N + i]!,
    bias,
  );
}

function norm({ d, weights }: Case, i: number): number {
  return Math.hypot(...weights.W_dec!.values.slice(i * d, (i + 1) * d));
}

/** What each activation is worth in the published decoder's scale: 1, or 1 / norm where the SAE rescales. */
function worth(c: Case, i: number): number {
  if (!c.config.rescale_acts_by_decoder_norm) return 1;
  return norm(c, i) > 0 ? 1 / norm(c, i) : 0;
}

function f(v: number): number {
  return Math.fround(v);
}

function range(n: number): number[] {
  return [...Array(n).keys()];
}

function open(c: Case) {
  return saelens.open(makeFiles(c.config, c.weights));
}

const variants = [
  ...kinds.map((kind) => ({ name: kind, arbitrary: cases(kind) })),
  { name: 'topk, rescaled', arbitrary: cases('topk', { rescale_acts_by_decoder_norm: true }) },
];

describe.each(variants)('$name', ({ arbitrary }) => {
  it('encodes as the formula says, the decoder norm folded in', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async (c) => {
        const sae = await open(c);
        const { z } = await runGraph(exact, sae, c.x);
        const own = await unfold(sae, z);
        activations(c).forEach((row, t) => {
          row.forEach((a, i) => {
            // The gated magnitude alone is not exact: its terms are below 9·5·exp(3) + 3.
            const slack = c.config.architecture === 'gated' ? 8 * rounding * 1000 : 0;
            const folded = a * worth(c, i) * norm(c, i);
            near(z[t * c.N + i]!, folded, 4 * rounding * folded + slack * norm(c, i));
            near(own[t * c.N + i]!, norm(c, i) > 0 ? a : 0, 4 * rounding * a + slack);
          });
        });
      }),
    );
  });

  it('decodes unit directions to what the published decoder gives', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async (c) => {
        const sae = await open(c);
        const { reconstruction: got } = await runGraph(exact, sae, c.x);
        const a = activations(c);
        const bias = c.weights.b_dec!.values;
        for (const [t, j] of range(c.T * c.d).map((at) => [Math.floor(at / c.d), at % c.d] as const)) {
          const terms = range(c.N).map(
            (i) => a[t]![i]! * worth(c, i) * c.weights.W_dec!.values[i * c.d + j]!,
          );
          const size = [bias[j]!, ...terms].reduce((sum, v) => sum + Math.abs(v), 0);
          const slack = c.config.architecture === 'gated' ? 1000 * c.N : 0;
          const wanted = terms.reduce((sum, v) => sum + v, bias[j]!);
          near(got[t * c.d + j]!, wanted, 8 * rounding * (size + slack));
        }
      }),
    );
  });
});

function near(got: number, wanted: number, tolerance: number): void {
  expect(Math.abs(got - wanted), `${got} for ${wanted}`).toBeLessThanOrEqual(tolerance);
}

function vector(...values: number[]): Values {
  return { shape: [values.length], values };
}

/** An SAE of width 1 whose pre-activations are x · `enc`, every decoder row 2. */
function narrow(enc: number[], config: Record<string, unknown>, more: Record<string, Values> = {}) {
  const N = enc.length;
  return saelens.open(
    makeFiles(
      { d_in: 1, d_sae: N, ...config },
      {
        W_enc: { shape: [1, N], values: enc },
        W_dec: { shape: [N, 1], values: Array(N).fill(2) },
        b_dec: vector(0),
        b_enc: vector(...Array(N).fill(0)),
        ...more,
      },
    ),
  );
}

describe.each<[string, Runtime]>([
  ['evaluated in float64', exact],
  ['on ONNX Runtime', onnx],
])('edges of the kinds, %s', (_, runtime) => {
  const z = async (sae: Sae, ...x: number[]) => [...(await runGraph(runtime, sae, Float32Array.from(x))).z];

  it('top-k keeps the lower index among equal values', async () => {
    const sae = await narrow([1, 3, 2, 2, 2], { architecture: 'topk', k: 3 });
    expect(await z(sae, 1)).toEqual([0, 6, 4, 4, 0]);
  });

  it('top-k keeps no value at or below zero, though fewer than k remain', async () => {
    const sae = await narrow([1, -3, 0, 2], { architecture: 'topk', k: 4 });
    expect(await z(sae, 1)).toEqual([2, 0, 0, 4]);
  });

  it('top-k chooses after the decoder norms where the SAE rescales', async () => {
    const W_dec = { shape: [2, 1], values: [4, 1] };
    const weights = (rescale: boolean) =>
      narrow([1, 2], { architecture: 'topk', k: 1, rescale_acts_by_decoder_norm: rescale }, { W_dec });
    expect(await z(await weights(false), 1)).toEqual([0, 2]);
    expect(await z(await weights(true), 1)).toEqual([4, 0]);
  });

  it('jumprelu gives 0 at its threshold, and never a negative value', async () => {
    const sae = await narrow([1, 1, -1], { architecture: 'jumprelu' }, { threshold: vector(1, 0.75, -2) });
    expect(await z(sae, 1)).toEqual([0, 2, 0]);
  });

  it('a latent without direction is 0 everywhere, not NaN', async () => {
    const W_dec = { shape: [2, 1], values: [0, 2] };
    const sae = await narrow([1, 1], { architecture: 'standard' }, { W_dec });
    const found = await runGraph(runtime, sae, Float32Array.of(3));
    expect([...found.z]).toEqual([0, 6]);
    expect([...(await unfold(sae, found.z))]).toEqual([0, 3]);
    expect([...found.reconstruction]).toEqual([6]);
    expect([...(await sae.decoderRows(0, 2))]).toEqual([0, 1]);
    expect([...(await sae.decoderNorms())]).toEqual([0, 2]);
  });

  it('and so where pre-activations are rescaled', async () => {
    const held = Float32Array.of(0, 2);
    const weights = { b_dec: Float32Array.of(0), b_enc: new Float32Array(2) };
    const sae = makeSae({
      kind: topk,
      where: 'memory',
      trainedOn: { model: undefined, hook: undefined, site: undefined },
      normalisation: 'none',
      decoder: { width: 1, latents: 2, rows: async (from, to) => held.slice(from, to) },
      encoder: wholeEncoder(2, async () => Float32Array.of(1, 1)),
      counts: { k: 2 },
      weight: async (name) => weights[name],
      subtractBias: false,
      rescaled: true,
    });
    const found = await runGraph(runtime, sae, Float32Array.of(3));
    expect([...found.z]).toEqual([0, 6]);
    expect([...(await unfold(sae, found.z))]).toEqual([0, 6]);
    expect([...found.reconstruction]).toEqual([6]);
  });

  it('no tokens give no activations', async () => {
    const sae = await narrow([1, 1], { architecture: 'standard' });
    const found = await runGraph(runtime, sae, new Float32Array(0));
    expect([found.z.length, found.reconstruction.length]).toEqual([0, 0]);
  });
});

describe('an SAE', () => {
  it('reads each weight once, and not before it is asked for', async () => {
    const read: string[] = [];
    const weight = async (name: string) => {
      read.push(name);
      return Float32Array.of(1);
    };
    const sae = makeSae({
      kind: relu,
      where: 'memory',
      trainedOn: { model: undefined, hook: undefined, site: undefined },
      normalisation: 'none',
      decoder: { width: 1, latents: 1, rows: async () => Float32Array.of(1) },
      encoder: wholeEncoder(1, () => weight('W_enc')),
      counts: {},
      weight,
      subtractBias: false,
    });
    expect(read).toEqual([]);
    for (let run = 0; run < 2; run++) await runGraph(exact, sae, Float32Array.of(1));
    expect(read.sort()).toEqual(['W_enc', 'b_dec', 'b_enc']);
  });

  it('names both widths where SAE and model differ', async () => {
    const sae = await narrow([1], { architecture: 'standard' });
    expect(() => assertWidth(sae, 1)).not.toThrow();
    expect(() => assertWidth({ width: 16, where: 'folder' }, 576)).toThrow(
      new InputError("SAE of width 16 (folder) does not fit the model's residual width 576"),
    );
  });
});

describe('activation normalisation', () => {
  const random = cases('standard', { apply_b_dec_to_input: true }).filter(({ d }) => d > 1);

  /** What goes in, and x̂ from the reconstruction of it, by definition. */
  const definitions = {
    constant_norm_rescale: (x: number[]) => {
      const scale = Math.hypot(...x) / Math.sqrt(x.length);
      return { input: x.map((v) => (scale > 0 ? v / scale : 0)), scale, shift: 0 };
    },
    layer_norm: (x: number[]) => {
      const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
      const deviation = Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (x.length - 1));
      return { input: x.map((v) => (v - mean) / (deviation + 1e-5)), scale: deviation, shift: mean };
    },
  };

  it.each(Object.entries(definitions))('%s is undone by the reconstruction', async (how, definition) => {
    await fc.assert(
      fc.asyncProperty(random, async (c) => {
        const sae = await open({ ...c, config: { ...c.config, normalize_activations: how } });
        const plain = await open(c);
        const rows = range(c.T).map((t) => definition([...c.x.slice(t * c.d, (t + 1) * c.d)]));
        const inputs = Float32Array.from(rows.flatMap(({ input }) => input));
        const got = await runGraph(exact, sae, c.x);
        const wanted = await runGraph(exact, plain, inputs);
        const largest = (values: Float32Array) => values.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
        // Terms of a pre-activation are below (4 + 3)·3, of a fold below 3·√5.
        near(distance(got.z, wanted.z), 0, 8 * rounding * c.d * 21 * 7);
        const out = wanted.reconstruction.map(
          (v, at) => v * rows[Math.floor(at / c.d)]!.scale + rows[Math.floor(at / c.d)]!.shift,
        );
        near(distance(got.reconstruction, out), 0, 64 * rounding * c.N * largest(wanted.z) * largest(out));
      }),
    );
  });

  it('a token of zeros, or of equal values, comes back without NaN', async () => {
    const c: Case = {
      d: 2,
      N: 1,
      T: 1,
      config: { d_in: 2, d_sae: 1 },
      weights: {
        W_enc: { shape: [2, 1], values: [1, 1] },
        W_dec: { shape: [1, 2], values: [3, 4] },
        b_dec: vector(-1, 1),
        b_enc: vector(1),
      },
      x: Float32Array.of(0, 0),
    };
    const through = async (how: string, x: Float32Array) => {
      const sae = await open({ ...c, config: { ...c.config, normalize_activations: how } });
      const { z, reconstruction } = await runGraph(exact, sae, x);
      return [[...z], [...reconstruction]];
    };
    expect(await through('constant_norm_rescale', Float32Array.of(0, 0))).toEqual([[5], [0, 0]]);
    expect(await through('layer_norm', Float32Array.of(7, 7))).toEqual([[5], [7, 7]]);
  });
});

function distance(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0);
}
