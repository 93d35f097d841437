/**
 * GPT-2's spelling of bytes as printable characters, which byte-level vocabularies are written in. Knows no
 * vocabulary.
 */

/** The character of each byte: itself where it prints, else the next free one from U+0100. */
export const byteCharacters: readonly string[] = (() => {
  let free = 0x100;
  const prints = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(prints(byte) ? byte : free++));
})();

const bytes = new Map(byteCharacters.map((character, byte) => [character, byte]));

/** A character in UTF-8 at the start of some bytes. */
function firstCharacter(from: Uint8Array): { text: string; length: number } | undefined {
  const lead = from[0]!;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const part = from.subarray(0, length);
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(part);
  return [...text].length === 1 && Buffer.from(text).equals(part) ? { text, length } : undefined;
}

/**
 * What the spelling of a token stands for, each byte that is part of no whole character in it as `<0xE2>`;
 * the spelling itself where it is none.
 */
export function spelledText(spelling: string): string {
  const found = [...spelling].map((character) => bytes.get(character));
  if (found.includes(undefined)) return spelling;
  const all = Uint8Array.from(found as number[]);
  let text = '';
  for (let at = 0; at < all.length; ) {
    const whole = firstCharacter(all.subarray(at));
    text += whole?.text ?? `<0x${all[at]!.toString(16).toUpperCase().padStart(2, '0')}>`;
    at += whole?.length ?? 1;
  }
  return text;
}
