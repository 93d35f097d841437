/**
 * First order beside exact removal on the real model, against PyTorch's numbers of both; integrated gradients
 * against its removal. Needs ../shared.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { encodePair, readPairs } from '../../src/files/pairs.ts';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { estimateAgreement } from '../../src/methods/attribution/fidelity.ts';
import { type RemovalPath, removalPath } from '../../src/methods/attribution/integrated.ts';
import { directionsOf } from '../../src/methods/attribution/score.ts';
import { sitePass } from '../../src/methods/site/siteGradient.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { readBaseline } from '../../src/study/attribution/attributeRun.ts';
import { openModel } from '../../src/study/open/openModel.ts';
import { openSae } from '../../src/study/open/openSae.ts';
import { dataOf, toFloat32 } from '../../src/tensor.ts';
import { greatest, greatestDifference } from '../support/close.ts';
import { inShared, realModel, shared } from '../support/shared.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

/** Pairs that the golden has; completions of each. */
const [pairs, sides] = [4, 2];

describe.skipIf(!shared)('needs ../shared: first order, integrated gradients and PyTorch’s removal', () => {
  const runtime = nodeRuntime();
  afterAll(() => runtime.close());
  const paths: RemovalPath[] = [];
  /** [K, pairs], positive minus negative */
  let removal: Float32Array;
  let golden: Float32Array;
  let direction: (k: number) => Float32Array;

  /** Positive minus negative of [K, pairs, sides]: [K, pairs]. */
  const contrastOf = (values: Float32Array) =>
    Float32Array.from(
      { length: values.length / sides },
      (_, at) => values[sides * at]! - values[sides * at + 1]!,
    );
  const ours = () => Array.from(removal, (_, at) => paths[at % pairs]!.firstOrder(direction(at / pairs)));
  const meansOf = (values: ArrayLike<number>) =>
    Array.from({ length: values.length / pairs }, (_, k) =>
      Array.from({ length: pairs }, (_, p) => values[k * pairs + p]!).reduce((sum, x) => sum + x / pairs, 0),
    );

  beforeAll(async () => {
    const file = await openSafetensors(inShared('golden/attribution.safetensors'));
    const floats = async (name: string) => toFloat32(await readTensor(file.get(name)!));
    removal = contrastOf(await floats('exact.loss_change'));
    golden = contrastOf(await floats('exact.first_order'));
    const latents = Array.from(dataOf(await readTensor(file.get('exact.latents')!), 'i64'), Number);
    const { model, codec } = await openModel(realModel(), { adapter: inShared('organisms/health-advice') });
    const pass = await sitePass(runtime, model, 15);
    const d = model.decoder.width;
    const baseline = await readBaseline(inShared('golden/mean15.safetensors'), d, 15);
    for (const pair of (await readPairs(inShared('golden/pairs.jsonl'))).slice(0, pairs)) {
      const { promptIds, positiveIds, negativeIds } = encodePair(codec, pair);
      const contrast = { id: pair.id, prompt: promptIds, positives: [positiveIds], negatives: [negativeIds] };
      paths.push(await removalPath(pass, contrast, { baseline }));
    }
    const directions = await directionsOf(await openSae(inShared('saes/smollm2-135m-resid15')), latents);
    direction = (k) => directions.subarray(d * Math.floor(k), d * (Math.floor(k) + 1));
  });

  it('first order of each latent on each pair is PyTorch’s, a sum over tokens', () => {
    expect(greatest(golden)).toBeGreaterThan(0.05);
    expect(greatestDifference(ours(), golden)).toBeLessThan(1e-5);
  });

  it.each([
    ['first 20', 0, 0.8391, 1, 0.7566],
    ['20 random ones', 20, 0.9504, 0.95, 1.0528],
  ])('agrees with the removal of the %s as PyTorch’s own does', (_, from, rank, signs, slope) => {
    const [first, exact] = [meansOf(ours()), meansOf(removal)];
    const agreement = estimateAgreement(first.slice(from, from + 20), exact.slice(from, from + 20));
    expect(agreement.rank_correlation).toBeCloseTo(rank, 4);
    expect(agreement.sign_agreement).toBe(signs);
    expect(agreement.slope).toBeCloseTo(slope, 3);
  });

  it('integrated gradients of ten steps come to the removal, of which first order is half', async () => {
    const [k, pair] = [25, 0];
    const exact = removal[k * pairs + pair]!;
    expect(paths[pair]!.firstOrder(direction(k)) / exact).toBeLessThan(0.6);
    expect((await paths[pair]!.integrated(direction(k))) / exact).toBeCloseTo(1, 2);
  });
});
