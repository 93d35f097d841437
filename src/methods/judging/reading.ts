/**
 * What a model makes of completions that it did not need to write: of each, the mean residual at a site
 * over its tokens, and how likely the model finds it. Completions of one prompt are packed as a tree, so
 * that they share it. Knows no label and no judge.
 */
import type { Model } from '../../models/decoder.ts';
import { assertFinite } from '../../models/finite.ts';
import { lossSession, residualSession } from '../../models/sessions.ts';
import { packTree, predictors, type Tree, targets, treeFeeds } from '../../models/tree.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { i64, toFloat32 } from '../../tensor.ts';

/** One completion as the model sees it; d is the residual width. */
export interface Reading {
  /** mean of a_t over the completion's tokens [d] */
  readonly mean: Float32Array;
  /** mean of ln p over them, in nats */
  readonly logProbability: number;
}

export interface ReadingPass {
  /**
   * One reading for each completion, in order. Throws RangeError where the prompt or a completion has no
   * tokens.
   */
  read(prompt: readonly number[], completions: readonly (readonly number[])[]): Promise<Reading[]>;
  release(): Promise<void>;
}

/**
 * Most tokens of one tree, as long as it has one completion. Attention costs the square of a tree's length,
 * the prompt is run once for each tree; at this length neither weighs much.
 */
const packedTokens = 768;

/** Completions in runs that fit one tree each. */
function* treesOf(prompt: readonly number[], completions: readonly (readonly number[])[]): Generator<Tree> {
  let run: (readonly number[])[] = [];
  let left = packedTokens - prompt.length;
  for (const completion of completions) {
    if (run.length > 0 && completion.length > left) {
      yield packTree(prompt, run);
      run = [];
      left = packedTokens - prompt.length;
    }
    run.push(completion);
    left -= completion.length;
  }
  if (run.length > 0) yield packTree(prompt, run);
}

/** Mean of the rows [from, to) of x [T, d]. */
function meanRow(x: Float32Array, d: number, from: number, to: number): Float32Array {
  const sum = new Float64Array(d);
  for (let t = from; t < to; t++) for (let i = 0; i < d; i++) sum[i]! += x[t * d + i]!;
  return Float32Array.from(sum, (value) => value / (to - from));
}

/** Loads the model below and above `resid_post layer`. Throws InputError where the model has no such site. */
export async function readingPass(runtime: Runtime, model: Model, layer: number): Promise<ReadingPass> {
  const below = await residualSession(runtime, model, [layer]);
  const above = await lossSession(runtime, model, layer);

  async function readTree(tree: Tree): Promise<Reading[]> {
    const feeds = treeFeeds(tree);
    const resid = (await below.run(feeds))[`resid_post.${layer}`]!;
    const rows = predictors(tree);
    const found = await above.run({
      ...feeds,
      resid,
      rows: i64([rows.length], rows),
      targets: i64([rows.length], targets(tree)),
    });
    const [activation, losses] = [toFloat32(resid), toFloat32(found.nll!)];
    assertFinite(activation, 'the model gives activations');
    assertFinite(losses, 'the model gives losses');
    let at = 0;
    return tree.branches.map(({ start, end }) => {
      const own = losses.subarray(at, at + end - start);
      at += end - start;
      return {
        mean: meanRow(activation, model.decoder.width, start, end),
        logProbability: -own.reduce((sum, loss) => sum + loss, 0) / own.length,
      };
    });
  }

  return {
    async read(prompt, completions) {
      const readings: Reading[] = [];
      for (const tree of treesOf(prompt, completions)) readings.push(...(await readTree(tree)));
      return readings;
    },
    async release() {
      await Promise.all([below.release(), above.release()]);
    },
  };
}

/** What tells broken text from coherent text: the mean residual, then the mean log-probability [d + 1]. */
export function coherenceFeatures({ mean, logProbability }: Reading): Float64Array {
  return Float64Array.of(...mean, logProbability);
}
