/**
 * Steered logits on the real model against PyTorch's, through the cache that generates; and rows that do
 * not know of one another. Needs ../shared.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { encodePair, readPairs } from '../../src/files/pairs.ts';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { type Completion, type SampleJob, sampler } from '../../src/methods/completions/sample.ts';
import { residualPass } from '../../src/methods/site/residuals.ts';
import { lowerMedian, rowNorms } from '../../src/methods/site/sinks.ts';
import { combined } from '../../src/methods/steering/steer.ts';
import { decodingGraph } from '../../src/models/decoding.ts';
import { sequence, treeMask } from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { type OpenModel, openModel } from '../../src/study/open/openModel.ts';
import { openSae } from '../../src/study/open/openSae.ts';
import { f32, i64, tensor, toFloat32 } from '../../src/tensor.ts';
import { greatestDifference } from '../support/close.ts';
import { inShared, realModel, shared } from '../support/shared.ts';

/** float32 through 30 blocks: what unsteered logits differ by (engine.test.ts) */
const logitTolerance = 2e-3;
const layer = 15;

vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

describe.skipIf(!shared)('needs ../shared: steering at resid_post 15', () => {
  const runtime = nodeRuntime();
  let subject: OpenModel;
  let prompts: number[][];
  const direction = async (latent: number) =>
    (await openSae(inShared('saes/smollm2-135m-resid15'))).decoderRows(latent, latent + 1);

  beforeAll(async () => {
    subject = await openModel(realModel(), { adapter: inShared('organisms/health-advice') });
    const lines = readFileSync(inShared('golden/greedy.jsonl'), 'utf8').trim().split('\n');
    prompts = lines.map((line) => subject.codec.encodePrompt(JSON.parse(line).prompt));
  });
  afterAll(() => runtime.close());

  it('gives the logits of PyTorch: six doses of three latents, at every token of pair 0', async () => {
    const { model, codec } = subject;
    const golden = await openSafetensors(inShared('golden/attribution.safetensors'));
    const meta = JSON.parse(readFileSync(inShared('golden/attribution.json'), 'utf8')) as {
      steer: [latent: number, alpha: number, loss: number][];
      steer_norm: number;
    };
    const [pair] = await readPairs(inShared('golden/pairs.jsonl'));
    const { promptIds, positiveIds } = encodePair(codec, pair!);
    const ids = [...promptIds, ...positiveIds];
    const pass = await residualPass(runtime, model, layer);
    const { activation } = await pass.run(ids);
    const norm = lowerMedian(rowNorms(activation, model.decoder.width));
    expect(norm / meta.steer_norm).toBeCloseTo(1, 5);
    const { graph, caches } = decodingGraph(model, { places: ids.length, steerAt: layer });
    const buffers = caches.map(({ input, output, heads, width }) => ({
      input,
      output,
      row: [heads, ids.length, width] as const,
    }));
    const session = await runtime.loadCached(graph, model.weights, buffers, 1);
    expect(meta.steer).toHaveLength(6);
    for (const [latent, alpha] of meta.steer) {
      const { add } = combined([{ kind: 'add', direction: await direction(latent), amount: alpha * norm }]);
      const found = await session.run(
        {
          ids: i64([1, ids.length], ids),
          positions: f32([ids.length, 1], [...ids.keys()]),
          past: tensor('f32', [1, ids.length], new Float32Array(ids.length).fill(Number.NEGATIVE_INFINITY)),
          fresh: treeMask(sequence(ids)),
          ends: i64([1], [ids.length - 1]),
          inverseTemperature: f32([1, 1], [1]),
          steer: f32([1, add.length], [...add]),
        },
        { first: 0, count: 1, starts: [0] },
        ['logits'],
      );
      const expected = toFloat32(await readTensor(golden.get(`steer.${latent}.${alpha}.logits`)!));
      expect(greatestDifference(toFloat32(found.logits!), expected)).toBeLessThan(logitTolerance);
    }
    await session.release();
    await pass.release();
  });

  it('64 rows, each its own latent, dose, kind and prompt, give what each gives alone', async () => {
    const { model, codec } = subject;
    const capacity = Math.max(...prompts.map(({ length }) => length)) + 16;
    const jobs: SampleJob[] = await Promise.all(
      Array.from({ length: 64 }, async (_, i) => {
        const d = await direction(61 * i + 7);
        const amount = (i % 2 ? 1 : -1) * (5 + i);
        const steer = combined(
          i % 4 === 3
            ? [{ kind: 'set', direction: d, value: amount }]
            : [{ kind: 'add', direction: d, amount }],
          i % 8 === 5 ? 'completion' : 'all',
        );
        return { prompt: prompts[i % prompts.length]!, seeds: [i], steer };
      }),
    );
    const made = await sampler(runtime, model, { rows: 64, capacity, steerAt: layer, projections: 1 });
    const greedy = async (given: readonly SampleJob[]) => {
      const found: Completion[] = [];
      await made.sample(
        given,
        { temperature: 0, maxTokens: 16, endIds: codec.endOfTurnIds },
        (job, _, sampled) => {
          found[job] = sampled;
        },
      );
      return found;
    };
    const together = await greedy(jobs);
    expect(new Set(together.map(({ ids }) => ids.join())).size).toBeGreaterThan(40);
    // one that adds at all tokens, one at the completion's, one that sets; a row alone takes as long as all
    for (const i of [0, 5, 63]) expect((await greedy([jobs[i]!]))[0]).toEqual(together[i]);
    await made.release();
  });
});
