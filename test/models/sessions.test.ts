/** A model run part by part gives what it gives whole. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/models/decoder.ts';
import { gradientSession, logitsSession, lossSession, residualSession } from '../../src/models/sessions.ts';
import { packTree, predictors, type Tree, targets, treeFeeds } from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import type { Feeds, Runtime, Sweep } from '../../src/runtime/runtime.ts';
import { f32, i64, sizeOf, type Tensor, tensor, toFloat32 } from '../../src/tensor.ts';
import { expectClose } from '../support/close.ts';
import { fixtureFamilies, fixtureModel, fixtureNumbers } from '../support/modelFixtures.ts';
import { shared } from '../support/shared.ts';
import { tinyModel } from '../support/tinyModel.ts';

/** Sums are taken in another order over the vocabulary; elsewhere the arithmetic is the same. */
const tolerance = 2e-6;

const whole = nodeRuntime({ threads: 1 });
afterAll(() => whole.close());

const sweeps: Sweep[] = [];
let ticks = 0;
const watch = { now: () => ticks++, onSweep: (sweep: Sweep) => sweeps.push(sweep), onMapped() {} };

/** A block at a time, the vocabulary in three parts, and as many passes at once as `values` bytes are enough for. */
function inParts({ decoder, weights }: Model, values = 1e8): Runtime {
  const bytes = [...weights.values()].map(({ dtype, shape }) => sizeOf(shape) * (dtype === 'f32' ? 4 : 6));
  const block = bytes.reduce((sum, one) => sum + one, 0) / decoder.blocks;
  const table = decoder.vocabulary * decoder.width * 4;
  return { ...whole, limit: { weights: Math.min(block / 2, table / 3), values, watch } };
}

const trees = (rows: readonly (readonly number[])[], prompt: number): Tree[] =>
  rows.map((ids, b) =>
    packTree(ids.slice(0, prompt), [ids.slice(prompt), ids.slice(prompt + 1), ...(b ? [ids.slice(-2)] : [])]),
  );

function headFeeds(tree: Tree, resid: Tensor): Feeds {
  const rows = predictors(tree);
  return {
    ...treeFeeds(tree),
    resid,
    rows: i64([rows.length], rows),
    targets: i64([rows.length], targets(tree)),
    weights: f32(
      [rows.length, 1],
      rows.map((_, i) => 1 / (i + 2) - 0.2),
    ),
  };
}

/** All that the sessions give for the trees, by name. */
async function everything(runtime: Runtime, model: Model, asked: readonly Tree[], sites: readonly number[]) {
  const found = new Map<string, Float32Array>();
  const keep = (name: string, results: readonly Record<string, Tensor>[]) => {
    results.forEach((one, i) => {
      for (const [output, values] of Object.entries(one))
        found.set(`${name} ${output} ${i}`, toFloat32(values).slice());
    });
  };
  const below = await residualSession(runtime, model, sites, { embedding: true });
  const residuals = await Promise.all(asked.map((tree) => below.run(treeFeeds(tree))));
  keep('residuals', residuals);
  await below.release();
  for (const layer of sites)
    for (const [name, open] of Object.entries({ loss: lossSession, gradient: gradientSession })) {
      const above = await open(runtime, model, layer);
      const feeds = asked.map((tree, i) => headFeeds(tree, residuals[i]![`resid_post.${layer}`]!));
      keep(`${name} ${layer}`, await Promise.all(feeds.map((fed) => above.run(fed))));
      await above.release();
    }
  const logits = await logitsSession(runtime, model);
  const last = (tree: Tree) => i64([2], [0, tree.ids.length - 1]);
  keep(
    'logits',
    await Promise.all(asked.map((tree) => logits.run({ ...treeFeeds(tree), rows: last(tree) }))),
  );
  await logits.release();
  return found;
}

async function expectSame(
  model: Model,
  asked: readonly Tree[],
  sites: readonly number[],
  values?: number,
): Promise<void> {
  const expected = await everything(whole, model, asked, sites);
  sweeps.length = 0;
  const found = await everything(inParts(model, values), model, asked, sites);
  expect(sweeps.length).toBeGreaterThan(0);
  expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, one] of expected) expectClose(found.get(name)!, one, tolerance);
}

describe.skipIf(!shared)('needs ../shared: model fixtures, a block at a time', () => {
  it.each(fixtureFamilies)('%s', async (family) => {
    const [model, golden] = [await fixtureModel(family), await fixtureNumbers(family)];
    await expectSame(model, trees(golden.rows.slice(0, 2), golden.prompt), [0]);
  });
});

describe('a small model, a block at a time', () => {
  const rows = [
    [3, 1, 4, 1, 5, 9, 2, 6],
    [2, 7, 1, 8, 2, 8],
    [1, 6, 1, 8, 0, 3, 3],
  ];

  it.each([true, false])('at every site, tied: %s', (tied) =>
    expectSame(tinyModel({ tied }).model, trees(rows, 3), [0, 1, 2]),
  );

  it('a pass at a time', () => expectSame(tinyModel().model, trees(rows, 3), [1], 1));

  it('of weights in bfloat16', async () => {
    const { model, weights } = tinyModel();
    const narrow = new Map(
      [...weights].map(([name, { shape, data }]) => [
        name,
        tensor(
          'bf16',
          shape,
          Uint16Array.from(new Uint32Array(data.slice().buffer), (bits) => bits >>> 16),
        ),
      ]),
    );
    await expectSame({ ...model, weights: narrow }, trees(rows, 3), [1]);
  });

  it('passes that are asked for together share each reading of the weights', async () => {
    const { model, weights } = tinyModel();
    const asked = trees(rows, 3);
    const session = await residualSession(inParts(model), model, [2]);
    sweeps.length = 0;
    await Promise.all(asked.map((tree) => session.run(treeFeeds(tree))));
    for (const tree of asked) await session.run(treeFeeds(tree));
    await session.release();
    expect(sweeps.map(({ passes }) => passes)).toEqual([3, 1, 1, 1]);
    const [together, ...single] = sweeps;
    for (const sweep of single) expect(sweep.bytes).toBe(together!.bytes);
    const inBlocks = [...weights].filter(([name]) => name.startsWith('model.layers.'));
    expect(together!.bytes).toBe(inBlocks.reduce((sum, [, { data }]) => sum + data.byteLength, 0));
    for (const { reading, computing } of sweeps) expect(Math.min(reading, computing)).toBeGreaterThan(0);
  });

  it('one that fails has the others of its sweep fail, and those after it go on', async () => {
    const { model } = tinyModel();
    const [tree] = trees(rows, 3);
    const session = await residualSession(inParts(model), model, [2]);
    const { mask, ...incomplete } = treeFeeds(tree!);
    const results = await Promise.allSettled([session.run(treeFeeds(tree!)), session.run(incomplete)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(mask.shape).toEqual([tree!.ids.length, tree!.ids.length]);
    await expect(session.run(treeFeeds(tree!))).resolves.toHaveProperty('resid_post.2');
    await session.release();
  });
});
