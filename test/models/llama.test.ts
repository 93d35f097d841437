/** The Llama family against a forward pass written from the formulas. */
import { afterAll, describe, it } from 'vitest';
import { gradientGraph, logitsGraph, residualGraph } from '../../src/models/passes.ts';
import { packTree, predictors, sequence, targets, treeFeeds } from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { evaluate } from '../../src/runtime/reference.ts';
import { f32, i64, type Tensor, tensor, toFloat32 } from '../../src/tensor.ts';
import { expectClose } from '../support/close.ts';
import { draw } from '../support/opCases.ts';
import { slowHead, slowLosses, slowResiduals } from '../support/slowLlama.ts';
import { randomIds, ropeVariants, type Tiny, tinyModel } from '../support/tinyModel.ts';

/** float32 through three blocks, with sums of tens of terms: some 1e-6 of the greatest value. */
const single = 1e-5;
/**
 * both in float64; a rope frequency may round to the neighbouring float32 (6e-8), and is multiplied by the
 * position
 */
const double = 1e-6;

const variants: Record<string, Tiny> = {
  'untied, default rope': tinyModel(),
  'tied, linear rope': tinyModel({ seed: 2, tied: true, config: { rope_scaling: ropeVariants.linear } }),
  'llama3 rope, biases': tinyModel({ seed: 3, biases: true, config: { rope_scaling: ropeVariants.llama3 } }),
  'rope with a divisor a frequency': tinyModel({ seed: 9, config: { rope_scaling: ropeVariants.factors } }),
  'one key and value head': tinyModel({ seed: 4, config: { num_key_value_heads: 1 } }),
  'a key and value head for each query': tinyModel({ seed: 5, config: { num_key_value_heads: 4 } }),
  'heads of width 6': tinyModel({ seed: 6, config: { head_dim: 6 } }),
  'heads of width 2': tinyModel({ seed: 7, config: { head_dim: 2 } }),
  'theta and scaling in rope_parameters': tinyModel({
    seed: 8,
    config: {
      rope_theta: 50,
      rope_parameters: { ...ropeVariants.llama3, rope_theta: 50 },
      rope_scaling: ropeVariants.llama3,
    },
  }),
};

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

function lossFeeds(ids: readonly number[], prompt: number): Record<string, Tensor> {
  const tree = packTree(ids.slice(0, prompt), [ids.slice(prompt)]);
  const rows = predictors(tree);
  return {
    ...treeFeeds(tree),
    rows: i64([rows.length], rows),
    targets: i64([rows.length], targets(tree)),
    weights: f32([rows.length, 1], Array(rows.length).fill(1 / rows.length)),
  };
}

describe.each(Object.entries(variants))('a tiny llama: %s', (_, tiny) => {
  const ids = randomIds(draw(11), 8, tiny);
  const prompt = 3;
  const layers = [...Array(tiny.config.num_hidden_layers).keys()];
  const slow = slowResiduals(tiny, ids);

  it('every resid_post and the logits, in float64 and on ONNX Runtime', async () => {
    const feeds = { ...treeFeeds(sequence(ids)), rows: i64([ids.length], [...ids.keys()]) };
    for (const graph of [residualGraph(tiny.model, layers), logitsGraph(tiny.model)]) {
      const exact = evaluate(graph, tiny.weights, feeds);
      const session = await runtime.load(graph, tiny.weights);
      const found = await session.run(feeds);
      await session.release();
      for (const name of Object.keys(graph.outputs)) {
        const layer = name === 'logits' ? undefined : Number(name.split('.')[1]);
        const expected = layer === undefined ? slowHead(tiny, 2, slow[2]!) : slow[layer]!;
        expectClose(exact[name]!.data, expected.flat(), double);
        expectClose(toFloat32(found[name]!), expected.flat(), single);
      }
    }
  });

  it('the loss and its gradient at the first and last site, against finite differences of the formulas', async () => {
    const feeds = lossFeeds(ids, prompt);
    for (const layer of [0, 2]) {
      const residual = slow[layer]!;
      const lossAt = (rows: readonly (readonly number[])[]) => {
        const losses = slowLosses(slowHead(tiny, layer, rows), ids, prompt);
        return losses.reduce((sum, x) => sum + x, 0) / losses.length;
      };
      const h = 1e-5;
      const numeric = residual.flatMap((row, t) =>
        row.map((x, i) => {
          const moved = (by: number) => lossAt(residual.with(t, row.with(i, x + by)));
          return (moved(h) - moved(-h)) / (2 * h);
        }),
      );
      const resid = tensor('f64', [ids.length, 16], Float64Array.from(residual.flat()));
      const graph = gradientGraph(tiny.model, layer);
      const exact = evaluate(graph, tiny.weights, { ...feeds, resid });
      expectClose(exact.nll!.data, slowLosses(slowHead(tiny, layer, residual), ids, prompt), double);
      // central differences: h² truncation and 1e-16/h rounding, both about 1e-10
      expectClose(exact.grad!.data, numeric, double);
      const session = await runtime.load(graph, tiny.weights);
      const found = await session.run({ ...feeds, resid: f32(resid.shape, resid.data) });
      await session.release();
      expectClose(toFloat32(found.nll!), exact.nll!.data, single);
      expectClose(toFloat32(found.grad!), numeric, single);
    }
  });
});
