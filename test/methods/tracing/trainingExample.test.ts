/** Push against what it says: how a slow model's loss moves, in float64, when its residual stream is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenSets } from '../../../src/methods/site/contrast.ts';
import { type SitePass, sitePass } from '../../../src/methods/site/siteGradient.ts';
import { exampleAlong, readExample, tokensAlong } from '../../../src/methods/tracing/trainingExample.ts';
import { packTree } from '../../../src/models/tree.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { slowHead, slowLosses, slowResiduals } from '../../support/slowLlama.ts';
import { tinyModel } from '../../support/tinyModel.ts';

const layer = 1;
const tiny = tinyModel({ seed: 4 });
const width = tiny.config.hidden_size;
const prompt = [3, 7, 1, 12];
const completion = [5, 9, 2];
const ids = [...prompt, ...completion];
const tree = packTree(prompt, [completion]);
const direction = Float32Array.from({ length: width }, (_, i) => Math.sin(i + 1) / 3);
const baseline = Float32Array.from({ length: width }, (_, i) => Math.cos(i) / 10);
const runtime = nodeRuntime();
let pass: SitePass;
beforeAll(async () => {
  pass = await sitePass(runtime, tiny.model, layer);
});
afterAll(() => runtime.close());

const residuals = slowResiduals(tiny, ids)[layer]!;
const meanLoss = (rows: readonly (readonly number[])[]) => {
  const losses = slowLosses(
    slowHead(
      tiny,
      layer,
      rows.map((row) => [...row]),
    ),
    ids,
    prompt.length,
  );
  return losses.reduce((sum, x) => sum + x, 0) / losses.length;
};
/** The loss where `by` along the direction is added at the positions. */
const lossMoved = (by: number, positions: readonly number[]) =>
  meanLoss(
    residuals.map((row, t) => (positions.includes(t) ? row.map((x, i) => x + by * direction[i]!) : row)),
  );
const slope = (positions: readonly number[]) =>
  (lossMoved(1e-4, positions) - lossMoved(-1e-4, positions)) / 2e-4;

describe.each(tokenSets)('a training example over the tokens of set %s', (tokens) => {
  it('pushes as its loss falls along the direction, over all tokens and at each', async () => {
    const reading = await readExample(pass, tree, tokens);
    expect(reading.loss).toBeCloseTo(meanLoss(residuals), 5);
    const expected = ids.flatMap((_, t) =>
      tokens === 'all' || t < prompt.length === (tokens === 'prompt') ? [t] : [],
    );
    expect(reading.positions).toEqual(expected);
    for (const sign of [1, -1] as const) {
      const { push } = exampleAlong(reading, { direction, sign }, baseline);
      expect(push).toBeCloseTo(-sign * slope(expected), 5);
      expect(Math.abs(push)).toBeGreaterThan(1e-3);
      const each = tokensAlong(reading, { direction, sign }, baseline);
      for (const [r, t] of expected.entries()) expect(each[r]!.push).toBeCloseTo(-sign * slope([t]), 5);
    }
  });

  it('is as active as its tokens lie along the direction, from the baseline, in their mean', async () => {
    const reading = await readExample(pass, tree, tokens);
    const along = reading.positions.map((t) =>
      residuals[t]!.reduce((sum, x, i) => sum + (x - baseline[i]!) * direction[i]!, 0),
    );
    const mean = along.reduce((sum, x) => sum + x, 0) / along.length;
    expect(exampleAlong(reading, { direction, sign: -1 }, baseline).activation).toBeCloseTo(-mean, 5);
  });
});

it('leaves attention sinks out', async () => {
  const sink = {
    ...pass,
    run: async (...given: Parameters<SitePass['run']>) => {
      const found = await pass.run(...given);
      const activation = found.activation.slice();
      for (let i = 0; i < width; i++) activation[i] = 1000;
      return { ...found, activation };
    },
  };
  const reading = await readExample(sink, tree, 'all');
  expect(reading.positions).toEqual([1, 2, 3, 4, 5, 6]);
  expect(reading.gradient).toHaveLength(6 * width);
});
