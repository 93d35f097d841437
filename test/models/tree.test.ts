/**
 * Completions packed as a tree against each of them run alone, and the tree's own arithmetic against slow
 * definitions.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SitePass, sitePass } from '../../src/methods/site/siteGradient.ts';
import {
  packTree,
  placesOf,
  predictors,
  sequence,
  type Tree,
  targets,
  treeFeeds,
  treeMask,
} from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { referenceRuntime } from '../../src/runtime/reference.ts';
import { expectClose, greatest, greatestDifference } from '../support/close.ts';
import { ropeVariants, tinyModel } from '../support/tinyModel.ts';

const tiny = tinyModel({ config: { rope_scaling: ropeVariants.llama3 } });
const d = tiny.config.hidden_size;
const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

interface Given {
  readonly prompt: number[];
  readonly completions: number[][];
  /** of each completion's loss */
  readonly weights: number[];
}

const tokens = (maxLength: number) =>
  fc.array(fc.nat({ max: tiny.config.vocab_size - 1 }), { minLength: 1, maxLength });

/** A prompt, completions (equal and one-token ones among them), and their weights. */
const given: fc.Arbitrary<Given> = fc
  .tuple(
    tokens(8),
    fc.array(fc.tuple(tokens(6), fc.integer({ min: -16, max: 16 })), {
      minLength: 1,
      maxLength: 5,
    }),
  )
  .map(([prompt, branches]) => ({
    prompt,
    completions: branches.map(([completion]) => completion),
    weights: branches.map(([, weight]) => weight / 8),
  }));

const rowsAt = (x: Float32Array, places: readonly number[]) =>
  places.flatMap((place) => [...x.subarray(place * d, (place + 1) * d)]);

/** The sum over completions of what each gives the prompt; at their own tokens, what each gives itself. */
async function expectEqual(
  pass: SitePass,
  { prompt, completions, weights }: Given,
  tolerance: number,
): Promise<void> {
  const tree = packTree(prompt, completions);
  const packed = await pass.run(tree, () => weights);
  const atPrompt = new Float64Array(prompt.length * d);
  let scale = 0;
  for (const [b, completion] of completions.entries()) {
    const alone = packTree(prompt, [completion]);
    const one = await pass.run(alone, () => [weights[b]!]);
    const plain = await pass.activation(sequence([...prompt, ...completion]));
    expectClose(rowsAt(packed.activation, placesOf(tree, b)), plain, tolerance);
    expectClose(one.activation, plain, tolerance);
    expectClose(packed.nll[b]!, one.nll[0]!, tolerance);
    const { start, end } = tree.branches[b]!;
    const own = one.gradient.subarray(prompt.length * d);
    expect(greatestDifference(packed.gradient.subarray(start * d, end * d), own)).toBeLessThanOrEqual(
      tolerance * greatest(one.gradient),
    );
    atPrompt.forEach((_, i) => {
      atPrompt[i]! += one.gradient[i]!;
    });
    scale += greatest(one.gradient);
  }
  expect(greatestDifference(packed.gradient.subarray(0, prompt.length * d), atPrompt)).toBeLessThanOrEqual(
    tolerance * scale,
  );
}

describe.each([0, 1, 2])('a packed tree equals its completions alone, at resid_post %d', (layer) => {
  let fast: SitePass;
  let exact: SitePass;
  beforeAll(async () => {
    fast = await sitePass(runtime, tiny.model, layer);
    exact = await sitePass(referenceRuntime(), tiny.model, layer);
  });

  it('on ONNX Runtime', async () => {
    // float32 through three blocks: some 1e-6 of the greatest value
    await fc.assert(
      fc.asyncProperty(given, (one) => expectEqual(fast, one, 1e-5)),
      { numRuns: 15 },
    );
  });

  it('in float64, results rounded to float32', async () => {
    const one = { prompt: [7, 3], completions: [[5], [1, 2, 28], [1, 2, 28]], weights: [1, -0.5, -0.5] };
    await expectEqual(exact, one, 5e-7);
  });
});

