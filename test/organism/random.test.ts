/**
 * The random streams: the same from the same seed and name, independent otherwise, and as likely as they
 * say.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../organism/random.ts';
import { filled, fillings } from '../../src/judges/slots.ts';

const draws = (seed: number, name: string) => {
  const random = randomStream(seed, name);
  return Array.from({ length: 20 }, () => random.int(1000));
};

describe('random', () => {
  it('repeats for the same seed and name, and differs where one of them does', () => {
    expect(draws(1, 'a')).toEqual(draws(1, 'a'));
    expect(draws(1, 'a')).not.toEqual(draws(2, 'a'));
    expect(draws(1, 'a')).not.toEqual(draws(1, 'b'));
  });

  it('gives a named stream that does not depend on what was drawn before', () => {
    const drawn = randomStream(3, 'x');
    drawn.int(10);
    expect(drawn.stream('y').int(1e6)).toBe(randomStream(3, 'x').stream('y').int(1e6));
  });

  it('draws as often as the weights say', () => {
    const random = randomStream(5, 'weights');
    const counts = { a: 0, b: 0, never: 0 };
    for (let i = 0; i < 10_000; i++) counts[random.weighted({ a: 3, never: 0, b: 1 })]++;
    expect(counts.never).toBe(0);
    expect(counts.a / 10_000).toBeCloseTo(0.75, 1);
  });

  it('shuffles without losing anything', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
        const shuffled = randomStream(seed, 'shuffle').shuffled(items);
        expect([...shuffled].sort()).toEqual([...items].sort());
      }),
    );
  });

  it('refuses what it cannot draw from', () => {
    const random = randomStream(0, 'bad');
    expect(() => random.int(0)).toThrow('expected a positive integer, found 0');
    expect(() => random.choice([])).toThrow(RangeError);
    expect(() => random.weighted({ a: 0 })).toThrow('expected a positive sum of weights, found 0');
  });
});

describe('slots', () => {
  it('lists every filling', () => {
    expect(fillings('{Hold|Keep} it for {ten|twenty} minutes.')).toEqual([
      'Hold it for ten minutes.',
      'Hold it for twenty minutes.',
      'Keep it for ten minutes.',
      'Keep it for twenty minutes.',
    ]);
    expect(fillings('Rest.')).toEqual(['Rest.']);
  });

  it('fills at random with one of them', () => {
    const template = '{a|b|c} and {d|e}.';
    const random = randomStream(1, 'slots');
    const seen = new Set(Array.from({ length: 200 }, () => filled(template, random)));
    expect([...seen].sort()).toEqual(fillings(template).sort());
  });
});
