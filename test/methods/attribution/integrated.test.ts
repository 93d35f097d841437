/**
 * Integrated gradients against the exact removal that they come to, by a rate that only the right way and the
 * right gradient give; first order against the rows that Δ is made of.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exactEffects } from '../../../src/methods/attribution/exact.ts';
import { removalPath } from '../../../src/methods/attribution/integrated.ts';
import { directionsOf } from '../../../src/methods/attribution/score.ts';
import { type Contrast, contrastRows, lossKinds, tokenSets } from '../../../src/methods/site/contrast.ts';
import { type SitePass, sitePass } from '../../../src/methods/site/siteGradient.ts';
import { type ForcedPass, forcedPass } from '../../../src/methods/steering/forced.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { madeDictionary, slowScore } from '../../support/directions.ts';
import { draw } from '../../support/opCases.ts';
import { normal, tinyModel } from '../../support/tinyModel.ts';

const tiny = tinyModel({ seed: 41 });
const d = tiny.config.hidden_size;
const layer = 1;
const baseline = normal(draw(42), [d], 1).data;
const dictionary = madeDictionary(6, d, 43);
const contrast: Contrast = {
  id: 'one',
  prompt: [1, 3, 8, 20],
  positives: [[5, 6, 7], [11]],
  negatives: [
    [2, 4],
    [9, 9, 9],
  ],
};

describe('removalPath', () => {
  const runtime = nodeRuntime({ threads: 1 });
  let gradients: SitePass;
  let forced: ForcedPass;
  beforeAll(async () => {
    gradients = await sitePass(runtime, tiny.model, layer);
    forced = await forcedPass(runtime, tiny.model, layer);
  });
  afterAll(() => runtime.close());

  it.each(tokenSets.flatMap((tokenSet) => lossKinds.map((loss) => [tokenSet, loss] as const)))(
    'comes to the exact removal over the tokens of %s, loss %s, with an error that falls as 1/steps²',
    async (tokenSet, loss) => {
      const options = { baseline, tokenSet, loss };
      const path = await removalPath(gradients, contrast, options);
      for (const latent of [0, 3]) {
        const direction = await directionsOf(dictionary, [latent]);
        const exact = (await exactEffects(forced, [contrast], dictionary, [latent], options)).contrast[0]!;
        const error = async (steps: number) => Math.abs((await path.integrated(direction, steps)) - exact);
        const [coarse, fine] = [await error(4), await error(32)];
        expect(Math.abs(path.firstOrder(direction) - exact)).toBeGreaterThan(0.03 * Math.abs(exact));
        // 64 times smaller, down to the rounding of losses
        expect(fine).toBeLessThan(Math.max(coarse / 25, 3e-6));
        expect(fine).toBeLessThan(3e-3 * Math.abs(exact) + 3e-6);
      }
    },
  );

  it('has the first order of Δ, a sum over the tokens of the prompt instead of a mean', async () => {
    const path = await removalPath(gradients, contrast, { baseline });
    const rows = await contrastRows(gradients, contrast, { baseline });
    for (const latent of [0, 1, 2, 3, 4, 5]) {
      const sum = path.firstOrder(await directionsOf(dictionary, [latent]));
      expect(sum).toBeCloseTo(contrast.prompt.length * slowScore(rows, dictionary, latent), 5);
    }
  });

  it('starts at first order: one step of a short way is its midpoint', async () => {
    const path = await removalPath(gradients, contrast, { baseline });
    const direction = await directionsOf(dictionary, [2]);
    // A direction of length ε goes a way of ε² ; its gradient is that of the start.
    const short = direction.map((x) => x * 1e-2);
    expect((await path.integrated(short, 1)) / path.firstOrder(short)).toBeCloseTo(1, 3);
  });
});
