/** δ token by token, against each completion run alone, and against the means that rank latents. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gramMatrix } from '../../../src/methods/attribution/score.ts';
import { tokenDeltas } from '../../../src/methods/attribution/tokenDeltas.ts';
import { type Contrast, contrastRows } from '../../../src/methods/site/contrast.ts';
import { type SitePass, sitePass } from '../../../src/methods/site/siteGradient.ts';
import { packTree } from '../../../src/models/tree.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { f32 } from '../../../src/tensor.ts';
import { greatest } from '../../support/close.ts';
import { draw } from '../../support/opCases.ts';
import { normal, tinyModel } from '../../support/tinyModel.ts';

const tiny = tinyModel();
const d = tiny.config.hidden_size;
/** Token 0 has a huge embedding, so that it is an attention sink wherever it stands. */
const table = tiny.weights.get('model.embed_tokens.weight')!;
tiny.weights.set(
  'model.embed_tokens.weight',
  f32(
    table.shape,
    table.data.map((x, i) => (i < d ? 400 * x : x)),
  ),
);
const baseline = normal(draw(5), [d], 1).data;
const n = 3;
const directions = normal(draw(6), [n, d], 0.25).data;
const given: Contrast = {
  id: 'made',
  prompt: [0, 4, 9, 17],
  positives: [[3, 8, 1], [22]],
  negatives: [[5, 0, 6, 2]],
};

const dot = (x: Float32Array, t: number, i: number, less?: Float32Array) => {
  let sum = 0;
  for (let j = 0; j < d; j++) sum += (x[t * d + j]! - (less ? less[j]! : 0)) * directions[i * d + j]!;
  return sum;
};

describe('tokenDeltas', () => {
  const runtime = nodeRuntime({ threads: 1 });
  let pass: SitePass;
  beforeAll(async () => {
    pass = await sitePass(runtime, tiny.model, 1);
  });
  afterAll(() => runtime.close());

  it.each(['mean', 'sum'] as const)(
    'equal each completion by itself, for the %s of the loss',
    async (loss) => {
      const { tree, delta } = await tokenDeltas(pass, given, directions, { baseline, loss });
      const completions = [...given.positives, ...given.negatives];
      const share = [1 / 2, 1 / 2, -1];
      const prompt = new Float64Array(given.prompt.length * n);
      for (const [b, completion] of completions.entries()) {
        const weight = loss === 'mean' ? 1 / completion.length : 1;
        const alone = await pass.run(packTree(given.prompt, [completion]), () => [weight]);
        const at = (t: number, i: number) =>
          -dot(alone.gradient, t, i) * dot(alone.activation, t, i, baseline);
        for (let i = 0; i < n; i++) {
          for (let t = 0; t < given.prompt.length; t++) prompt[t * n + i]! += share[b]! * at(t, i);
          completion.forEach((id, k) => {
            const found = delta[(tree.branches[b]!.start + k) * n + i]!;
            if (id === 0) expect(found).toBeNaN();
            // float32: a few 1e-6 of the greatest term
            else
              expect(Math.abs(found - at(given.prompt.length + k, i))).toBeLessThan(
                2e-5 * greatest(delta.filter(Number.isFinite)),
              );
          });
        }
      }
      for (let at = 0; at < prompt.length; at++) {
        if (at < n) expect(delta[at]).toBeNaN();
        else
          expect(Math.abs(delta[at]! - prompt[at]!)).toBeLessThan(
            2e-5 * greatest(delta.filter(Number.isFinite)),
          );
      }
    },
  );

  it('over the prompt have the contrast’s own Δ as their mean', async () => {
    const { delta } = await tokenDeltas(pass, given, directions, { baseline });
    const rows = await contrastRows(pass, given, { baseline });
    for (let i = 0; i < n; i++) {
      let ranked = 0;
      rows.tokens.forEach((_, row) => {
        ranked -= dot(rows.gradient, row, i) * dot(rows.centred, row, i);
      });
      const mean = [1, 2, 3].reduce((sum, t) => sum + delta[t * n + i]! / 3, 0);
      expect(Math.abs(mean - ranked)).toBeLessThan(1e-5 * greatest(delta.filter(Number.isFinite)));
    }
  });

  it('summed over a dictionary equal the sum over its latents', async () => {
    const dictionary = {
      width: d,
      latents: n,
      decoderRows: async (from: number, to: number) => directions.slice(from * d, to * d),
    };
    const gram = await gramMatrix(runtime, dictionary);
    const { tree, delta, total, nll } = await tokenDeltas(pass, given, directions, { baseline, gram });
    expect(total.length).toBe(tree.ids.length);
    for (let t = 0; t < total.length; t++) {
      const sum = [0, 1, 2].reduce((so, i) => so + delta[t * n + i]!, 0);
      if (Number.isNaN(sum)) expect(total[t]).toBeNaN();
      else expect(Math.abs(total[t]! - sum)).toBeLessThan(2e-5 * greatest(delta.filter(Number.isFinite)));
    }
    expect(nll.map((one) => one.length)).toEqual([3, 1, 4]);
  });

  it('takes whole directions only', async () => {
    await expect(tokenDeltas(pass, given, directions.subarray(1), { baseline })).rejects.toThrow(RangeError);
  });
});
