/** Numbers in sentences: one is no several, and nothing is less than no difference. */
import { expect, it } from 'vitest';
import { checkNumbers, counted, inDecimals, signedPoints } from '../../src/results.ts';

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

it.each([
  [21226.4, '21,226'],
  [-1025.3, '−1,025'],
  [65_623, '65,623'],
  [18.239, '18.24'],
  [0.000067, '6.7e−5'],
  [null, 'not a number'],
])('the number %d of a check: %s', (found, text) => {
  const rest = { name: 'memory', about: '', status: 'pass', expected: '', what_to_do: null } as const;
  expect(checkNumbers({ ...rest, numbers: { found }, unit: 'MB' })).toBe(`found: ${text} (MB)`);
});
