/** Readings of completions against a forward pass written from the formulas, one sequence at a time. */
import { afterAll, describe, expect, it } from 'vitest';
import { coherenceFeatures, readingPass } from '../../../src/methods/judging/reading.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { expectClose } from '../../support/close.ts';
import { draw } from '../../support/opCases.ts';
import { slowHead, slowLosses, slowResiduals } from '../../support/slowLlama.ts';
import { randomIds, tinyModel } from '../../support/tinyModel.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

const tiny = tinyModel();
const d = draw(4);
const prompt = randomIds(d, 5, tiny);
const completions = [1, 6, 3].map((length) => randomIds(d, length, tiny));

/** Mean residual and mean log-probability of one completion behind its prompt. */
function slow(ids: readonly number[], layer: number) {
  const all = [...prompt, ...ids];
  const residuals = slowResiduals(tiny, all);
  const own = residuals[layer]!.slice(prompt.length);
  const mean = own[0]!.map((_, i) => own.reduce((sum, row) => sum + row[i]!, 0) / own.length);
  const logits = slowHead(tiny, layer, residuals[layer]!);
  const losses = slowLosses(logits, all, prompt.length);
  return { mean, logProbability: -losses.reduce((sum, loss) => sum + loss, 0) / losses.length };
}

describe.each([0, 1, 2])('at resid_post %i', (layer) => {
  it('each completion is read as if it stood alone', async () => {
    const pass = await readingPass(runtime, tiny.model, layer);
    const readings = await pass.read(prompt, completions);
    expect(readings).toHaveLength(3);
    for (const [i, reading] of readings.entries()) {
      const expected = slow(completions[i]!, layer);
      expectClose(reading.mean, expected.mean, 1e-5);
      expect(reading.logProbability).toBeCloseTo(expected.logProbability, 4);
    }
    await pass.release();
  });
});

it('more completions than one tree takes are read alike, in order', async () => {
  const pass = await readingPass(runtime, tiny.model, 1);
  const many = Array.from({ length: 12 }, (_, i) => completions[i % 3]!.concat(Array(100).fill(i)));
  const together = await pass.read(prompt, many);
  for (const [i, reading] of together.entries()) {
    const [alone] = await pass.read(prompt, [many[i]!]);
    expectClose(reading.mean, alone!.mean, 1e-5);
    expect(reading.logProbability).toBeCloseTo(alone!.logProbability, 4);
  }
  expect(await pass.read(prompt, [])).toEqual([]);
  await pass.release();
});

it('coherence is told by the mean residual and the log-probability behind it', () => {
  expect(coherenceFeatures({ mean: Float32Array.of(1, 2), logProbability: -3 })).toEqual(
    Float64Array.of(1, 2, -3),
  );
});

it('refuses a completion without tokens and a site that the model lacks', async () => {
  await expect(readingPass(runtime, tiny.model, 3)).rejects.toThrow('site resid_post 3');
  const pass = await readingPass(runtime, tiny.model, 0);
  await expect(pass.read(prompt, [[1], []])).rejects.toThrow(RangeError);
  await pass.release();
});
