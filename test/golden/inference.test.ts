/** Inference on PyTorch's own Δ per pair of the golden data: 42 prompts, 4,096 latents. Needs ../shared. */
import { afterAll, describe, expect, it } from 'vitest';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { ranking } from '../../src/methods/attribution/attribute.ts';
import { clusteredDelta, clusteredErrors, splitHalf } from '../../src/methods/attribution/stability.ts';
import { falseDiscoveryRates } from '../../src/methods/statistics/falseDiscovery.ts';
import { generatorOf } from '../../src/methods/statistics/random.ts';
import { signFlips } from '../../src/methods/statistics/signFlips.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { toFloat32 } from '../../src/tensor.ts';
import { inShared, shared } from '../support/shared.ts';

const runtime = nodeRuntime();
afterAll(() => runtime.close());
const pairs = 42;
const clusters = Array.from({ length: pairs }, (_, p) => `${p}`);

async function golden() {
  const tensors = await openSafetensors(inShared('golden/attribution.safetensors'));
  const values = toFloat32(await readTensor(tensors.get('delta_per_pair.prompt')!));
  return clusteredDelta(values, clusters);
}

describe.skipIf(!shared)('needs ../shared: the golden Δ', () => {
  it('is sure of few latents, of the first not, and half of the prompts shares little with the other', async () => {
    const delta = await golden();
    const n = delta.latents;
    const alive = new Uint8Array(n).fill(1);
    const found = await signFlips(runtime, delta.sums, pairs, { seed: 0, included: alive });
    // seven by sign flips; by t tests of 41 degrees of freedom, whose tails are heavier, four
    const q = falseDiscoveryRates(found.p);
    const sure = [...q.keys()].filter((i) => q[i]! < 0.05);
    expect(sure.length).toBeGreaterThanOrEqual(4);
    expect(sure.length).toBeLessThanOrEqual(8);
    const means = Float32Array.from({ length: n }, (_, i) =>
      clusters.reduce((sum, _, p) => sum + delta.sums[p * n + i]! / pairs, 0),
    );
    const errors = clusteredErrors(delta);
    const byT = [...ranking(means.map((x, i) => Math.abs(x / errors[i]!)))].slice(0, 4);
    for (const latent of byT) expect(q[latent]).toBeLessThan(0.05);
    expect(ranking(means)[0]).toBe(3370);
    expect(found.maxP).toBeCloseTo(0.12, 1);
    const halves = splitHalf(delta, alive, { seed: 1, splits: 40 })!;
    expect(Math.abs(halves.overlap - 0.13)).toBeLessThan(0.02);
    expect(halves.chance).toBeGreaterThan(0.05);
  });

  it('with labels shuffled finds any latent in at most 5 % of 40 runs', async () => {
    const { sums, latents: all } = await golden();
    const n = 2048;
    const included = new Uint8Array(n).fill(1);
    let any = 0;
    for (let run = 0; run < 40; run++) {
      const random = generatorOf(1000 + run);
      const signs = clusters.map(() => (random.next() & 1 ? 1 : -1));
      // every other latent
      const shuffled = Float32Array.from(
        { length: pairs * n },
        (_, at) => signs[Math.floor(at / n)]! * sums[Math.floor(at / n) * all + 2 * (at % n)]!,
      );
      const { p } = await signFlips(runtime, shuffled, pairs, { seed: run, flips: 1000, included });
      if (falseDiscoveryRates(p).some((q) => q < 0.05)) any++;
    }
    expect(any / 40).toBeLessThanOrEqual(0.05);
  });
});
