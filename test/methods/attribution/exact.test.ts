/**
 * Exact ablation against the loss of the formulas' own forward pass, and against what first order makes of
 * small steps.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { exactEffects } from '../../../src/methods/attribution/exact.ts';
import { type Contrast, contrastRows, type TokenSet, tokenSets } from '../../../src/methods/site/contrast.ts';
import { type SitePass, sitePass } from '../../../src/methods/site/siteGradient.ts';
import { type ForcedPass, forcedPass } from '../../../src/methods/steering/forced.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { f32 } from '../../../src/tensor.ts';
import { expectClose } from '../../support/close.ts';
import { madeDictionary, slowScore } from '../../support/directions.ts';
import { draw } from '../../support/opCases.ts';
import { slowHead, slowLosses, slowResiduals } from '../../support/slowLlama.ts';
import { normal, tinyModel } from '../../support/tinyModel.ts';

const tiny = tinyModel({ seed: 41 });
const d = tiny.config.hidden_size;
const layer = 1;
/** Token 0 has a huge embedding, so that it is an attention sink wherever it stands. */
const table = tiny.weights.get('model.embed_tokens.weight')!;
tiny.weights.set(
  'model.embed_tokens.weight',
  f32(
    table.shape,
    table.data.map((x, i) => (i < d ? 400 * x : x)),
  ),
);
const baseline = normal(draw(42), [d], 1).data;
const dictionary = madeDictionary(6, d, 43);
const latents = [4, 0, 5, 2];
const contrasts: readonly Contrast[] = [
  {
    id: 'one',
    prompt: [0, 3, 8, 1, 20],
    positives: [[5, 6, 7], [11]],
    negatives: [
      [2, 4],
      [9, 0, 9, 9],
    ],
  },
  { id: 'two', prompt: [7, 7, 0, 2], positives: [[13, 14]], negatives: [[15], [16, 17], [18, 19, 3]] },
];

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

/**
 * Mean loss of a completion, the projection on the latent replaced at the tokens of the set but token 0; or
 * as it is.
 */
function slowLoss(prompt: readonly number[], completion: readonly number[], set: TokenSet, latent?: number) {
  const ids = [...prompt, ...completion];
  const inSet = (t: number) => ids[t] !== 0 && (set === 'all' || t < prompt.length === (set === 'prompt'));
  const x = dictionary.directions.subarray((latent ?? 0) * d, ((latent ?? 0) + 1) * d);
  const moved = slowResiduals(tiny, ids)[layer]!.map((a, t) => {
    if (latent === undefined || !inSet(t)) return a;
    const excess = a.reduce((sum, v, i) => sum + (v - baseline[i]!) * x[i]!, 0);
    return a.map((v, i) => v - excess * x[i]!);
  });
  return mean(slowLosses(slowHead(tiny, layer, moved), ids, prompt.length));
}

function slowEffect({ prompt, positives, negatives }: Contrast, set: TokenSet, latent: number): number {
  const rise = (completion: readonly number[]) =>
    slowLoss(prompt, completion, set, latent) - slowLoss(prompt, completion, set);
  return mean(positives.map(rise)) - mean(negatives.map(rise));
}

describe('exactEffects', () => {
  const runtime = nodeRuntime({ threads: 1 });
  let pass: ForcedPass;
  let gradients: SitePass;
  beforeAll(async () => {
    pass = await forcedPass(runtime, tiny.model, layer);
    gradients = await sitePass(runtime, tiny.model, layer);
  });
  afterAll(() => runtime.close());

  it.each(tokenSets)('equals its definition over the tokens of %s', async (tokenSet) => {
    const found = await exactEffects(pass, contrasts, dictionary, latents, { baseline, tokenSet });
    const expected = latents.map((latent) =>
      contrasts.map((contrast) => slowEffect(contrast, tokenSet, latent)),
    );
    // losses of a few nats in float32
    expectClose(found.perContrast, expected.flat(), 1e-5);
    expectClose(found.contrast, expected.map(mean), 1e-5);
  });

  it('first order is its limit: a tenth of the distance to the baseline leaves a hundredth of the error', async () => {
    const contrast: Contrast = { id: 'x', prompt: [8], positives: [[5, 6], [3]], negatives: [[2, 4, 6]] };
    const activation = (await pass.prepare(contrast)).activation.subarray(0, d);
    const error = async (epsilon: number) => {
      const near = activation.map((a, i) => a - epsilon * baseline[i]!);
      const rows = await contrastRows(gradients, contrast, { baseline: near });
      const exact = await exactEffects(pass, [contrast], dictionary, [1], { baseline: near });
      const first = slowScore(rows, dictionary, 1);
      expect(Math.abs(exact.contrast[0]! - first)).toBeLessThan(epsilon * 5 * Math.abs(first));
      return Math.abs(exact.contrast[0]! - first);
    };
    const [large, small] = [await error(0.3), await error(0.03)];
    expect(large).toBeGreaterThan(1e-4);
    expect(large / small).toBeGreaterThan(70);
    expect(large / small).toBeLessThan(140);
  });

  it('tells of each contrast done, and takes prompt by default', async () => {
    let done = 0;
    const found = await exactEffects(pass, contrasts, dictionary, [1], { baseline }, () => done++);
    expect(done).toBe(2);
    const prompt = await exactEffects(pass, contrasts, dictionary, [1], { baseline, tokenSet: 'prompt' });
    expect(found).toEqual(prompt);
  });

  it('needs contrasts, and tokens of the set', async () => {
    await expect(exactEffects(pass, [], dictionary, [1], { baseline })).rejects.toThrow(/no contrasts/);
    const empty = { ...contrasts[0]!, positives: [[0]] };
    const attempt = exactEffects(pass, [empty], dictionary, [1], { baseline, tokenSet: 'completion' });
    await expect(attempt).rejects.toThrow(InputError);
    await expect(attempt).rejects.toThrow("pair one: no token of the set 'completion' is left");
  });
});
