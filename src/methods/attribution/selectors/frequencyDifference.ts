/** By how often latents are active on the two kinds of completions. Needs no gradient and no second model. */
import { ranking } from '../attribute.ts';
import { firstAlive, type Selector } from './selector.ts';

/** Greatest share of tokens with the latent active, positive minus negative completions, first. */
export const frequencyDifference: Selector<'frequency-difference'> = {
  name: 'frequency-difference',
  about: 'share of tokens at which the latent is active, positive minus negative completions',
  async select(evidence, count) {
    const { positive, negative } = await evidence.completions();
    const scores = positive.frequency.map((x, i) => x - negative.frequency[i]!);
    return firstAlive(ranking(scores), evidence, count);
  },
};
