/**
 * First order against what it approximates: the loss of the formulas' own forward pass, with each token's
 * projection on a direction moved a little towards the baseline's.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Contrast,
  contrastRows,
  type LossKind,
  lossKinds,
  type TokenSet,
  tokenSets,
} from '../../../src/methods/site/contrast.ts';
import { type SitePass, sitePass } from '../../../src/methods/site/siteGradient.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { greatest } from '../../support/close.ts';
import { madeDictionary, slowScore } from '../../support/directions.ts';
import { draw } from '../../support/opCases.ts';
import { slowHead, slowLosses, slowResiduals } from '../../support/slowLlama.ts';
import { normal, tinyModel } from '../../support/tinyModel.ts';

const tiny = tinyModel({ seed: 21, tied: true });
const d = tiny.config.hidden_size;
const layer = 1;
const baseline = normal(draw(22), [d], 1).data;
const dictionary = madeDictionary(6, d, 23);
const contrast: Contrast = {
  id: 'one',
  prompt: [3, 8, 1, 20],
  positives: [[5, 6, 7], [11]],
  negatives: [[2, 4], [9, 9, 9, 9], [12]],
};
const sides = [
  { completions: contrast.positives, sign: 1 },
  { completions: contrast.negatives, sign: -1 },
];

/** (a_t − ε ((a_t − ā)·x) x) at the tokens of the set. */
function ablated(a: readonly number[], x: Float32Array, epsilon: number): number[] {
  const projection = a.reduce((sum, v, i) => sum + (v - baseline[i]!) * x[i]!, 0);
  return a.map((v, i) => v - epsilon * projection * x[i]!);
}

/**
 * One completion's loss with the tokens of the set ablated by the share ε, over the number of those tokens.
 */
function lossOf(
  completion: readonly number[],
  latent: number,
  epsilon: number,
  set: TokenSet,
  loss: LossKind,
): number {
  const start = contrast.prompt.length;
  const ids = [...contrast.prompt, ...completion];
  const x = dictionary.directions.subarray(latent * d, (latent + 1) * d);
  const inSet = (t: number) => set === 'all' || t < start === (set === 'prompt');
  const moved = slowResiduals(tiny, ids)[layer]!.map((a, t) => (inSet(t) ? ablated(a, x, epsilon) : a));
  const nll = slowLosses(slowHead(tiny, layer, moved), ids, start);
  const total = nll.reduce((sum, v) => sum + v, 0);
  return (loss === 'mean' ? total / nll.length : total) / ids.filter((_, t) => inSet(t)).length;
}

/** Mean over pairs of positive minus negative. */
const contrastLoss = (latent: number, epsilon: number, set: TokenSet, loss: LossKind) =>
  sides.reduce((sum, { completions, sign }) => {
    const losses = completions.map((completion) => lossOf(completion, latent, epsilon, set, loss));
    return sum + (sign * losses.reduce((s, v) => s + v, 0)) / completions.length;
  }, 0);

describe('Δ predicts what removing a little of a direction does to the loss', () => {
  const runtime = nodeRuntime({ threads: 1 });
  let pass: SitePass;
  beforeAll(async () => {
    pass = await sitePass(runtime, tiny.model, layer);
  });
  afterAll(() => runtime.close());

  describe.each(tokenSets)('at the tokens of %s', (tokenSet) => {
    it.each(lossKinds)('for the %s of the loss: Δ is the derivative', async (loss) => {
      const rows = await contrastRows(pass, contrast, { baseline, tokenSet, loss });
      expect(rows.sinks).toBe(0);
      const h = 1e-4;
      const latents = [...Array(dictionary.latents).keys()];
      const predicted = latents.map((latent) => slowScore(rows, dictionary, latent));
      const measured = latents.map(
        (latent) =>
          (contrastLoss(latent, h, tokenSet, loss) - contrastLoss(latent, -h, tokenSet, loss)) / (2 * h),
      );
      // gradients in float32, differences in float64 with a truncation of h²
      for (const [i, delta] of predicted.entries())
        expect(Math.abs(delta - measured[i]!)).toBeLessThanOrEqual(1e-5 * greatest(predicted));
    });
  });

  it('the error is of second order: a tenth of the step leaves a hundredth of it', async () => {
    const rows = await contrastRows(pass, contrast, { baseline });
    const delta = slowScore(rows, dictionary, 0);
    const error = (epsilon: number) =>
      Math.abs(
        contrastLoss(0, epsilon, 'prompt', 'mean') - contrastLoss(0, 0, 'prompt', 'mean') - epsilon * delta,
      );
    const [large, small] = [error(0.05), error(0.005)];
    expect(large).toBeGreaterThan(1e-5 * Math.abs(delta));
    expect(large / small).toBeGreaterThan(80);
    expect(large / small).toBeLessThan(120);
  });

  it('its sign: a direction whose removal raises the positives’ loss and lowers the negatives’ has Δ > 0', async () => {
    const rows = await contrastRows(pass, contrast, { baseline });
    for (let latent = 0; latent < dictionary.latents; latent++) {
      const change = contrastLoss(latent, 1e-3, 'prompt', 'mean') - contrastLoss(latent, 0, 'prompt', 'mean');
      expect(Math.sign(slowScore(rows, dictionary, latent))).toBe(Math.sign(change));
    }
  });
});
