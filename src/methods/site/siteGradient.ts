/**
 * Activations at a site and the gradient of a weighted loss there, for one prompt with its completions
 * packed as a tree: one forward and one backward, the backward only from the head to the site, only
 * completion positions through the unembedding.
 */

import type { Model } from '../../models/decoder.ts';
import { gradientSession, residualSession } from '../../models/sessions.ts';
import { predictors, type Tree, targets, treeFeeds } from '../../models/tree.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { f32, i64, type Tensor, toFloat32 } from '../../tensor.ts';

/** What a pass over a tree finds. Shapes: T packed tokens, d residual width. */
export interface SiteGradient {
  /** a [T, d] */
  readonly activation: Float32Array;
  /** g [T, d]: gradient of Σ_b weight_b · Σ_t nll_{b,t} with respect to a */
  readonly gradient: Float32Array;
  /** −ln p of each branch's tokens, in nats */
  readonly nll: readonly Float32Array[];
}

/** Decides each branch's weight in the loss (a weight a token) once the activations are known. */
export type BranchWeights = (activation: Float32Array) => readonly number[];

export interface SitePass {
  /** a [T, d] alone. */
  activation(tree: Tree): Promise<Float32Array>;
  run(tree: Tree, weights: BranchWeights): Promise<SiteGradient>;
  /**
   * g [T, d] at another residual [T, d] than the tree's own, with a weight a token of each branch: only the
   * part above the site is run.
   */
  gradientAt(tree: Tree, residual: Float32Array, weights: readonly number[]): Promise<Float32Array>;
  release(): Promise<void>;
}

function split(values: Float32Array, tree: Tree): Float32Array[] {
  let at = 0;
  return tree.branches.map(({ start, end }) => {
    const from = at;
    at += end - start;
    return values.slice(from, at);
  });
}

/**
 * Loads the model's graphs below and above `resid_post layer`. Throws InputError where the model has no
 * such site.
 */
export async function sitePass(runtime: Runtime, model: Model, layer: number): Promise<SitePass> {
  const below = await residualSession(runtime, model, [layer]);
  const above = await gradientSession(runtime, model, layer);
  const residual = async (feeds: ReturnType<typeof treeFeeds>) =>
    (await below.run(feeds))[`resid_post.${layer}`]!;
  const upper = async (
    tree: Tree,
    feeds: ReturnType<typeof treeFeeds>,
    resid: Tensor,
    perBranch: readonly number[],
  ) => {
    const rows = predictors(tree);
    const perRow = tree.branches.flatMap(({ start, end }, b) =>
      Array<number>(end - start).fill(perBranch[b]!),
    );
    const { nll, grad } = await above.run({
      ...feeds,
      resid,
      rows: i64([rows.length], rows),
      targets: i64([rows.length], targets(tree)),
      weights: f32([rows.length, 1], perRow),
    });
    return { gradient: toFloat32(grad!), nll: split(toFloat32(nll!), tree) };
  };
  return {
    activation: async (tree) => toFloat32(await residual(treeFeeds(tree))),
    async run(tree, weights) {
      const feeds = treeFeeds(tree);
      const resid = await residual(feeds);
      const activation = toFloat32(resid);
      return { activation, ...(await upper(tree, feeds, resid, weights(activation))) };
    },
    async gradientAt(tree, given, weights) {
      const resid = f32([tree.ids.length, model.decoder.width], given);
      return (await upper(tree, treeFeeds(tree), resid, weights)).gradient;
    },
    async release() {
      await Promise.all([below.release(), above.release()]);
    },
  };
}
