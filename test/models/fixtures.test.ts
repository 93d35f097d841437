/**
 * Families against transformers' numbers: logits, every resid_post, loss and gradient at every site; and generation
 * over a cache against the model without one. Needs ../shared.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { sampler } from '../../src/methods/completions/sample.ts';
import type { Model } from '../../src/models/decoder.ts';
import { decoderOf } from '../../src/models/families.ts';
import { withLora } from '../../src/models/lora.ts';
import { gradientGraph, logitsGraph, residualGraph } from '../../src/models/passes.ts';
import { trainingGraph } from '../../src/models/training.ts';
import {
  packTree,
  placesOf,
  predictors,
  sequence,
  targets,
  treeFeeds,
  treeMask,
} from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { evaluate } from '../../src/runtime/reference.ts';
import { f32, i64, type Tensor, toFloat32 } from '../../src/tensor.ts';
import { expectClose } from '../support/close.ts';
import {
  fixtureConfig,
  fixtureFamilies,
  fixtureModel,
  fixtureNumbers,
  jsonAt,
} from '../support/modelFixtures.ts';
import { inShared, shared } from '../support/shared.ts';

/** float32 through three blocks of width 32, with sums of tens of terms: some 1e-6 of the greatest value. */
const tolerance = 1e-5;

