/**
 * δ token by token over a whole contrast, prompt and completions, for a few directions: where in the texts
 * a latent's effect comes from. The means that rank latents are contrast.ts's and attribute.ts's.
 */
import { packTree, type Tree } from '../../models/tree.ts';
import { type Contrast, type ContrastOptions, signs, treeSinks } from '../site/contrast.ts';
import { rowNorms, sinkFactor } from '../site/sinks.ts';
import type { SitePass } from '../site/siteGradient.ts';

/** Shapes: T tokens of the packed tree, n directions. */
export interface TokenDeltas {
  /** the prompt first, then the positives, then the negatives */
  readonly tree: Tree;
  /**
   * δ [T, n] in nats; NaN at attention sinks. On the prompt's tokens that of mean L⁺ − mean L⁻: above 0
   * supports the positives against the negatives. On a completion's own tokens that of its own L: above 0
   * supports that completion.
   */
  readonly delta: Float32Array;
  /**
   * the same summed over all latents of a dictionary [T]; NaN at sinks. Of no length where no `gram` is
   * given
   */
  readonly total: Float32Array;
  /** a [T, d] */
  readonly activation: Float32Array;
  /** cross-entropy of each completion's tokens, nats */
  readonly nll: readonly Float32Array[];
}

export interface TokenDeltaOptions extends ContrastOptions {
  /** G = Σ_i d_i d_iᵀ [d, d] of a whole dictionary: Σ_i δ_{i,t} = −g_tᵀ G (a_t − ā) */
  readonly gram?: Float32Array | undefined;
}

function dot(x: Float32Array, at: number, direction: Float32Array, i: number, d: number): number {
  let sum = 0;
  for (let j = 0; j < d; j++) sum += x[at * d + j]! * direction[i * d + j]!;
  return sum;
}

/** −gᵀ G (a − ā) of place t. */
function summed(
  gradient: Float32Array,
  activation: Float32Array,
  baseline: Float32Array,
  gram: Float32Array,
  t: number,
): number {
  const d = baseline.length;
  let sum = 0;
  for (let j = 0; j < d; j++) {
    let centred = 0;
    for (let k = 0; k < d; k++) centred += gram[j * d + k]! * (activation[t * d + k]! - baseline[k]!);
    sum -= gradient[t * d + j]! * centred;
  }
  return sum;
}

/**
 * What the gradient of the contrast is multiplied by at each packed place, so that a completion's tokens
 * have the gradient of its own loss.
 */
function ownLoss(contrast: Contrast, tree: Tree): Float64Array {
  const factors = new Float64Array(tree.ids.length).fill(1);
  signs(contrast).forEach((sign, b) => {
    const { start, end } = tree.branches[b]!;
    factors.fill(1 / sign, start, end);
  });
  return factors;
}

/**
 * δ_{i,t} = −(g_t·d_i)((a_t − ā)·d_i) at every token for unit directions d_i [n, d]: one forward and one
 * backward. `tokenSet` plays no part, `loss` does. Throws RangeError where the directions are no whole
 * number of rows.
 */
export async function tokenDeltas(
  pass: SitePass,
  contrast: Contrast,
  directions: Float32Array,
  { baseline, loss = 'mean', sinkFactor: factor = sinkFactor, gram }: TokenDeltaOptions,
): Promise<TokenDeltas> {
  const d = baseline.length;
  if (directions.length % d !== 0)
    throw new RangeError(
      `tokenDeltas: ${directions.length} values are no whole number of directions of width ${d}`,
    );
  const n = directions.length / d;
  const tree = packTree(contrast.prompt, [...contrast.positives, ...contrast.negatives]);
  const lengths = tree.branches.map(({ start, end }) => (loss === 'mean' ? end - start : 1));
  const weights = signs(contrast).map((sign, b) => sign / lengths[b]!);
  const { activation, gradient, nll } = await pass.run(tree, () => weights);
  const sinks = treeSinks(tree, rowNorms(activation, d), factor);
  const factors = ownLoss(contrast, tree);
  const towardBaseline = Array.from({ length: n }, (_, i) => dot(baseline, 0, directions, i, d));
  const delta = new Float32Array(tree.ids.length * n).fill(Number.NaN);
  const total = new Float32Array(gram ? tree.ids.length : 0).fill(Number.NaN);
  for (let t = 0; t < tree.ids.length; t++) {
    if (sinks.has(t)) continue;
    if (gram) total[t] = summed(gradient, activation, baseline, gram, t) * factors[t]!;
    for (let i = 0; i < n; i++) {
      const g = dot(gradient, t, directions, i, d) * factors[t]!;
      delta[t * n + i] = -g * (dot(activation, t, directions, i, d) - towardBaseline[i]!);
    }
  }
  return { tree, delta, total, activation, nll };
}
