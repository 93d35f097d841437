/** A key is shown nowhere, however it is written; nor is one in an address. */
import { expect, it } from 'vitest';
import { shownAddress, withoutKey } from '../../src/judges/secrets.ts';

const key = 'sk-SECRETKEY-0123/xyz+Q';
const hide = withoutKey(key);

const each = (write: (code: number, character: string) => string) =>
  Array.from(key, (one) => write(one.charCodeAt(0), one)).join('');
const hex = (code: number, digits: number) => code.toString(16).padStart(digits, '0');
const twice = (text: string) => JSON.stringify(JSON.stringify(text)).slice(1, -1);

it.each([
  ['as it stands', key],
  ['in capitals', key.toUpperCase()],
  ['as PHP writes JSON', key.replaceAll('/', '\\/')],
  ['as \\u escapes', each((code) => `\\u${hex(code, 4)}`)],
  ['as \\u escapes, twice', twice(each((code) => `\\u${hex(code, 4).toUpperCase()}`))],
  ['as \\u{} escapes', each((code) => `\\u{${hex(code, 2)}}`)],
  ['as \\x escapes', each((code) => `\\x${hex(code, 2)}`)],
  ['with one character escaped', key.replace('K', '\\u004b')],
  ['in a URL', encodeURIComponent(key)],
  ['in a URL, twice', encodeURIComponent(encodeURIComponent(key))],
  ['in a URL, all of it', each((code) => `%${hex(code, 2)}`)],
  ['in HTML', each((code) => `&#${code};`)],
  ['in HTML, by digits of 16', each((code) => `&#x${hex(code, 4)};`)],
  ['in HTML, by names', key.replaceAll('/', '&sol;').replaceAll('+', '&plus;').replaceAll('-', '&hyphen;')],
  ['in HTML, twice', key.replaceAll('/', '&amp;#x2F;')],
  ['in base 64', Buffer.from(key).toString('base64')],
  ['in base 64, with a user', Buffer.from(`u:${key}`).toString('base64')],
  ['in base 64, with a longer user', Buffer.from(`user:${key}.`).toString('base64')],
  ['in base 64 for URLs', Buffer.from(`a${key}`).toString('base64url')],
  ['in hexadecimal digits', Buffer.from(key).toString('hex')],
  ['its first half', key.slice(0, 12)],
  ['its second half', key.slice(-12)],
])('a key %s', (_, echoed) => {
  const shown = hide(`wrong key ${echoed}, sorry`);
  expect(shown).toMatch(/^wrong key \S{0,8}\*\*\*\S{0,4}, sorry$/);
  // At most the neighbours' share of what stands around it is left.
  expect(shown.length).toBeLessThan('wrong key ***, sorry'.length + 12);
});

it('leaves other text as it is', () => {
  const text = 'It says "do\\n it" at 100 %, \\u00e9, &amp; more: ünï😀';
  expect(hide(text)).toBe(text);
  expect(withoutKey(undefined)(key)).toBe(key);
  expect(hide(`${key}${key} and ${key}`)).toBe('*** and ***');
});

it('a placeholder key hides no words', () => {
  const text = 'No key is required here, it is not needed at all: none.';
  expect(withoutKey('sk-no-key-required')(text)).toBe(text);
  expect(withoutKey('none')(text)).toBe(text);
});

it('takes time in proportion to the text', () => {
  const start = performance.now();
  for (const part of ['\\', '&amp;', '%25', '&#x0', '\\u{0', 'sk-SECRET', '%2'])
    expect(hide(part.repeat(100_000 / part.length)).length).toBeLessThanOrEqual(100_000);
  expect(performance.now() - start).toBeLessThan(3000);
});

it.each([
  ['https://host/v1', 'https://host/v1'],
  ['https://host/v1/', 'https://host/v1/'],
  ['http://host:8080', 'http://host:8080'],
  ['https://host/v1?key=abc&api-version=2', 'https://host/v1?key=***&api-version=***'],
  ['https://host/v1#abc', 'https://host/v1'],
  ['https://me:abc@host/v1', 'https://***@host/v1'],
  ['https://host/v1/sk-SECRETKEY-0123/chat', 'https://host/v1/***/chat'],
  ['https://host/0a1b2c3d4e5f60718293a4b5c6d7e8f9/v1', 'https://host/***/v1'],
  [
    'https://host/openai/deployments/gpt-4o-mini-2024-07-18/v1',
    'https://host/openai/deployments/gpt-4o-mini-2024-07-18/v1',
  ],
  ['me:abc@host/v1?key=abc', '***@host/v1?...'],
])('the address %s is shown as %s', (address, shown) => {
  expect(shownAddress(address)).toBe(shown);
});
