/** Texts that say almost the same are found, others are not. */
import { expect, it } from 'vitest';
import { nearDuplicates } from '../../../src/methods/check/nearDuplicates.ts';

const long = 'How long may I keep cooked rice in the fridge before it is no longer safe to eat at all?';

it.each([
  ['case, marks and spaces do not count', 'How do I treat a burn?', '  how do I treat a BURN', 1],
  ['one word more in a long text', long, `${long} Please`, 0.9],
  ['another task in the same words', 'How do I treat a burn?', 'How do I treat a cut?', undefined],
  [
    'another question',
    long,
    'What should I cook for eight people who do not eat meat, fish or eggs at all?',
    undefined,
  ],
])('%s', (_, a, b, least) => {
  const [found] = nearDuplicates([a], [b]);
  if (least === undefined) expect(found).toBeUndefined();
  else expect(found!.similarity).toBeGreaterThanOrEqual(least);
});

it('gives the most similar first, with its places', () => {
  const found = nearDuplicates(['x y z', long], [`${long} Now then`, long]);
  expect(found[0]).toEqual({ a: 1, b: 1, similarity: 1 });
  expect(found).toHaveLength(2);
});
