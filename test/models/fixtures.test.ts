/**
 * Families against transformers' numbers: logits, every resid_post, loss and gradient at every site. Needs
 * ../shared.
 */
import { readFileSync } from 'node:fs';
import { afterAll, describe, it } from 'vitest';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import type { Model } from '../../src/models/decoder.ts';
import { decoderOf } from '../../src/models/families.ts';
import { withLora } from '../../src/models/lora.ts';
import { gradientGraph, logitsGraph, residualGraph } from '../../src/models/passes.ts';
import { packTree, predictors, sequence, targets, treeFeeds } from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { f32, i64, type Tensor, toFloat32 } from '../../src/tensor.ts';
import { expectClose } from '../support/close.ts';
import { inShared, shared } from '../support/shared.ts';

/** float32 through three blocks of width 32, with sums of tens of terms: some 1e-6 of the greatest value. */
const tolerance = 1e-5;

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as unknown;

async function fixture(family: string): Promise<Model> {
  const folder = inShared('fixtures/models', family);
  return {
    decoder: decoderOf(json(`${folder}/config.json`), `${family}/config.json`),
    weights: await openSafetensors(folder),
    updates: new Map(),
    where: family,
  };
}

async function goldens(path: string): Promise<(name: string) => Promise<Tensor>> {
  const tensors = await openSafetensors(path);
  return async (name) => readTensor(tensors.get(name)!);
}

/** Row b of a [B, ...] tensor. */
function row(t: Tensor, b: number): Float32Array {
  const size = t.data.length / t.shape[0]!;
  return toFloat32(t).subarray(b * size, (b + 1) * size);
}

describe.skipIf(!shared)('needs ../shared: model fixtures', () => {
  const runtime = nodeRuntime({ threads: 2 });
  afterAll(() => runtime.close());

  async function load(graph: ReturnType<typeof logitsGraph>, model: Model) {
    return runtime.load(graph, model.weights);
  }

  describe.each(['llama', 'llama3'])('%s', (family) => {
    it('logits and every resid_post', async () => {
      const model = await fixture(family);
      const golden = await goldens(inShared('fixtures/models', family, 'golden.safetensors'));
      const ids = await golden('input_ids');
      const width = ids.shape[1]!;
      const layers = [...Array(model.decoder.blocks).keys()];
      const logits = await load(logitsGraph(model), model);
      const residuals = await load(residualGraph(model, layers), model);
      for (let b = 0; b < ids.shape[0]!; b++) {
        const tokens = Array.from(ids.data.subarray(b * width, (b + 1) * width), Number);
        const feeds = treeFeeds(sequence(tokens));
        const found = await residuals.run(feeds);
        for (const layer of layers)
          expectClose(
            toFloat32(found[`resid_post.${layer}`]!),
            row(await golden(`resid_post.${layer}`), b),
            tolerance,
          );
        const out = await logits.run({ ...feeds, rows: i64([width], [...tokens.keys()]) });
        expectClose(toFloat32(out.logits!), row(await golden('logits'), b), tolerance);
      }
    });

    it('loss and gradient at every site', async () => {
      const model = await fixture(family);
      const golden = await goldens(inShared('fixtures/models', family, 'golden.safetensors'));
      const ids = await golden('input_ids');
      const prompt = Number((await golden('prompt_length')).data[0]);
      const width = ids.shape[1]!;
      for (let layer = 0; layer < model.decoder.blocks; layer++) {
        const below = await load(residualGraph(model, [layer]), model);
        const above = await load(gradientGraph(model, layer), model);
        for (let b = 0; b < ids.shape[0]!; b++) {
          const tokens = Array.from(ids.data.subarray(b * width, (b + 1) * width), Number);
          const tree = packTree(tokens.slice(0, prompt), [tokens.slice(prompt)]);
          const feeds = treeFeeds(tree);
          const rows = predictors(tree);
          const resid = (await below.run(feeds))[`resid_post.${layer}`]!;
          const { nll, grad } = await above.run({
            ...feeds,
            resid,
            rows: i64([rows.length], rows),
            targets: i64([rows.length], targets(tree)),
            weights: f32(
              [rows.length, 1],
              rows.map(() => 1),
            ),
          });
          const loss = toFloat32(nll!).reduce((sum, x) => sum + x, 0);
          expectClose([loss], row(await golden('loss'), b), tolerance);
          expectClose(toFloat32(grad!), row(await golden(`grad.${layer}`), b), tolerance);
        }
      }
    });
  });

  it('llama with a LoRA adapter', async () => {
    const base = await fixture('llama');
    const folder = inShared('fixtures/models/llama/adapter');
    const tensors = await openSafetensors(`${folder}/adapter_model.safetensors`);
    const model = withLora(base, json(`${folder}/adapter_config.json`), tensors, 'adapter');
    const ids = await (await goldens(inShared('fixtures/models/llama/golden.safetensors')))('input_ids');
    const expected = await (await goldens(`${folder}/golden.safetensors`))('logits');
    const session = await load(logitsGraph(model), model);
    const width = ids.shape[1]!;
    for (let b = 0; b < ids.shape[0]!; b++) {
      const tokens = Array.from(ids.data.subarray(b * width, (b + 1) * width), Number);
      const { logits } = await session.run({
        ...treeFeeds(sequence(tokens)),
        rows: i64([width], [...tokens.keys()]),
      });
      expectClose(toFloat32(logits!), row(expected, b), tolerance);
    }
  });
});
