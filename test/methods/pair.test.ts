import { describe, expect, it } from 'vitest';
import { contrastsOf, type GradedCompletion } from '../../src/methods/pair.ts';

const one = (prompt: string, id: number, label: GradedCompletion['label']): GradedCompletion => ({
  prompt,
  promptIds: [7],
  ids: [id],
  label,
});

describe('contrastsOf', () => {
  const graded = [
    one('a', 1, 'positive'),
    one('b', 2, 'positive'),
    one('a', 3, 'negative'),
    one('a', 4, 'incoherent'),
    one('a', 5, 'positive'),
    one('c', 6, 'negative'),
  ];

  it('sets all positives against all negatives of the same prompt, and leaves out incoherent ones', () => {
    expect(contrastsOf(graded)).toEqual([{ id: 'a', prompt: [7], positives: [[1], [5]], negatives: [[3]] }]);
  });

  it('takes at most so many of each side, in order', () => {
    expect(contrastsOf(graded, 1)[0]!.positives).toEqual([[1]]);
  });

  it('gives nothing where no prompt has both kinds', () => {
    expect(contrastsOf(graded.slice(0, 2))).toEqual([]);
  });
});
