/** A token's text for the terminal: its white space seen, and nothing in it that a terminal obeys. */

const seen: Readonly<Record<string, string>> = { '\n': '⏎', '\r': '\\r', '\t': '⇥' };

const code = (c: string) => c.codePointAt(0)!.toString(16);

/**
 * Leading and lone spaces as ␣, line ends as ⏎, tabs as ⇥, other control and direction characters by their
 * codes.
 */
export function shownToken(text: string): string {
  return text
    .replace(/^ +| +$/g, (spaces) => '␣'.repeat(spaces.length))
    .replaceAll(
      /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu,
      (c) => seen[c] ?? (c < '\u0100' ? `\\x${code(c).padStart(2, '0')}` : `\\u{${code(c)}}`),
    );
}
