/**
 * A model's place made of plain functions, so that what a method makes of activations and gradients can be
 * worked out exactly.
 */
import type { SitePass } from '../../src/methods/site/siteGradient.ts';
import type { Tree } from '../../src/models/tree.ts';

export interface FakePass {
  /** a of the packed place */
  readonly activation: (tree: Tree, place: number) => readonly number[];
  /** gradient of branch `b`'s summed loss at the packed place */
  readonly gradient?: (tree: Tree, b: number, place: number) => readonly number[];
  /** −ln p of the i-th token of branch `b` */
  readonly nll?: (b: number, i: number) => number;
}

/**
 * The pass of a place whose width is what `activation` gives. As in a causal model, a branch's loss reaches
 * the prompt and itself.
 */
export function fakePass({ activation, gradient = () => [], nll = () => 0 }: FakePass): SitePass {
  const places = (tree: Tree) => [...tree.ids.keys()];
  const activations = (tree: Tree) =>
    Float32Array.from(places(tree).flatMap((place) => activation(tree, place)));
  const gradients = (tree: Tree, length: number, weights: readonly number[]) => {
    const d = length / tree.ids.length;
    const g = new Float32Array(length);
    for (const [b, { start, end }] of tree.branches.entries())
      for (const place of places(tree))
        if (place < tree.prompt || (place >= start && place < end))
          gradient(tree, b, place).forEach((x, i) => {
            g[place * d + i]! += weights[b]! * x;
          });
    return g;
  };
  return {
    activation: async (tree) => activations(tree),
    // The same whatever the residual: the loss of a fake is linear.
    gradientAt: async (tree, residual, weights) => gradients(tree, residual.length, weights),
    async run(tree, branchWeights) {
      const a = activations(tree);
      const g = gradients(tree, a.length, branchWeights(a));
      const losses = tree.branches.map(({ start, end }, b) =>
        Float32Array.from({ length: end - start }, (_, i) => nll(b, i)),
      );
      return { activation: a, gradient: g, nll: losses };
    },
    async release() {},
  };
}
