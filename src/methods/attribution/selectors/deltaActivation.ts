/** By model diffing, the comparison selector of docs/method.md section 4. */
import { ranking } from '../attribute.ts';
import { firstAlive, type Selector } from './selector.ts';

/**
 * Greatest mean activation of the subject over the reference on the same prompts first. Rejects where the
 * evidence cannot give it.
 */
export const deltaActivationSelector: Selector<'delta-activation'> = {
  name: 'delta-activation',
  about: 'mean activation on the same prompts, subject minus reference model',
  select: async (evidence, count) => firstAlive(ranking(await evidence.deltaActivation()), evidence, count),
};
