/**
 * The training graph's loss against the model's own, with and without early exits; its gradient against
 * finite differences.
 */
import { afterAll, expect, it } from 'vitest';
import { adamFeeds, initialState } from '../../src/graph/adam.ts';
import { lossGraph, residualGraph } from '../../src/models/passes.ts';
import { trainingGraph } from '../../src/models/training.ts';
import { sequence, treeFeeds } from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { f32, i64, type Tensor, toFloat32 } from '../../src/tensor.ts';
import { draw } from '../support/opCases.ts';
import { randomIds, tinyModel } from '../support/tinyModel.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

const tiny = tinyModel({ seed: 8, tied: true });
const length = 6;
const ids = randomIds(draw(3), length + 1, tiny);
const norm = 'model.norm.weight';

const feeds = {
  ids: i64([length], ids.slice(0, length)),
  targets: i64([length], ids.slice(1)),
  weights: f32([length, 1], Array(length).fill(1 / length)),
  ...(({ positions, mask }) => ({ positions, mask }))(treeFeeds(sequence(ids.slice(0, length)))),
};

/**
 * One step of plain gradient descent in disguise: with the weight of the final norm alone trained, what the
 * step reports.
 */
async function step(exits: readonly number[], weights: ReadonlyMap<string, Tensor> = tiny.weights) {
  const model = { ...tiny.model, weights };
  const { graph, state } = trainingGraph(model, { sequences: 1, length, exits }, (name) => name === norm, {
    clip: 1e9,
  });
  const initial = initialState(new Map([[norm, weights.get(norm)!]]));
  const kept = Object.fromEntries(
    Object.entries(initial)
      .filter(([name]) => name in state)
      .map(([name, value]) => [name, { initial: value, output: state[name]! }]),
  );
  const session = await runtime.loadStateful(graph, weights, kept);
  const { loss, norm: gradientNorm } = await session.run({ ...feeds, ...adamFeeds(1, 0, true) });
  return { loss: toFloat32(loss!)[0]!, norm: toFloat32(gradientNorm!)[0]! };
}

/**
 * Mean cross-entropy when the residual after `layer` goes through the final norm and the unembedding at
 * once.
 */
async function exitLoss(layer: number, weights: ReadonlyMap<string, Tensor> = tiny.weights): Promise<number> {
  const model = { ...tiny.model, weights };
  const last = model.decoder.blocks - 1;
  const tree = treeFeeds(sequence(ids.slice(0, length)));
  const below = await runtime.load(residualGraph(model, [layer]), weights);
  const resid = (await below.run(tree))[`resid_post.${layer}`]!;
  const above = await runtime.load(lossGraph(model, last), weights);
  const rows = i64([length], [...Array(length).keys()]);
  const { nll } = await above.run({ ...tree, resid, rows, targets: feeds.targets });
  return toFloat32(nll!).reduce((sum, x) => sum + x, 0) / length;
}

it('tells the loss at the end of the model, exits or not', async () => {
  const expected = await exitLoss(2);
  expect((await step([])).loss).toBeCloseTo(expected, 5);
  expect((await step([1])).loss).toBeCloseTo(expected, 5);
});

it('descends on the sum of the losses at the end and at each exit', async () => {
  const objective = async (exits: readonly number[], weights: ReadonlyMap<string, Tensor>) => {
    let sum = 0;
    for (const layer of [2, ...exits]) sum += await exitLoss(layer, weights);
    return sum;
  };
  const weight = tiny.weights.get(norm)!;
  const shifted = (i: number, by: number) =>
    new Map([
      ...tiny.weights,
      [
        norm,
        f32(
          weight.shape,
          weight.data.map((x, j) => x + (i === j ? by : 0)),
        ),
      ],
    ]);
  for (const exits of [[], [0, 1]]) {
    let square = 0;
    for (let i = 0; i < weight.data.length; i++) {
      const h = 1e-2;
      const up = await objective(exits, shifted(i, h));
      const down = await objective(exits, shifted(i, -h));
      square += ((up - down) / (2 * h)) ** 2;
    }
    // central differences of float32 losses: h² truncation and 1e-7/h rounding, some 1e-4 of the norm
    expect((await step(exits)).norm / Math.sqrt(square)).toBeCloseTo(1, 2);
  }
});
