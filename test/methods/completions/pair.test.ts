import { describe, expect, it } from 'vitest';
import { type Candidate, choosePairs, type PairChoice } from '../../../src/methods/completions/pair.ts';

describe('choosePairs', () => {
  const one = (id: string, score: number, over: Partial<Candidate> = {}): Candidate => ({
    id,
    prompt: id[0]!,
    score,
    label: score >= 0.5 ? 'positive' : 'negative',
    coherent: true,
    finished: true,
    ...over,
  });
  const of = ({ pairs }: PairChoice) => pairs.map(({ positive, negative }) => `${positive}-${negative}`);
  const candidates = [
    one('a1', 0.9),
    one('a2', 0.6),
    one('a3', 0.2),
    one('a4', 0.1),
    one('b1', 0.7),
    one('b2', 0.4),
    one('b3', 0.99, { coherent: false }),
    one('b4', 0.01, { finished: false }),
  ];

  it('takes the most certain of each side, over all prompts the most certain pair first', () => {
    expect(of(choosePairs(candidates, { perPrompt: 1 }))).toEqual(['a1-a4', 'b1-b2']);
    expect(of(choosePairs(candidates, { perPrompt: 2 }))).toEqual(['a1-a4', 'a2-a3', 'b1-b2']);
    expect(choosePairs(candidates, { perPrompt: 1 }).pairs[0]!.certainty).toBeCloseTo(0.8, 12);
  });

  it('with `all` pairs every positive with every negative; the limit then counts prompts', () => {
    const all = choosePairs(candidates, { perPrompt: 'all' });
    expect(of(all).toSorted()).toEqual(['a1-a3', 'a1-a4', 'a2-a3', 'a2-a4', 'b1-b2']);
    const limited = choosePairs(candidates, { perPrompt: 'all', limit: 1 });
    expect(of(limited).toSorted()).toEqual(['a1-a3', 'a1-a4', 'a2-a3', 'a2-a4']);
    expect(limited.beyondLimit).toBe(1);
  });

  it('keeps to the limit and says how many are beyond it', () => {
    const { pairs, beyondLimit } = choosePairs(candidates, { perPrompt: 2, limit: 2 });
    expect([pairs.length, beyondLimit]).toEqual([2, 1]);
  });

  it('says why a prompt gave none', () => {
    const { pairs, without } = choosePairs(
      [
        one('a1', 0.9),
        one('a2', 0.8, { coherent: false }),
        one('b1', 0.1),
        one('c1', 0.9, { coherent: false }),
        one('d1', 0.9, { finished: false }),
        one('e1', 0.1),
        one('e2', 0.9, { finished: false }),
        one('f1', 0.9),
        one('f2', 0.1, { coherent: false }),
      ],
      { perPrompt: 1 },
    );
    expect(pairs).toEqual([]);
    expect(Object.fromEntries(without)).toEqual({
      a: 'all positive',
      b: 'all negative',
      c: 'none coherent',
      d: 'none finished',
      e: 'no positive usable',
      f: 'no negative usable',
    });
  });

  it('does not depend on the order of the candidates, ties included', () => {
    const tied = ['a1', 'a2', 'a3', 'b1', 'b2'].map((id, i) => one(id, i % 2 === 0 ? 0.75 : 0.25));
    expect(choosePairs(tied.toReversed(), { perPrompt: 2 }).pairs).toEqual(
      choosePairs(tied, { perPrompt: 2 }).pairs,
    );
  });
});
