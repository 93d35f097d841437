/**
 * By how strongly latents are active on the two kinds of completions. Needs no gradient and no second model.
 */
import { ranking } from '../attribute.ts';
import { firstAlive, type Selector } from './selector.ts';

/** Greatest mean activation on positive minus negative completions first. */
export const activationDifference: Selector<'activation-difference'> = {
  name: 'activation-difference',
  about: 'mean activation on positive minus negative completions',
  async select(evidence, count) {
    const { positive, negative } = await evidence.completions();
    const scores = positive.mean.map((x, i) => x - negative.mean[i]!);
    return firstAlive(ranking(scores), evidence, count);
  },
};
