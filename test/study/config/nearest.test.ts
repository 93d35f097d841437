import { expect, test } from 'vitest';
import { nearest } from '../../../src/study/config/nearest.ts';

const known = ['model', 'adapter', 'max_tokens', 'top_p', 'top_k', 'temperature', 'url'];

test.each([
  ['modle', 'model'],
  ['mode', 'model'],
  ['Model', 'model'],
  ['adaptor', 'adapter'],
  ['maxTokens', 'max_tokens'],
  ['max-tokens', 'max_tokens'],
  ['topp', 'top_p'],
  ['temprature', 'temperature'],
  ['tempreature', 'temperature'],
  ['uri', 'url'],
])('%s means %s', (word, meant) => {
  expect(nearest(word, known)).toBe(meant);
});

test.each(['sampling', 'x', '', 'xyz', 'm'.repeat(1000)])('%s means nothing', (word) => {
  expect(nearest(word, known)).toBeUndefined();
});
