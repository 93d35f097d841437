/** Inverse frequencies of each scaling, the ways a config says which, and the angles of a pass. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { input } from '../../src/graph/build.ts';
import { Scope } from '../../src/models/decoder.ts';
import {
  angles,
  attentionFactor,
  inverseFrequencies,
  type RopeScaling,
  ropeFields,
  ropeOf,
  ropeScaling,
} from '../../src/models/rope.ts';
import { evaluate } from '../../src/runtime/reference.ts';
import { f32 } from '../../src/tensor.ts';
import { tinyModel } from '../support/tinyModel.ts';

const llama31: RopeScaling = {
  rope_type: 'llama3',
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

describe('inverse frequencies', () => {
  it('are powers of theta, divided by the factor of a linear scaling', () => {
    const plain = inverseFrequencies(10000, 8, { rope_type: 'default' });
    expect(plain.map((f) => Math.round(f * 1e12) / 1e12)).toEqual([1, 0.1, 0.01, 0.001]);
    const linear = inverseFrequencies(10000, 8, { rope_type: 'linear', factor: 4 });
    expect(linear).toEqual(plain.map((f) => f / 4));
  });

  it('of Llama 3.1: kept, interpolated and stretched, as worked out by hand', () => {
    const found = inverseFrequencies(500000, 128, llama31);
    expect(found[0]).toBe(1);
    // f = e^(−30/64 · ln 500000) = 2.13112e-3, wavelength 2948.30, 2.77855 turns in 8192: (0.592849 +
    // 0.407151/8) f
    expect(found[30]! / 1.371893568e-3).toBeCloseTo(1, 8);
    // 500000^(−63/64) / 8
    expect(found[63]! / 3.068925989e-7).toBeCloseTo(1, 8);
  });

  // Worked out in Python by the formulas of transformers 5.24's _compute_yarn_parameters.
  it.each<[object, number[], number]>([
    [{}, [1, 0.316227766, 0.1, 0.025693506, 0.00625, 0.0013834965, 0.00025, 7.905694e-5], 1.138629436],
    [
      { truncate: false, beta_fast: 16, beta_slow: 2, mscale: 0.7, mscale_all_dim: 1.2 },
      [1, 0.316227766, 0.1, 0.026607497, 0.00426161920188, 0.00079056942, 0.00025, 7.905694e-5],
      0.940571525,
    ],
    [
      { attention_factor: 1 },
      [1, 0.316227766, 0.1, 0.025693506, 0.00625, 0.0013834965, 0.00025, 7.905694e-5],
      1,
    ],
  ])('of YaRN, and what it multiplies cos and sin by: %j', (more, frequencies, factor) => {
    const by = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 2048, ...more } as const;
    inverseFrequencies(10000, 16, by).forEach((f, i) => {
      expect(f / frequencies[i]!).toBeCloseTo(1, 6);
    });
    expect(attentionFactor(by)).toBeCloseTo(factor, 8);
  });

  // Phi3RotaryEmbedding of transformers 5.24 with these factors, lengths of 64 before and 4096 now
  it('of longrope: divided by the short factors', () => {
    const by: RopeScaling = {
      rope_type: 'longrope',
      short_factor: [1, 1.1, 1.25, 2],
      long_factor: [1.5, 2.5, 8, 16],
      factor: 64,
      original_max_position_embeddings: 64,
    };
    [1, 0.090909094, 0.008, 0.0005].forEach((f, i) => {
      expect(inverseFrequencies(10000, 8, by)[i]! / f).toBeCloseTo(1, 6);
    });
    expect(attentionFactor(by)).toBeCloseTo(Math.SQRT2, 8);
  });

  const positive = (min: number, max: number) => fc.double({ min, max, noNaN: true });

  it('of llama3 lie between kept and stretched, fall with i, and meet both ends of the middle range', () => {
    const cases = fc.tuple(
      positive(10, 1e6),
      fc.integer({ min: 1, max: 64 }),
      positive(1, 32),
      positive(1, 4),
    );
    fc.assert(
      fc.property(cases, ([theta, half, factor, low]) => {
        const by = { ...llama31, factor, low_freq_factor: low, high_freq_factor: 2 * low } as RopeScaling;
        const plain = inverseFrequencies(theta, 2 * half, { rope_type: 'default' });
        inverseFrequencies(theta, 2 * half, by).forEach((f, i, all) => {
          const turns = (8192 * plain[i]!) / (2 * Math.PI);
          expect(f).toBeLessThanOrEqual(plain[i]! * (1 + 1e-12));
          expect(f).toBeGreaterThanOrEqual((plain[i]! / factor) * (1 - 1e-12));
          if (turns > 2 * low) expect(f).toBe(plain[i]);
          if (turns < low) expect(f).toBe(plain[i]! / factor);
          if (i > 0) expect(f).toBeLessThan(all[i - 1]!);
        });
      }),
    );
  });
});

describe('the scaling of a config', () => {
  it.each([
    [undefined, { rope_type: 'default' }],
    [null, { rope_type: 'default' }],
    [{}, { rope_type: 'default' }],
    [{ rope_theta: 5 }, { rope_type: 'default' }],
    [
      { type: 'linear', factor: 2 },
      { rope_type: 'linear', factor: 2 },
    ],
    [
      { rope_type: 'linear', type: 'dynamic', factor: 2 },
      { rope_type: 'linear', factor: 2 },
    ],
    [{ ...llama31, attention_factor: 1, partial_rotary_factor: 1, mscale: null }, llama31],
    [
      { type: 'dynamic', factor: 2 },
      { rope_type: 'dynamic', factor: 2 },
    ],
  ])('%j', (given, expected) => {
    expect(ropeScaling.parse(given)).toEqual(expected);
  });

  it.each([
    [{ rope_type: 'longrope' }],
    [{ rope_type: 'proportional' }],
    [{ rope_type: 'dynamic' }],
    [{ rope_type: 'yarn', factor: 4 }],
    [{ rope_type: 'default', factor: 4 }],
    [{ rope_type: 'default', partial_rotary_factor: 0.5 }],
    [{ rope_type: 'linear', factor: 4, attention_factor: 1.2 }],
    [{ rope_type: 'default', mrope_section: [2, 1, 1] }],
    [{ ...llama31, extra: 1 }],
    [{ rope_type: 'linear' }],
    [{ rope_type: 'linear', factor: 0 }],
    [{ rope_type: 'llama3', factor: 8 }],
    [{ rope_type: 3 }],
    ['linear'],
  ])('%j is refused', (given) => {
    expect(ropeScaling.safeParse(given).success).toBe(false);
  });
});

/** As transformers 5.24's RotaryEmbeddingConfigMixin reads them. */
describe('rotary positions of a config', () => {
  const ropeOfConfig = z.object(ropeFields).transform((c, issues) => ropeOf(c, issues));
  const plain = { rope_type: 'default' };
  const linear = { rope_type: 'linear', factor: 4 };

  it.each<[object, object]>([
    [{}, { theta: 10000, scaling: plain }],
    [{ rope_theta: 7 }, { theta: 7, scaling: plain }],
    [
      { rope_parameters: { rope_theta: 5 }, rope_theta: 7 },
      { theta: 5, scaling: plain },
    ],
    [
      { rope_parameters: { ...linear }, rope_theta: 7 },
      { theta: 7, scaling: linear },
    ],
    [
      { rope_scaling: {}, rope_parameters: linear },
      { theta: 10000, scaling: linear },
    ],
    [
      { rope_scaling: null, rope_parameters: linear },
      { theta: 10000, scaling: linear },
    ],
    [
      { rope_scaling: linear, rope_parameters: { rope_theta: 5 } },
      { theta: 10000, scaling: linear },
    ],
    [{ rope_scaling: { type: 'linear', factor: 4, rope_theta: 3 } }, { theta: 3, scaling: linear }],
    [{ rope_scaling: { ...linear, finetuned: true } }, { theta: 10000, scaling: linear }],
    [{ rope_scaling: llama31 }, { theta: 10000, scaling: llama31 }],
    [
      { rope_scaling: llama31, original_max_position_embeddings: 64 },
      { theta: 10000, scaling: { ...llama31, original_max_position_embeddings: 64 } },
    ],
    [
      { rope_scaling: { ...llama31, original_max_position_embeddings: null }, max_position_embeddings: 99 },
      { theta: 10000, scaling: { ...llama31, original_max_position_embeddings: 99 } },
    ],
    [
      {
        rope_scaling: { type: 'yarn', factor: null, original_max_position_embeddings: 32 },
        max_position_embeddings: 64,
      },
      {
        theta: 10000,
        scaling: { rope_type: 'yarn', factor: 2, original_max_position_embeddings: 32 },
      },
    ],
  ])('%j', (given, expected) => {
    const { theta, scaling } = ropeOfConfig.parse(given);
    expect({ theta, scaling }).toEqual(expected);
  });

  it('may turn a share of each head, where the family has such', () => {
    const ofPhi = z.object(ropeFields).transform((c, issues) => ropeOf(c, issues, { theta: 7, share: 0.5 }));
    expect(ofPhi.parse({})).toMatchObject({ theta: 7, share: 0.5 });
    expect(ofPhi.parse({ rope_parameters: { partial_rotary_factor: 0.25 } })).toMatchObject({ share: 0.25 });
    const given = { rope_parameters: { partial_rotary_factor: 0.25 } };
    expect(ropeOfConfig.safeParse(given).error?.issues[0]?.path).toEqual(['rope_parameters']);
  });

  it('by longrope ends where the length before the scaling does', () => {
    const rope_scaling = { type: 'longrope', short_factor: [1, 2], long_factor: [3, 4] };
    const given = { rope_scaling, max_position_embeddings: 4096, original_max_position_embeddings: 64 };
    expect(ropeOfConfig.parse(given)).toMatchObject({ context: 64, scaling: { factor: 64 } });
  });

  it.each<[object, string[]]>([
    [{ rope_scaling: { rope_type: 'linear' } }, ['rope_scaling', 'factor']],
    [{ rope_parameters: { full_attention: linear } }, ['rope_parameters']],
    [{ rope_parameters: { rope_theta: 'much' } }, ['rope_parameters', 'rope_theta']],
    [{ rope_parameters: { rope_type: { toString: 1 } } }, ['rope_parameters', 'rope_type']],
    [{ rope_theta: 0 }, ['rope_theta']],
  ])('%j is refused', (given, path) => {
    expect(ropeOfConfig.safeParse(given).error?.issues[0]?.path).toEqual(path);
  });
});