describe.skipIf(!shared)('needs ../shared: model fixtures', () => {
  const runtime = nodeRuntime({ threads: 1 });
  afterAll(() => runtime.close());

  const logitsOf = async (model: Model, rows: readonly (readonly number[])[]) => {
    const session = await runtime.load(logitsGraph(model), model.weights);
    const found: Float32Array[] = [];
    for (const ids of rows) {
      const feeds = { ...treeFeeds(sequence(ids)), rows: i64([ids.length], [...ids.keys()]) };
      found.push(toFloat32((await session.run(feeds)).logits!).slice());
    }
    await session.release();
    return found;
  };

  describe.each(fixtureFamilies)('%s', (family) => {
    it('logits and every resid_post', async () => {
      const [model, golden] = [await fixtureModel(family), await fixtureNumbers(family)];
      const layers = [...Array(model.decoder.blocks).keys()];
      const residuals = await runtime.load(residualGraph(model, layers), model.weights);
      for (const [b, ids] of golden.rows.entries()) {
        const found = await residuals.run(treeFeeds(sequence(ids)));
        for (const layer of layers)
          expectClose(
            toFloat32(found[`resid_post.${layer}`]!),
            golden.of(`resid_post.${layer}`, b),
            tolerance,
          );
      }
      for (const [b, logits] of (await logitsOf(model, golden.rows)).entries())
        expectClose(logits, golden.of('logits', b), tolerance);
    });

    it('loss and gradient at every site', async () => {
      const [model, golden] = [await fixtureModel(family), await fixtureNumbers(family)];
      for (let layer = 0; layer < model.decoder.blocks; layer++) {
        const below = await runtime.load(residualGraph(model, [layer]), model.weights);
        const above = await runtime.load(gradientGraph(model, layer), model.weights);
        for (const [b, ids] of golden.rows.entries()) {
          const tree = packTree(ids.slice(0, golden.prompt), [ids.slice(golden.prompt)]);
          const feeds = treeFeeds(tree);
          const rows = predictors(tree);
          const { nll, grad } = await above.run({
            ...feeds,
            resid: (await below.run(feeds))[`resid_post.${layer}`]!,
            rows: i64([rows.length], rows),
            targets: i64([rows.length], targets(tree)),
            weights: f32([rows.length, 1], Array(rows.length).fill(1)),
          });
          const loss = toFloat32(nll!).reduce((sum, x) => sum + x, 0);
          expectClose([loss], golden.of('loss', b), tolerance);
          expectClose(toFloat32(grad!), golden.of(`grad.${layer}`, b), tolerance);
        }
      }
    });

    it('grows a completion over a cache as without one', async () => {
      const { rows, prompt } = await fixtureNumbers(family);
      const model = {
        ...(await fixtureModel(family)),
        decoder: decoderOf(fixtureConfig(family), family),
      };
      const made = await sampler(runtime, model, { rows: 2, capacity: 24 });
      const completions: { ids: number[]; logProbabilities: number[] }[] = [];
      const jobs = rows.map((ids) => ({ prompt: ids.slice(0, prompt), seeds: [1] }));
      await made.sample(jobs, { temperature: 0, maxTokens: 16, endIds: [] }, (job, _, one) => {
        completions[job] = one;
      });
      await made.release();
      for (const [job, { ids, logProbabilities }] of completions.entries()) {
        const [logits] = await logitsOf(model, [[...jobs[job]!.prompt, ...ids]]);
        const expected = ids.map((id, i) => {
          const row = logits!.subarray((prompt - 1 + i) * 96, (prompt + i) * 96);
          const greatest = Math.max(...row);
          expect(row[id]! - greatest).toBeGreaterThan(-1e-4);
          return row[id]! - greatest - Math.log(row.reduce((sum, x) => sum + Math.exp(x - greatest), 0));
        });
        expectClose(logProbabilities, expected, 1e-4);
      }
    });
  });

  it.each(['gemma2', 'gemma3', 'gpt_neox', 'granite', 'mistral', 'phi3'] as const)(
    '%s: the loss that training minimises, of two sequences at once',
    async (family) => {
      const [model, golden] = [await fixtureModel(family), await fixtureNumbers(family)];
      const length = golden.rows[0]!.length;
      const { graph } = trainingGraph(model, { sequences: 2, length }, (name) =>
        name.endsWith('norm.weight'),
      );
      const targets = golden.rows.flatMap((ids) => [...ids.slice(1), 0]);
      const inCompletion = (place: number) => place >= golden.prompt - 1 && place < length - 1;
      const places = golden.rows.flatMap((ids) => [...ids.keys()]);
      const weights = places.map((place) => Number(inCompletion(place)));
      const { loss } = evaluate(
        { outputs: { loss: graph.outputs.loss! } },
        model.weights as ReadonlyMap<string, Tensor>,
        {
          ...Object.fromEntries(model.weights as ReadonlyMap<string, Tensor>),
          ids: i64([2 * length], golden.rows.flat()),
          targets: i64([2 * length], targets),
          positions: f32([2 * length, 1], places),
          mask: treeMask(sequence(golden.rows[0]!)),
          weights: f32([2 * length, 1], weights),
        },
      );
      const expected = golden.of('loss', 0)[0]! + golden.of('loss', 1)[0]!;
      expectClose(loss!.data as Float64Array, [expected], tolerance);
    },
  );

  it.each(['gemma2', 'gemma3', 'gpt2', 'gpt_neox', 'mistral'] as const)(
    '%s: completions packed behind one prompt are as each alone',
    async (family) => {
      const { rows } = await fixtureNumbers(family);
      const model = { ...(await fixtureModel(family)), decoder: decoderOf(fixtureConfig(family), family) };
      const prompt = rows[0]!.slice(0, 8);
      const completions = [rows[0]!.slice(8), rows[1]!.slice(4, 15)];
      const tree = packTree(prompt, completions);
      const session = await runtime.load(residualGraph(model, [2]), model.weights);
      const residual = async (of: typeof tree) =>
        toFloat32((await session.run(treeFeeds(of)))['resid_post.2']!).slice();
      const packed = await residual(tree);
      for (const [branch, completion] of completions.entries()) {
        const alone = await residual(sequence([...prompt, ...completion]));
        const own = placesOf(tree, branch).flatMap((t) => [...packed.subarray(t * 32, (t + 1) * 32)]);
        expectClose(own, alone, tolerance);
      }
    },
  );

  it('llama with a LoRA adapter', async () => {
    const base = await fixtureModel('llama');
    const folder = inShared('fixtures/models/llama/adapter');
    const tensors = await openSafetensors(`${folder}/adapter_model.safetensors`);
    const model = withLora(base, jsonAt(`${folder}/adapter_config.json`), tensors, 'adapter');
    const expected = await openSafetensors(`${folder}/golden.safetensors`);
    const all = toFloat32(await readTensor(expected.get('logits')!));
    const found = await logitsOf(model, (await fixtureNumbers('llama')).rows);
    for (const [b, logits] of found.entries())
      expectClose(logits, all.subarray(b * logits.length, (b + 1) * logits.length), tolerance);
  });
});
