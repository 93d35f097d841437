/** By what removing the latent does in truth, for as many as can be paid for. */
import { deltaAttribution } from './deltaAttribution.ts';
import type { Selector } from './selector.ts';

/** How many of the first-order estimate's first are run, for each that is asked. */
const oversampling = 4;

/**
 * The first 4·count of delta-attribution by their exact contrast, greatest first; of equal ones the lower
 * latent.
 */
export const exactAblation: Selector = {
  name: 'exact-ablation',
  about: 'exact effect of removing the latent, of four times as many that delta-attribution proposes',
  async select(evidence, count) {
    const proposed = await deltaAttribution.select(evidence, oversampling * count);
    const effects = await evidence.exact(proposed);
    return [...proposed.keys()]
      .sort((a, b) => effects[b]! - effects[a]! || proposed[a]! - proposed[b]!)
      .slice(0, count)
      .map((k) => proposed[k]!);
  },
};
