/**
 * Losses of completions with the residual changed, against a forward pass written from the formulas, one
 * sequence at a time.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { meanContrastiveGradient } from '../../../src/methods/attribution/selectors/gradientCosine.ts';
import { type Contrast, contrastRows } from '../../../src/methods/site/contrast.ts';
import { sitePass } from '../../../src/methods/site/siteGradient.ts';
import {
  damage,
  type ForcedPass,
  forcedPass,
  logOddsChange,
  steeredBy,
  unchanged,
} from '../../../src/methods/steering/forced.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { expectClose } from '../../support/close.ts';
import { draw } from '../../support/opCases.ts';
import { slowHead, slowLosses, slowResiduals } from '../../support/slowLlama.ts';
import { normal, tinyModel } from '../../support/tinyModel.ts';

const tiny = tinyModel({ seed: 31 });
const d = tiny.config.hidden_size;
const layer = 1;
const vector = normal(draw(32), [d], 1).data;
const contrast: Contrast = {
  id: 'one',
  prompt: [3, 8, 1, 20],
  positives: [[5, 6, 7], [11]],
  negatives: [
    [2, 4],
    [9, 9, 9, 9],
  ],
};

/** Mean loss of one completion behind the prompt, each token's residual moved by `size` times the vector. */
function slow(completion: readonly number[], size: number): number {
  const ids = [...contrast.prompt, ...completion];
  const moved = slowResiduals(tiny, ids)[layer]!.map((a) => a.map((x, i) => x + size * vector[i]!));
  const losses = slowLosses(slowHead(tiny, layer, moved), ids, contrast.prompt.length);
  return losses.reduce((sum, x) => sum + x, 0) / losses.length;
}

const completions = [...contrast.positives, ...contrast.negatives];
const scaled = (size: number) => steeredBy(vector.map((x) => size * x));

describe('forcedPass', () => {
  const runtime = nodeRuntime({ threads: 1 });
  let pass: ForcedPass;
  beforeAll(async () => {
    pass = await forcedPass(runtime, tiny.model, layer);
  });
  afterAll(() => runtime.close());

  it.each([0, 0.3, -2])('gives the losses of each completion with %s times a vector added', async (size) => {
    const prepared = await pass.prepare(contrast);
    const found = await pass.losses(prepared, scaled(size));
    expectClose(
      found,
      completions.map((completion) => slow(completion, size)),
      2e-6,
    );
  });

  it('a change in place leaves what was prepared as it was', async () => {
    const prepared = await pass.prepare(contrast);
    const before = await pass.losses(prepared, unchanged);
    const zeroed = await pass.losses(prepared, (activation) => activation.fill(0));
    expect(zeroed).not.toEqual(before);
    expect(await pass.losses(prepared, unchanged)).toEqual(before);
  });

  it('steering a little changes the log-odds by what the gradient says, tokens times −ĝ·v', async () => {
    // one length for all, so that the mean over tokens is the sum over a number of them
    const even = { ...contrast, positives: [[5, 6, 7]], negatives: [[2, 4, 12]] };
    const gradients = await sitePass(runtime, tiny.model, layer);
    const rows = await contrastRows(gradients, even, { baseline: new Float32Array(d), tokenSet: 'all' });
    const slope = meanContrastiveGradient([rows], d).reduce((sum, g, i) => sum + g * vector[i]!, 0);
    const prepared = await pass.prepare(even);
    const h = 1e-2;
    const [low, high] = [
      await pass.losses(prepared, scaled(-h)),
      await pass.losses(prepared, scaled(h)),
    ] as const;
    const expected = -7 * slope;
    expect(Math.abs(logOddsChange(low, high, even) / (2 * h) - expected)).toBeLessThan(
      1e-3 * Math.abs(expected),
    );
  });

  it('refuses a site that the model lacks, a change of shape and what is not finite', async () => {
    await expect(forcedPass(runtime, tiny.model, 3)).rejects.toThrow('site resid_post 3');
    const prepared = await pass.prepare(contrast);
    await expect(pass.losses(prepared, (a) => a.subarray(d))).rejects.toThrow(RangeError);
    const broken = pass.losses(prepared, (a) => a.fill(Number.NaN));
    await expect(broken).rejects.toThrow(InputError);
    await expect(broken).rejects.toThrow('pair one: the model gives losses that are not finite');
  });
});

describe('sinks', () => {
  const runtime = nodeRuntime({ threads: 1 });
  afterAll(() => runtime.close());

  it('are those of any of the sequences, by the factor given', async () => {
    const pass = await forcedPass(runtime, tiny.model, layer);
    const { activation } = await pass.prepare(contrast);
    const norms = Array.from({ length: activation.length / d }, (_, t) =>
      Math.hypot(...activation.subarray(t * d, (t + 1) * d)),
    );
    // the prompt's greatest token: a sink at a factor that it exceeds in some sequence
    const sequences = [
      [0, 1, 2, 3, 4, 5, 6],
      [0, 1, 2, 3, 7],
      [0, 1, 2, 3, 8, 9],
      [0, 1, 2, 3, 10, 11, 12, 13],
    ];
    for (const factor of [0.9, 1.1, 1.3]) {
      const expected = sequences.flatMap((places) => {
        const sorted = places.map((t) => norms[t]!).sort((a, b) => a - b);
        const median = sorted[(sorted.length - 1) >> 1]!;
        return places.filter((t) => norms[t]! > factor * median);
      });
      expect((await pass.prepare(contrast, factor)).sinks).toEqual(new Set(expected));
    }
    expect((await pass.prepare(contrast)).sinks.size).toBe(0);
  });
});

describe('what losses tell', () => {
  const before = [1, 3, 2, 4];
  const after = [2, 4, 2, 5];

  it('the change of the log-odds: means of each side, negative where positives got less likely', () => {
    expect(logOddsChange(before, after, contrast)).toBeCloseTo(-(3 - 3.5 - (2 - 3)), 12);
    expect(logOddsChange(after, before, contrast)).toBeCloseTo(0.5, 12);
    const uneven = { ...contrast, positives: [[1]], negatives: [[2], [3], [4]] };
    expect(logOddsChange([1, 1, 1, 1], [3, 1, 1, 1], uneven)).toBeCloseTo(-2, 12);
  });

  it('the damage: the mean rise over all completions', () => {
    expect(damage(before, after)).toBeCloseTo(0.75, 12);
  });

  it('refuses losses of another number', () => {
    expect(() => logOddsChange([1, 2, 3], after, contrast)).toThrow(
      'pair one: 3 losses, it has 4 completions',
    );
    expect(() => damage(before, [1])).toThrow('damage: 4 losses before, 1 after');
  });
});

it('steering refuses activations of another width', () => {
  expect(() => steeredBy(Float32Array.of(1, 2))(new Float32Array(5))).toThrow(RangeError);
  expect([...steeredBy(Float32Array.of(1, 2))(Float32Array.of(0, 0, 5, 5))]).toEqual([1, 2, 6, 7]);
});
