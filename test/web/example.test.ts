/** The worked example of an answer. */
import { describe, expect, it } from 'vitest';
import type { SteeredCompletion, TrialRecord } from '../../src/results.ts';
import { commonStart, exampleOf } from '../../src/web/views/overview/example.ts';

const said = (prompt: string, label: 'positive' | 'negative', more: Partial<SteeredCompletion> = {}) =>
  ({
    prompt_id: prompt,
    index: 0,
    text: `${label} to ${prompt}`,
    tokens: 4,
    stop: 'end',
    score: 0,
    label,
    coherence: 1,
    coherent: true,
    reason: '',
    judged: true,
    log_probability: null,
    repetition: null,
    ...more,
  }) satisfies SteeredCompletion;

const trial = (completions: SteeredCompletion[], more: Partial<TrialRecord>): TrialRecord => ({
  kind: 'trial',
  id: 't',
  side: 'away',
  direction: 'latent 3',
  latent: 3,
  operation: 'remove',
  dose: 0,
  part: 'evaluation',
  content: 'c',
  completions,
  cost: { calls: 0, price: 0 },
  ...more,
});

const asAlone = { direction: null, latent: null, operation: null } as const;
const broken = { coherent: false } as const;

describe('the example', () => {
  const alone = ['a', 'b', 'c', 'd', 'e'].map((prompt) =>
    said(prompt, prompt === 'd' ? 'negative' : 'positive'),
  );
  const removed = [
    said('a', 'positive'),
    said('b', 'negative', { stop: 'length' }),
    said('c', 'negative'),
    said('d', 'positive'),
    said('e', 'negative', broken),
  ];

  it('is the first that ended by itself and turned; counted are all that turned, turned back, or broke', () => {
    const found = exampleOf({ along: [trial(removed, {})], alone: [trial(alone, asAlone)] }, 'remove');
    expect(found).toEqual({
      promptId: 'c',
      alone: alone[2],
      changed: removed[2],
      dose: 0,
      turned: 2,
      back: 1,
      broken: 1,
      of: 5,
    });
  });

  it('is one that was cut where none ended, and the other way round where the reference is steered', () => {
    const cut = removed.filter(({ prompt_id }) => prompt_id !== 'c');
    expect(exampleOf({ along: [trial(cut, {})], alone: [trial(alone, asAlone)] }, 'remove')).toMatchObject({
      promptId: 'b',
      turned: 1,
      of: 4,
    });
    const toward = { side: 'toward', operation: 'add', dose: 0.2 } as const;
    const found = exampleOf(
      { along: [trial(removed, toward)], alone: [trial(alone, { ...asAlone, side: 'toward' })] },
      'toward',
    );
    expect(found).toMatchObject({ promptId: 'd', dose: 0.2, turned: 1, back: 2, broken: 1 });
  });

  it('is none where no verdict turned, nothing was sampled, or the texts were left out', () => {
    const unsteered = [trial(alone, asAlone)];
    expect(exampleOf({ along: [trial(alone, {})], alone: unsteered }, 'remove')).toBeUndefined();
    expect(exampleOf({ along: [], alone: unsteered }, 'remove')).toBeUndefined();
    const empty = removed.map((one) => ({ ...one, text: '' }));
    expect(exampleOf({ along: [trial(empty, {})], alone: unsteered }, 'remove')).toBeUndefined();
  });
});

it.each([
  ['the cat sat', 'the cat ran', 8],
  ['the cat', 'the cats', 4],
  ['same', 'same', 4],
  ['a', 'b', 0],
  ['', 'b', 0],
])('%j and %j have %i characters in common, whole words only', (a, b, n) => {
  expect(commonStart(a, b)).toBe(n);
  expect(commonStart(b, a)).toBe(n);
});
