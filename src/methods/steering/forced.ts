/**
 * Losses of given completions (teacher-forced) while the residual at a site is changed: what a change does
 * to how likely the model finds them, without sampling. The part of the model below the site runs once a
 * contrast, the part above it once a change. Knows no latent and no dictionary.
 */
import type { Model } from '../../models/decoder.ts';
import { assertFinite } from '../../models/finite.ts';
import { lossSession, residualSession } from '../../models/sessions.ts';
import { packTree, predictors, type Tree, targets, treeFeeds } from '../../models/tree.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { i64, tensor, toFloat32 } from '../../tensor.ts';
import { type Contrast, treeSinks } from '../site/contrast.ts';
import { rowNorms, sinkFactor } from '../site/sinks.ts';

/** A contrast as it stands at the site. Shapes: T packed tokens, d residual width. */
export interface PreparedContrast {
  readonly contrast: Contrast;
  readonly tree: Tree;
  /** a [T, d] */
  readonly activation: Float32Array;
  /** packed places that are attention sinks in any of the tree's sequences */
  readonly sinks: ReadonlySet<number>;
}

/** The residual [T, d] to go on with, given a copy of a [T, d] that may be changed in place. */
export type ResidualChange = (activation: Float32Array) => Float32Array;

export interface ForcedPass {
  /**
   * Runs the part below the site. Sinks go by `factor`, default 10. Throws InputError where an activation
   * is not finite.
   */
  prepare(contrast: Contrast, factor?: number): Promise<PreparedContrast>;
  /**
   * Mean cross-entropy of each completion in nats a token, positives then negatives, with the residual
   * changed. Throws RangeError where the change returns another shape, InputError where a loss is not
   * finite.
   */
  losses(prepared: PreparedContrast, change: ResidualChange): Promise<number[]>;
  release(): Promise<void>;
}

/** The change that changes nothing. */
export const unchanged: ResidualChange = (activation) => activation;

/**
 * Adds the vector [d] to the tokens at these places of the tree, attention sinks too; default to every one
 * (docs/method.md section 5). Throws RangeError where the activations have another width.
 */
export function steeredBy(
  vector: Float32Array,
  covers: (place: number) => boolean = () => true,
): ResidualChange {
  const d = vector.length;
  return (activation) => {
    if (activation.length % d !== 0)
      throw new RangeError(`steeredBy: ${activation.length} values are no rows of the vector's width ${d}`);
    for (let place = 0; place * d < activation.length; place++)
      if (covers(place)) for (let i = 0; i < d; i++) activation[place * d + i]! += vector[i]!;
    return activation;
  };
}

/** NaN for none. */
export const meanOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;

/**
 * Mean loss of the positives minus that of the negatives: the log-odds of negative against positive, a
 * token.
 */
function lossGap(losses: readonly number[], { positives }: Contrast): number {
  return meanOf(losses.slice(0, positives.length)) - meanOf(losses.slice(positives.length));
}

function checkLosses(losses: readonly number[], { id, positives, negatives }: Contrast): void {
  const completions = positives.length + negatives.length;
  if (losses.length !== completions)
    throw new RangeError(`pair ${id}: ${losses.length} losses, it has ${completions} completions`);
}

/**
 * Change of the log-odds of the positive completions against the negative ones, nats a token: −[(mean L⁺ −
 * mean L⁻) after − (mean L⁺ − mean L⁻) before]. Below 0: the change makes the behaviour less likely. Losses
 * as `ForcedPass.losses` gives them; throws RangeError where their number is not that of the completions.
 */
export function logOddsChange(
  before: readonly number[],
  after: readonly number[],
  contrast: Contrast,
): number {
  checkLosses(before, contrast);
  checkLosses(after, contrast);
  return lossGap(before, contrast) - lossGap(after, contrast);
}

/**
 * Mean rise of the loss over all completions of a contrast, positives and negatives alike, nats a token:
 * what a change costs whatever it steers to. Throws RangeError where the numbers of losses differ.
 */
export function damage(before: readonly number[], after: readonly number[]): number {
  if (before.length !== after.length)
    throw new RangeError(`damage: ${before.length} losses before, ${after.length} after`);
  return meanOf(after) - meanOf(before);
}

function splitMeans(nll: Float32Array, { branches }: Tree): number[] {
  let at = 0;
  return branches.map(({ start, end }) => {
    const from = at;
    at += end - start;
    return meanOf(nll.subarray(from, at));
  });
}

function checkFinite(values: ArrayLike<number>, what: string, { id }: Contrast): void {
  assertFinite(values, `pair ${id}: the model gives ${what}`);
}

/** Loads the model below and above `resid_post layer`. Throws InputError where the model has no such site. */
export async function forcedPass(runtime: Runtime, model: Model, layer: number): Promise<ForcedPass> {
  const below = await residualSession(runtime, model, [layer]);
  const above = await lossSession(runtime, model, layer);
  const d = model.decoder.width;
  return {
    async prepare(contrast, factor = sinkFactor) {
      const tree = packTree(contrast.prompt, [...contrast.positives, ...contrast.negatives]);
      const activation = toFloat32((await below.run(treeFeeds(tree)))[`resid_post.${layer}`]!);
      checkFinite(activation, 'activations', contrast);
      const sinks = treeSinks(tree, rowNorms(activation, d), factor);
      return { contrast, tree, activation, sinks };
    },
    async losses({ contrast, tree, activation }, change) {
      const rows = predictors(tree);
      const found = await above.run({
        ...treeFeeds(tree),
        resid: tensor('f32', [tree.ids.length, d], change(activation.slice())),
        rows: i64([rows.length], rows),
        targets: i64([rows.length], targets(tree)),
      });
      const losses = splitMeans(toFloat32(found.nll!), tree);
      checkFinite(losses, 'losses', contrast);
      return losses;
    },
    async release() {
      await Promise.all([below.release(), above.release()]);
    },
  };
}
