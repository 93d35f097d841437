/**
 * Exact mean ablation of the real model against PyTorch: loss changes of 40 latents on the first pairs.
 * Needs ../shared.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { encodePair, readPairs } from '../../src/files/pairs.ts';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { type ExactEffects, exactEffects } from '../../src/methods/attribution/exact.ts';
import type { Contrast } from '../../src/methods/site/contrast.ts';
import { forcedPass } from '../../src/methods/steering/forced.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { readBaseline } from '../../src/study/attribution/attributeRun.ts';
import { openModel } from '../../src/study/open/openModel.ts';
import { openSae } from '../../src/study/open/openSae.ts';
import { dataOf, toFloat32 } from '../../src/tensor.ts';
import { greatest, greatestDifference } from '../support/close.ts';
import { inShared, realModel, shared } from '../support/shared.ts';

/** A hundred passes above the site take a minute. */
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

/** Pairs that the golden has; completions of each; latents that are removed on every pair, the others on one. */
const [pairs, sides, everywhere] = [4, 2, 20];

describe.skipIf(!shared)('needs ../shared: exact ablation equals PyTorch', () => {
  const runtime = nodeRuntime();
  afterAll(() => runtime.close());
  let latents: number[];
  let found: ExactEffects;
  /** of the others, the latents `everywhere + p`, + pairs, …, on the pair p */
  let others: number[][];
  let lossChange: Float32Array;
  let firstOrder: Float32Array;

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
    const removed = async (on: readonly Contrast[], some: readonly number[]) =>
      exactEffects(pass, on, sae, some, { baseline });
    found = await removed(contrasts, latents.slice(0, everywhere));
    others = [];
    for (const [p, contrast] of contrasts.entries()) {
      const own = latents.slice(everywhere).filter((_, i) => i % pairs === p);
      others.push([...(await removed([contrast], own)).contrast]);
    }
  });

  /** Positive minus negative of [K, pairs, sides]: [K, pairs]. */
  const contrastOf = (values: Float32Array) =>
    Float32Array.from(
      { length: values.length / sides },
      (_, at) => values[sides * at]! - values[sides * at + 1]!,
    );

  it('of 20 latents on each pair, and of 20 on one, to a few units in the last place of losses of 1 to 5 nats', () => {
    expect(latents).toHaveLength(40);
    const expected = contrastOf(lossChange);
    expect(greatest(expected)).toBeGreaterThan(0.05);
    const split = everywhere * pairs;
    expect(greatestDifference(found.perContrast, expected.subarray(0, split))).toBeLessThan(1e-5);
    const onePair = Array.from({ length: latents.length - everywhere }, (_, i) => [
      others[i % pairs]![Math.floor(i / pairs)]!,
      expected[split + i * pairs + (i % pairs)]!,
    ]);
    for (const [ours, theirs] of onePair) expect(Math.abs(ours! - theirs!)).toBeLessThan(1e-5);
  });

  it('the mean over pairs is first order’s in sign for the top 20', () => {
    const expected = contrastOf(firstOrder);
    for (let k = 0; k < everywhere; k++) {
      const first = expected.subarray(k * pairs, (k + 1) * pairs).reduce((sum, x) => sum + x, 0);
      expect(Math.sign(found.contrast[k]!)).toBe(Math.sign(first));
    }
  });
});
