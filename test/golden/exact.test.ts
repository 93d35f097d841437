/**
 * Exact mean ablation of the real model against PyTorch: loss changes of 40 latents on the first pairs.
 * Needs ../shared.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { encodePair, readPairs } from '../../src/files/pairs.ts';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { type ExactEffects, exactEffects } from '../../src/methods/attribution/exact.ts';
import { estimateAgreement } from '../../src/methods/attribution/fidelity.ts';
import { type RemovalPath, removalPath } from '../../src/methods/attribution/integrated.ts';
import { directionsOf } from '../../src/methods/attribution/score.ts';
import type { Contrast } from '../../src/methods/site/contrast.ts';
import { sitePass } from '../../src/methods/site/siteGradient.ts';
import { forcedPass } from '../../src/methods/steering/forced.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { readBaseline } from '../../src/study/attribution/attributeRun.ts';
import { openModel } from '../../src/study/open/openModel.ts';
import { openSae } from '../../src/study/open/openSae.ts';
import { dataOf, toFloat32 } from '../../src/tensor.ts';
import { greatest, greatestDifference } from '../support/close.ts';
import { inShared, realModel, shared } from '../support/shared.ts';

/** 160 passes above the site take a minute or two. */
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

/** Pairs that the golden has; completions of each. */
const [pairs, sides] = [4, 2];

describe.skipIf(!shared)('needs ../shared: exact ablation equals PyTorch', () => {
  const runtime = nodeRuntime();
  afterAll(() => runtime.close());
  let latents: number[];
  let found: ExactEffects;
  let lossChange: Float32Array;
  let firstOrder: Float32Array;
  const paths: RemovalPath[] = [];
  let directions: Float32Array;

  beforeAll(async () => {
    const golden = await openSafetensors(inShared('golden/attribution.safetensors'));
    const floats = async (name: string) => toFloat32(await readTensor(golden.get(name)!));
    latents = Array.from(dataOf(await readTensor(golden.get('exact.latents')!), 'i64'), Number);
    lossChange = await floats('exact.loss_change');
    firstOrder = await floats('exact.first_order');
    const { model, codec } = await openModel(realModel(), { adapter: inShared('organisms/health-advice') });
    const given = (await readPairs(inShared('golden/pairs.jsonl'))).slice(0, pairs);
    const contrasts = given.map((pair): Contrast => {
      const { promptIds, positiveIds, negativeIds } = encodePair(codec, pair);
      return { id: pair.id, prompt: promptIds, positives: [positiveIds], negatives: [negativeIds] };
    });
    const pass = await forcedPass(runtime, model, 15);
    const baseline = await readBaseline(inShared('golden/mean15.safetensors'), model.decoder.width, 15);
    const sae = await openSae(inShared('saes/smollm2-135m-resid15'));
    found = await exactEffects(pass, contrasts, sae, latents, { baseline });
    await pass.release();
    const gradients = await sitePass(runtime, model, 15);
    for (const contrast of contrasts) paths.push(await removalPath(gradients, contrast, { baseline }));
    directions = await directionsOf(sae, latents);
  });

  /** Positive minus negative of [K, pairs, sides]: [K, pairs]. */
  const contrastOf = (values: Float32Array) =>
    Float32Array.from(
      { length: values.length / sides },
      (_, at) => values[sides * at]! - values[sides * at + 1]!,
    );

  it('of each latent on each pair, to a few units in the last place of losses of 1 to 5 nats', () => {
    expect(latents).toHaveLength(40);
    const expected = contrastOf(lossChange);
    expect(greatest(expected)).toBeGreaterThan(0.05);
    expect(greatestDifference(found.perContrast, expected)).toBeLessThan(1e-5);
  });

  it('the mean over pairs is first order’s in sign for the top 20', () => {
    const expected = contrastOf(firstOrder);
    for (let k = 0; k < 20; k++) {
      const first = expected.subarray(k * pairs, (k + 1) * pairs).reduce((sum, x) => sum + x, 0);
      expect(Math.sign(found.contrast[k]!)).toBe(Math.sign(first));
    }
  });

  const directionOf = (k: number) => directions.subarray(576 * k, 576 * (k + 1));

  it('first order, the sum over tokens, of each latent on each pair', () => {
    const sums = latents.flatMap((_, k) => paths.map((path) => path.firstOrder(directionOf(k))));
    const expected = contrastOf(firstOrder);
    expect(greatest(expected)).toBeGreaterThan(0.05);
    expect(greatestDifference(sums, expected)).toBeLessThan(1e-5);
  });

  it.each([
    ['first 20', 0, 0.8391, 1, 0.7566],
    ['20 random ones', 20, 0.9504, 0.95, 1.0528],
  ])('ranks, signs and slope of the %s, as from PyTorch’s numbers', (_, from, rank, signs, slope) => {
    const ours = latents.map((_, k) =>
      paths.reduce((sum, path) => sum + path.firstOrder(directionOf(k)) / pairs, 0),
    );
    const exact = Array.from(found.contrast);
    const agreement = estimateAgreement(ours.slice(from, from + 20), exact.slice(from, from + 20));
    expect(agreement.rank_correlation).toBeCloseTo(rank, 4);
    expect(agreement.sign_agreement).toBe(signs);
    expect(agreement.slope).toBeCloseTo(slope, 3);
  });

  it('integrated gradients of ten steps come to the exact removal, where first order is half of it', async () => {
    const k = 25;
    const expected = contrastOf(lossChange)[k * pairs]!;
    expect(Math.abs(paths[0]!.firstOrder(directionOf(k)) / expected)).toBeLessThan(0.6);
    expect((await paths[0]!.integrated(directionOf(k))) / expected).toBeCloseTo(1, 2);
  });
});