describe('angles', () => {
  const positions = [0, 1, 2, 2, 7];
  const anglesOf = (by: RopeScaling) => {
    const { model, weights } = tinyModel();
    weights.set('rope_freqs.weight', f32([2], [2, 4]));
    const outputs = angles(input('positions', ['tokens', 1]), 100, 4, by, new Scope(model));
    return evaluate({ outputs }, weights, { positions: f32([5, 1], positions) });
  };

  it.each<[RopeScaling, number[]]>([
    [{ rope_type: 'default' }, [1, 0.1]],
    [{ rope_type: 'linear', factor: 2 }, [0.5, 0.05]],
    [{ rope_type: 'dynamic', factor: 2 }, [1, 0.1]],
    [{ rope_type: 'factors' }, [0.5, 0.025]],
    [{ rope_type: 'factors', factor: 2 }, [0.25, 0.0125]],
  ])('%j: cos and sin of position times frequency', (by, frequencies) => {
    const { cosine, sine } = anglesOf(by);
    const turns = positions.flatMap((p) => frequencies.map((f) => p * f));
    expect([cosine!.shape, sine!.shape]).toEqual([
      [5, 2],
      [5, 2],
    ]);
    // frequencies are float32: 6e-8 of at most 7 radians
    turns.forEach((turn, i) => {
      expect(cosine!.data[i]).toBeCloseTo(Math.cos(turn), 6);
      expect(sine!.data[i]).toBeCloseTo(Math.sin(turn), 6);
    });
  });

  it('of YaRN are multiplied by its factor', () => {
    const yarn = { rope_type: 'yarn', factor: 2, original_max_position_embeddings: 32 } as const;
    const { cosine } = anglesOf({ ...yarn, attention_factor: 1.5 });
    const { cosine: plain } = anglesOf({ ...yarn, attention_factor: 1 });
    cosine!.data.forEach((x, i) => {
      expect(x).toBeCloseTo(1.5 * Number(plain!.data[i]), 6);
    });
  });

  it('by divisors need rope_freqs.weight of half the width', () => {
    const { model } = tinyModel();
    const build = () =>
      angles(input('positions', ['tokens', 1]), 100, 4, { rope_type: 'factors' }, new Scope(model));
    expect(build).toThrow('tiny: weight rope_freqs.weight is missing');
  });
});
