/** By the estimate that culprit is built on, docs/method.md section 2. */
import { ranking } from '../attribute.ts';
import { firstAlive, type Selector } from './selector.ts';

/**
 * Greatest Δ first: −dᵀ M d, to first order how much removing the latent raises the positives' loss over the
 * negatives'.
 */
export const deltaAttribution: Selector<'delta-attribution'> = {
  name: 'delta-attribution',
  about: 'first-order effect of removing the latent, positive minus negative completions',
  select: (evidence, count) => firstAlive(ranking(evidence.delta), evidence, count),
};
