/**
 * Adds a selector by one object in the list: it is accepted by its name, and proposes latents as any other.
 */
import { describe, expect, it } from 'vitest';
import { ranking } from '../../src/methods/attribution/attribute.ts';
import { firstAlive, type Selector } from '../../src/methods/attribution/selectors/selector.ts';
import { namesOf, selectorNamed, selectors } from '../../src/methods/attribution/selectors/selectors.ts';
import { oneOf } from '../../src/study/config/fields.ts';
import { madeEvidence, selectorContract } from '../support/selectorContract.ts';

/** Greatest share of positive tokens with the latent active first. */
const madeUp: Selector<'made-up'> = {
  name: 'made-up',
  about: 'share of tokens at which the latent is active, positive completions only',
  async select(evidence, count) {
    const { positive } = await evidence.completions();
    return firstAlive(ranking(positive.frequency), evidence, count);
  },
};

const known = [...selectors, madeUp] as const;

describe('a selector that is added', () => {
  selectorContract(madeUp, {
    score: async (evidence, i) => (await evidence.completions()).positive.frequency[i]!,
  });

  it('is accepted by its name, and found by it', async () => {
    const name = oneOf(namesOf(known));
    expect(name.parse('made-up')).toBe('made-up');
    expect(() => name.parse('unmade')).toThrow('random or made-up');
    const evidence = madeEvidence(40, 2);
    const { positive } = await evidence.completions();
    const [first] = await selectorNamed('made-up', known).select(evidence, 1);
    const usable = [...Array(40).keys()].filter((i) => i % 5 !== 4 && i % 7 !== 6);
    expect(positive.frequency[first!]).toBe(Math.max(...usable.map((i) => positive.frequency[i]!)));
  });

  it('is unknown without its place in the list', () => {
    expect(() => selectorNamed('made-up')).toThrow('found "made-up"');
    expect(() => oneOf(namesOf(selectors)).parse('made-up')).toThrow('expected delta-attribution or');
  });
});
