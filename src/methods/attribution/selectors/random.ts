/** Chance: what a selector must beat. */
import { shuffled } from '../../statistics/groups.ts';
import { generatorOf } from '../../statistics/random.ts';
import { firstAlive, type Selector } from './selector.ts';

/** Uniform over latents that ever fired, by the evidence's seed; more latents keep the first ones. */
export const random: Selector<'random'> = {
  name: 'random',
  about: 'latents drawn at random from those that ever fired',
  select: (evidence, count) =>
    firstAlive(shuffled([...Array(evidence.latents).keys()], generatorOf(evidence.seed)), evidence, count),
};
