/** Tokens on the terminal: white space is seen, and nothing is obeyed. */
import { expect, it } from 'vitest';
import { shownToken } from '../../src/cli/shownToken.ts';

it.each([
  [' word', '␣word'],
  ['  ', '␣␣'],
  ['a b ', 'a b␣'],
  ['\n', '⏎'],
  ['\tx', '⇥x'],
  ['\r', '\\r'],
  ['\u001b[31m', '\\x1b[31m'],
  ['\u202e', '\\u{202e}'],
  ['é', 'é'],
  ['', ''],
])('%j is shown as %j', (text, shown) => {
  expect(shownToken(text)).toBe(shown);
});
