/** Numbers in sentences: one is no several, and nothing is less than no difference. */
import { expect, it } from 'vitest';
import { counted, inDecimals, signedPoints } from '../../src/results.ts';

it.each([
  [0, '0 prompts'],
  [1, '1 prompt'],
  [2, '2 prompts'],
  [1234, '1,234 prompts'],
])('%d: %s', (n, text) => expect(counted(n, 'prompt')).toBe(text));

it.each([
  [-0.0004, 3, '0.000'],
  [-0, 2, '0.00'],
  [-0.0006, 3, '-0.001'],
  [0.25, 2, '0.25'],
  [Number.NaN, 2, 'NaN'],
])('%d in %d decimals: %s', (x, digits, text) => expect(inDecimals(x, digits)).toBe(text));

it.each([
  [-0.004, '0'],
  [0.004, '0'],
  [-0.006, '−1'],
  [0.34, '+34'],
  [null, ''],
])('a change of %d in points: "%s"', (x, text) => expect(signedPoints(x)).toBe(text));
