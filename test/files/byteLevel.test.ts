/** Byte-level tokens as text, against UTF-8 read by the platform. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { byteCharacters, spelledText } from '../../src/files/byteLevel.ts';

const spelled = (bytes: Iterable<number>) => Array.from(bytes, (byte) => byteCharacters[byte]!).join('');

it('whole characters show as they are, U+FFFD and the byte order mark among them', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => spelledText(spelled(Buffer.from(text))) === text),
  );
  expect(spelledText(spelled(Buffer.from('\uFEFF\uFFFD')))).toBe('\uFEFF\uFFFD');
});

it.each([
  ['the start of a character', [0xe2, 0x80], '<0xE2><0x80>'],
  ['its end before a whole one', [0x99, 0x20, 0x61], '<0x99> a'],
  ['a longer spelling than needed', [0xc0, 0x80], '<0xC0><0x80>'],
  ['a surrogate', [0xed, 0xa0, 0x80], '<0xED><0xA0><0x80>'],
  ['a byte that UTF-8 never has', [0xff], '<0xFF>'],
])('%s shows by its bytes', (_, bytes, text) => {
  expect(spelledText(spelled(bytes))).toBe(text);
});

it('what is no spelling stays', () => {
  expect(spelledText('▁the')).toBe('▁the');
  expect(spelledText('a b')).toBe('a b');
});
