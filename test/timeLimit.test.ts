/** What comes from outside and does not end is ended, and says where it stood. */
import { expect, it } from 'vitest';
import { matchIn, OverTime, withinTime } from '../src/timeLimit.ts';
import { refusal } from './support/refusal.ts';

it('gives what the work gives, and throws what it throws', () => {
  expect(withinTime(() => 7)).toBe(7);
  expect(() => withinTime(() => JSON.parse('{'))).toThrow(SyntaxError);
  expect(withinTime(() => withinTime(() => 7, 50) + 1, 50)).toBe(8);
});

it.each([
  [
    'a loop',
    () => {
      for (;;);
    },
  ],
  ['an expression', () => /(.*)*x9/.exec('y'.repeat(60))],
])('ends %s', (_, work) => {
  expect(() => withinTime(work, 50)).toThrow(new OverTime('it takes more than 0.05 s'));
});

it('an expression matches, or is refused by its place and its text', () => {
  expect(matchIn(/b(.)/d, 'abc', 'here')).toMatchObject({
    1: 'c',
    index: 1,
    indices: [
      [1, 3],
      [2, 3],
    ],
  });
  expect(matchIn(/z/, 'abc', 'here')).toBeNull();
  const text = `${'y'.repeat(200)}`;
  expect(refusal(() => matchIn(/(.*)*x9/, text, 'judge.positive: q0/0', 50))).toBe(
    `judge.positive: q0/0: the regular expression does not come to an end: it takes more than 0.05 s, on "${'y'.repeat(80)}..."`,
  );
});

it('says so where it takes too much memory', () => {
  expect(refusal(() => matchIn(/^(?:(a)|(b)|c)*d/, 'abc'.repeat(5_000_000), 'here'))).toMatch(
    /^here: the regular expression does not come to an end: it takes more memory than there is, on "abc/,
  );
});
