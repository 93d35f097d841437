/**
 * Integrated gradients of a latent's removal (docs/method.md section 3): the gradient followed along the way
 * from the residual to the one without the latent, where first order takes it at the start alone. Sums to the
 * exact effect of the removal as the steps become more.
 */
import { packTree } from '../../models/tree.ts';
import { type Contrast, type ContrastOptions, placesOfSet, signs, treeSinks } from '../site/contrast.ts';
import { sinkFactor as defaultFactor, rowNorms } from '../site/sinks.ts';
import type { SitePass } from '../site/siteGradient.ts';
import { meanAblation } from './exact.ts';

/** Steps of the way by default. */
export const integratedSteps = 10;

/**
 * Effects on one contrast, in nats as `Removal.effect` gives the exact one: sums over the tokens of the set,
 * not means.
 */
export interface RemovalPath {
  /** −Σ_t (g_t·d)((a_t − ā)·d), g_t the gradient of L⁺ − L⁻ where nothing is removed; direction [d]. */
  firstOrder(direction: Float32Array): number;
  /**
   * The same with the mean of g_t over the way a_t − α ((a_t − ā)·d) d, at the middles α = (k + ½)/steps of
   * equal steps, all tokens of the set moving at once. One forward and one backward above the site a step.
   */
  integrated(direction: Float32Array, steps?: number): Promise<number>;
}

/**
 * Prepares a contrast by one forward and one backward. Throws InputError where no token of the set is left.
 */
export async function removalPath(
  pass: SitePass,
  contrast: Contrast,
  { baseline, tokenSet = 'prompt', loss = 'mean', sinkFactor = defaultFactor }: ContrastOptions,
): Promise<RemovalPath> {
  const d = baseline.length;
  const tree = packTree(contrast.prompt, [...contrast.positives, ...contrast.negatives]);
  const weights = signs(contrast).map((sign, b) => {
    const { start, end } = tree.branches[b]!;
    return loss === 'mean' ? sign / (end - start) : sign;
  });
  const { activation, gradient } = await pass.run(tree, () => weights);
  const sinks = treeSinks(tree, rowNorms(activation, d), sinkFactor);
  const { prompt, branches } = placesOfSet(contrast.id, tree, sinks, tokenSet);
  const places = [...prompt, ...branches.flat()];
  const along = (g: Float32Array, direction: Float32Array) => {
    let total = 0;
    for (const place of places) {
      let [slope, excess] = [0, 0];
      for (let i = 0; i < d; i++) {
        slope += g[place * d + i]! * direction[i]!;
        excess += (activation[place * d + i]! - baseline[i]!) * direction[i]!;
      }
      total -= slope * excess;
    }
    return total;
  };
  return {
    firstOrder: (direction) => along(gradient, direction),
    async integrated(direction, steps = integratedSteps) {
      let sum = 0;
      for (let k = 0; k < steps; k++) {
        const moved = meanAblation(direction, baseline, places, (k + 0.5) / steps)(activation.slice());
        sum += along(await pass.gradientAt(tree, moved, weights), direction);
      }
      return sum / steps;
    },
  };
}
