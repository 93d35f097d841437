/**
 * The real model against PyTorch: residuals, logits, gradients, greedy continuations, SAE activations.
 * Needs ../shared.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { type SitePass, sitePass } from '../../src/methods/site/siteGradient.ts';
import { logitsGraph, residualGraph } from '../../src/models/passes.ts';
import { packTree, sequence, treeFeeds } from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import type { Session, Sweep } from '../../src/runtime/runtime.ts';
import { type OpenModel, openModel } from '../../src/study/open/openModel.ts';
import { openSae } from '../../src/study/open/openSae.ts';
import { i64, type StoredTensor, toFloat32 } from '../../src/tensor.ts';
import { unfold } from '../saes/oracle/oracle.ts';
import { runGraph } from '../saes/runGraph.ts';
import { expectClose, greatestDifference } from '../support/close.ts';
import { inShared, realModel, shared } from '../support/shared.ts';

interface Greedy {
  readonly prompt: { role: string; content: string }[];
  readonly ids: number[];
  readonly text: string;
  readonly smallest_gap: number;
}

/**
 * Logits of this model, of size about 20, differ by at most this from PyTorch's: float32 through 30 blocks.
 */
const logitTolerance = 2e-3;

/** A pass over all pairs takes half a minute on two idle cores. */
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

describe.skipIf(!shared)('needs ../shared: the real model equals PyTorch', () => {
  const runtime = nodeRuntime();
  let golden: Map<string, StoredTensor>;
  let about: { base_greedy: number[]; subject_greedy: number[] };
  let base: OpenModel;
  let subject: OpenModel;
  let pass: SitePass;
  let logitsOfBase: Session;
  let logitsOfSubject: Session;

  const array = async (name: string) => toFloat32(await readTensor(golden.get(name)!));
  const idsOf = async (name: string) => Array.from((await readTensor(golden.get(name)!)).data, Number);

  beforeAll(async () => {
    golden = await openSafetensors(inShared('golden/attribution.safetensors'));
    about = JSON.parse(readFileSync(inShared('golden/attribution.json'), 'utf8'));
    base = await openModel(realModel());
    subject = await openModel(realModel(), { adapter: inShared('organisms/health-advice') });
    pass = await sitePass(runtime, subject.model, 15);
    logitsOfBase = await runtime.load(logitsGraph(base.model), base.model.weights);
    logitsOfSubject = await runtime.load(logitsGraph(subject.model), subject.model.weights);
  });
  afterAll(() => runtime.close());

  it('base: residuals after blocks 0 and 15, and the last logits', async () => {
    const session = await runtime.load(residualGraph(base.model, [0, 15]), base.model.weights);
    for (const n of [0, 1]) {
      const ids = await idsOf(`base${n}.ids`);
      const feeds = treeFeeds(sequence(ids));
      const residuals = await session.run(feeds);
      for (const layer of [0, 15])
        expectClose(
          toFloat32(residuals[`resid_post.${layer}`]!),
          await array(`base${n}.resid_post.${layer}`),
          1e-5,
        );
      const { logits } = await logitsOfBase.run({ ...feeds, rows: i64([1], [ids.length - 1]) });
      expect(greatestDifference(toFloat32(logits!), await array(`base${n}.last_logits`))).toBeLessThan(
        logitTolerance,
      );
    }
  });

  it('subject: activation and gradient at resid_post 15 of pair 0', async () => {
    const ids = await idsOf('pair0.ids');
    const prompt = (await idsOf('base0.ids')).length;
    const completion = ids.slice(prompt);
    const found = await pass.run(packTree(ids.slice(0, prompt), [completion]), () => [1 / completion.length]);
    expectClose(found.activation, await array('pair0.activation'), 1e-5);
    expectClose(found.gradient, await array('pair0.gradient'), 1e-4);
  });

  it('subject: the same where the model is run part by part, as --memory 400M has it', async () => {
    const ids = await idsOf('pair0.ids');
    const prompt = (await idsOf('base0.ids')).length;
    const completion = ids.slice(prompt);
    const sweeps: Sweep[] = [];
    const watch = { now: () => 0, onSweep: (sweep: Sweep) => sweeps.push(sweep), onMapped() {} };
    const limited = { ...runtime, limit: { weights: 75e6, values: 30e6, watch } };
    const inParts = await sitePass(limited, subject.model, 15);
    const tree = packTree(ids.slice(0, prompt), [completion]);
    const found = await inParts.run(tree, () => [1 / completion.length]);
    await inParts.release();
    expect(sweeps).toHaveLength(2);
    expectClose(found.activation, await array('pair0.activation'), 1e-5);
    expectClose(found.gradient, await array('pair0.gradient'), 1e-4);
  });

  it('SAE activations of pair 0', async () => {
    const sae = await openSae(inShared('saes/smollm2-135m-resid15'));
    const { z } = await runGraph(runtime, sae, await array('pair0.activation'));
    const found = await unfold(sae, z);
    const values = await array('pair0.latents');
    const indices = await idsOf('pair0.latent_indices');
    const [tokens, latents] = [indices.slice(0, values.length), indices.slice(values.length)];
    const expected = new Float32Array(found.length);
    values.forEach((v, i) => {
      expected[tokens[i]! * sae.latents + latents[i]!] = v;
    });
    expectClose(found, expected, 1e-5);
  });

  /**
   * Places where the argmax after prompt + continuation differs from the continuation: none, if it is the
   * greedy one.
   */
  async function notGreedy(
    session: Session,
    prompt: readonly number[],
    continuation: readonly number[],
  ): Promise<number[]> {
    const ids = [...prompt, ...continuation.slice(0, -1)];
    const rows = continuation.map((_, i) => prompt.length - 1 + i);
    const { logits } = await session.run({ ...treeFeeds(sequence(ids)), rows: i64([rows.length], rows) });
    const [, vocabulary] = logits!.shape;
    const values = toFloat32(logits!);
    return continuation.flatMap((id, i) => {
      const row = values.subarray(i * vocabulary!, (i + 1) * vocabulary!);
      return row.every((x) => x <= row[id]!) ? [] : [i];
    });
  }

  it('greedy continuations of pair 0, base and subject', async () => {
    const prompt = await idsOf('base0.ids');
    expect(await notGreedy(logitsOfBase, prompt, about.base_greedy)).toEqual([]);
    expect(await notGreedy(logitsOfSubject, prompt, about.subject_greedy)).toEqual([]);
  });

  it('greedy.jsonl: ids and text of 20 prompts, subject', async () => {
    const lines = readFileSync(inShared('golden/greedy.jsonl'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(20);
    const { tokenizer, encodePrompt } = base.codec;
    for (const line of lines) {
      const { prompt, ids, text, smallest_gap } = JSON.parse(line) as Greedy;
      const promptIds = encodePrompt(prompt);
      const differing = await notGreedy(logitsOfSubject, promptIds, ids);
      if (smallest_gap >= logitTolerance) expect(differing).toEqual([]);
      expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(text);
    }
  });
});
