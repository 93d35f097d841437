/** By the exact effect of removing the latent, for as many latents as can be paid for. */
import { deltaAttribution } from './deltaAttribution.ts';
import type { Selector } from './selector.ts';

/** How many of the estimate's first latents are run, per latent that is asked for. */
const oversampling = 4;

/**
 * The first 4·count of delta-attribution by their exact contrast, greatest first; of equal ones the lower
 * latent.
 */
export const exactAblation: Selector<'exact-ablation'> = {
  name: 'exact-ablation',
  exact: true,
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
