/** Every selector by its name. */
import { activationDifference } from './activationDifference.ts';
import { deltaActivation } from './deltaActivation.ts';
import { deltaAttribution } from './deltaAttribution.ts';
import { exactAblation } from './exactAblation.ts';
import { frequencyDifference } from './frequencyDifference.ts';
import { gradientCosine } from './gradientCosine.ts';
import { random } from './random.ts';
import type { Selector, SelectorName } from './selector.ts';

export const selectors: { readonly [name in SelectorName]: Selector } = {
  'delta-attribution': deltaAttribution,
  'delta-activation': deltaActivation,
  'activation-difference': activationDifference,
  'frequency-difference': frequencyDifference,
  'gradient-cosine': gradientCosine,
  'exact-ablation': exactAblation,
  random,
};
