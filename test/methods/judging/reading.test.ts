/** Readings of completions against a forward pass written from the formulas, one sequence at a time. */
import { afterAll, describe, expect, it } from 'vitest';
import { promptMemory } from '../../../src/methods/judging/promptMemory.ts';
import { coherenceFeatures, readingPass } from '../../../src/methods/judging/reading.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
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
    const [readings] = await pass.read([{ prompt, completions }]);
    expect(readings).toHaveLength(3);
    for (const [i, reading] of readings!.entries()) {
      const expected = slow(completions[i]!, layer);
      expectClose(reading.mean, expected.mean, 1e-5);
      expect(reading.logProbability).toBeCloseTo(expected.logProbability, 4);
    }
    await pass.release();
  });
});

it('a reading is the same bits in any company, and when its prompt was read before', async () => {
  const pass = await readingPass(runtime, tiny.model, 1);
  const texts = Array.from({ length: 12 }, (_, i) => ({
    prompt: randomIds(d, 1 + ((7 * i) % 30), tiny),
    completions: Array.from({ length: 1 + (i % 3) }, (_, k) =>
      randomIds(d, k === 0 ? 1 + (i % 2) : 1 + ((13 * (i + k)) % 40), tiny),
    ),
  }));
  const together = await pass.read(texts);
  expect(await pass.read(texts.toReversed())).toEqual(together.toReversed());
  const fresh = await readingPass(runtime, tiny.model, 1);
  for (const [i, { prompt, completions }] of texts.entries())
    for (const [k, ids] of completions.entries()) {
      const [alone] = await fresh.read([{ prompt, completions: [ids] }]);
      expect(alone![0]).toEqual(together[i]![k]);
    }
  expect(await pass.read([{ prompt, completions: [] }])).toEqual([[]]);
  expect(await pass.read([])).toEqual([]);
  await Promise.all([pass.release(), fresh.release()]);
});

it('reads a prompt once, as long as there is room for it', async () => {
  const read: number[] = [];
  const counted: Runtime = {
    ...runtime,
    async load(graph, weights) {
      const session = await runtime.load(graph, weights);
      return {
        ...session,
        run(feeds) {
          read.push(feeds.ids!.shape[0]!);
          return session.run(feeds);
        },
      };
    },
  };
  const bytesEach =
    4 *
    (2 * tiny.model.decoder.blocks * 5 * tiny.config.num_key_value_heads * tiny.config.head_dim +
      tiny.config.vocab_size);
  const memory = await promptMemory(counted, tiny.model, 2 * bytesEach);
  const prompts = Array.from({ length: 3 }, () => randomIds(d, 5, tiny));
  const first = await memory.read([...prompts, prompts[0]!]);
  expect(read).toEqual([15]);
  expect(first[3]).toBe(first[0]);
  expect(await memory.read(prompts)).toEqual(first.slice(0, 3));
  expect(read).toEqual([15, 5]);
  await memory.release();
});

it('coherence is told by the mean residual and the log-probability behind it', () => {
  expect(coherenceFeatures({ mean: Float32Array.of(1, 2), logProbability: -3 })).toEqual(
    Float64Array.of(1, 2, -3),
  );
});

it('refuses texts without tokens and a site that the model lacks', async () => {
  await expect(readingPass(runtime, tiny.model, 3)).rejects.toThrow('site resid_post 3');
  const pass = await readingPass(runtime, tiny.model, 0);
  await expect(pass.read([{ prompt, completions: [[1], []] }])).rejects.toThrow(RangeError);
  await expect(pass.read([{ prompt: [], completions: [[1]] }])).rejects.toThrow(RangeError);
  await pass.release();
});