describe('a completion sees nothing of the others', () => {
  it('whatever they are', async () => {
    const pass = await sitePass(runtime, tiny.model, 1);
    const others = fc.tuple(tokens(4), tokens(4));
    const tree = (other: number[]) => packTree([1, 2], [other, [3, 4, 5]]);
    await fc.assert(
      fc.asyncProperty(others, async ([one, another]) => {
        const [a, b] = [tree(one), tree(another)];
        const [x, y] = [await pass.run(a, () => [0, 1]), await pass.run(b, () => [0, 1])];
        expectClose(rowsAt(x.activation, placesOf(a, 1)), rowsAt(y.activation, placesOf(b, 1)), 1e-6);
        expectClose(rowsAt(x.gradient, placesOf(a, 1)), rowsAt(y.gradient, placesOf(b, 1)), 1e-5);
        const { start, end } = a.branches[0]!;
        expect(greatest(x.gradient.subarray(start * d, end * d))).toBe(0);
      }),
      { numRuns: 8 },
    );
    await pass.release();
  });
});

/** Which sequence a place belongs to: −1 for the prompt, else its completion. */
const owner = (tree: Tree, place: number) =>
  tree.branches.findIndex(({ start, end }) => start <= place && place < end);

describe('treeMask', () => {
  const windows = fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 9 }));

  it('is 0 exactly where a token of the same sequence stands at or before, within the window', () => {
    fc.assert(
      fc.property(given, windows, ({ prompt, completions }, window) => {
        const tree = packTree(prompt, completions);
        const count = tree.ids.length;
        const mask = treeMask(tree, window);
        expect(mask.shape).toEqual([count, count]);
        for (let i = 0; i < count; i++)
          for (let j = 0; j < count; j++) {
            const related = owner(tree, j) === -1 || owner(tree, j) === owner(tree, i);
            const back = tree.positions[i]! - tree.positions[j]!;
            const seen =
              related && back >= 0 && back < window && (owner(tree, i) !== -1 || owner(tree, j) === -1);
            expect(mask.data[i * count + j]).toBe(seen ? 0 : Number.NEGATIVE_INFINITY);
          }
      }),
    );
  });

  it('of a plain sequence is causal, and banded under a window', () => {
    const seen = (window?: number) =>
      Array.from(treeMask(sequence([5, 6, 7]), window).data, (x) => (x === 0 ? 1 : 0));
    expect(seen()).toEqual([1, 0, 0, 1, 1, 0, 1, 1, 1]);
    expect(seen(2)).toEqual([1, 0, 0, 1, 1, 0, 0, 1, 1]);
    expect(seen(1)).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  });
});

describe('packTree', () => {
  it('places, positions, predictors and targets of a small tree', () => {
    const tree = packTree([10, 11], [[20, 21, 22], [30]]);
    expect(tree).toEqual({
      ids: [10, 11, 20, 21, 22, 30],
      positions: [0, 1, 2, 3, 4, 2],
      prompt: 2,
      branches: [
        { start: 2, end: 5 },
        { start: 5, end: 6 },
      ],
    });
    expect(predictors(tree)).toEqual([1, 2, 3, 1]);
    expect(targets(tree)).toEqual([20, 21, 22, 30]);
    expect(placesOf(tree, 0)).toEqual([0, 1, 2, 3, 4]);
    expect(placesOf(tree, 1)).toEqual([0, 1, 5]);
    const feeds = treeFeeds(tree);
    expect([feeds.ids.shape, feeds.positions.shape, feeds.mask.shape]).toEqual([[6], [6, 1], [6, 6]]);
  });

  it('gives each completion its own sequence back, each token predicted by the one before it', () => {
    fc.assert(
      fc.property(given, ({ prompt, completions }) => {
        const tree = packTree(prompt, completions);
        const [from, to] = [predictors(tree), targets(tree)];
        let at = 0;
        for (const [b, completion] of completions.entries()) {
          const places = placesOf(tree, b);
          expect(places.map((place) => tree.ids[place])).toEqual([...prompt, ...completion]);
          expect(places.map((place) => tree.positions[place])).toEqual(places.map((_, i) => i));
          for (const [i, id] of completion.entries()) {
            expect(from[at]).toBe(places[prompt.length + i - 1]);
            expect(to[at++]).toBe(id);
          }
        }
        expect([from.length, to.length]).toEqual([at, at]);
      }),
    );
  });

  it('needs a token of the prompt and of every completion', () => {
    expect(() => packTree([], [[1]])).toThrow(RangeError);
    expect(() => packTree([1], [[2], []])).toThrow(RangeError);
    expect(() => sequence([])).toThrow(RangeError);
  });
});
