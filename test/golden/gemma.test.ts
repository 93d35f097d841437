/**
 * Gemma 3 270M, from its GGUF alone, against PyTorch: token ids, residuals, logits, loss, gradients, greedy
 * continuations. Needs ../shared.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { sampler } from '../../src/methods/completions/sample.ts';
import { sitePass } from '../../src/methods/site/siteGradient.ts';
import { logitsGraph, residualGraph } from '../../src/models/passes.ts';
import { packTree, sequence, treeFeeds } from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { type OpenModel, openModel } from '../../src/study/open/openModel.ts';
import { i64, type StoredTensor, toFloat32 } from '../../src/tensor.ts';
import { expectClose, greatestDifference } from '../support/close.ts';
import { inShared, shared } from '../support/shared.ts';

/** Dequantising, the tokenizer's merges, and a text of 952 tokens take minutes on two busy cores. */
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });

const lines = <T>(name: string): T[] =>
  readFileSync(inShared('golden/gemma', name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

interface Greedy {
  readonly prompt: string;
  readonly prompt_ids: number[];
  readonly ids: number[];
}

const sites = [5, 9, 12];

describe.skipIf(!shared)('needs ../shared: Gemma 3 270M equals PyTorch', () => {
  const runtime = nodeRuntime();
  let golden: Map<string, StoredTensor>;
  let about: Record<string, string | number>;
  let opened: OpenModel;

  beforeAll(async () => {
    golden = await openSafetensors(inShared('golden/gemma/golden.safetensors'));
    about = JSON.parse(readFileSync(inShared('golden/gemma/golden.json'), 'utf8'));
    opened = await openModel(execFileSync(inShared('get-gemma'), { encoding: 'utf8' }).trim());
  });
  afterAll(() => runtime.close());

  const array = async (name: string) => toFloat32(await readTensor(golden.get(name)!));
  const idsOf = async (name: string) => Array.from((await readTensor(golden.get(name)!)).data, Number);
  /** Of the values of all tokens those of the last, as many as the golden ones. */
  const last = (values: Float32Array, like: Float32Array) => values.subarray(values.length - like.length);

  it('token ids of 300 texts', () => {
    const differ = lines<{ text: string; ids: number[] }>('tokens.jsonl').filter(
      ({ text, ids }) => opened.codec.encodePrompt(text).join() !== ids.join(),
    );
    expect(differ).toEqual([]);
  });

  it.each([0, 1, 2])('residuals at three sites and the last logits of text %d', async (n) => {
    const { model, codec } = opened;
    const ids = await idsOf(`text${n}.ids`);
    expect(codec.encodePrompt(String(about[`text${n}`]))).toEqual(ids);
    const feeds = treeFeeds(sequence(ids));
    const session = await runtime.load(residualGraph(model, sites), model.weights);
    const residuals = await session.run(feeds);
    await session.release();
    for (const layer of sites) {
      const expected = await array(`text${n}.resid${layer}`);
      expectClose(last(toFloat32(residuals[`resid_post.${layer}`]!), expected), expected, 1e-5);
    }
    const head = await runtime.load(logitsGraph(model), model.weights);
    const { logits } = await head.run({ ...feeds, rows: i64([1], [ids.length - 1]) });
    await head.release();
    expect(greatestDifference(toFloat32(logits!), await array(`text${n}.last_logits`))).toBeLessThan(1e-4);
  });

  /**
   * The first text has six tokens, and its residual grows to 1e5: PyTorch's own float32 gradients are 0.9e-4 of the
   * greatest away from those it gives in float64, ours 1.7e-4.
   */
  it.each([
    [0, 2e-4],
    [1, 1e-4],
  ])('the loss and its gradient at three sites of text %d', async (n, tolerance) => {
    const { model } = opened;
    const [first, ...completion] = await idsOf(`text${n}.ids`);
    for (const layer of sites) {
      const pass = await sitePass(runtime, model, layer);
      const found = await pass.run(packTree([first!], [completion]), () => [1 / completion.length]);
      await pass.release();
      const loss = found.nll[0]!.reduce((sum, x) => sum + x, 0) / completion.length;
      expect(Math.abs(loss - Number(about[`text${n}.loss`]))).toBeLessThan(1e-4);
      const expected = await array(`text${n}.grad${layer}`);
      expectClose(last(found.gradient, expected), expected, tolerance);
    }
  });

  it('greedy continuations of twelve prompts', async () => {
    const expected = lines<Greedy>('greedy.jsonl');
    for (const { prompt, prompt_ids } of expected)
      expect(opened.codec.encodePrompt(prompt)).toEqual(prompt_ids);
    const made = await sampler(runtime, opened.model, { rows: 12, capacity: 64 });
    const found: number[][] = [];
    const jobs = expected.map(({ prompt_ids }) => ({ prompt: prompt_ids, seeds: [0] }));
    await made.sample(jobs, { temperature: 0, maxTokens: 24, endIds: [1] }, (job, _, { ids }) => {
      found[job] = ids;
    });
    await made.release();
    expect(found).toEqual(expected.map(({ ids }) => ids));
  });
});
