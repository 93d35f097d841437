/** Text of a picture: made fit for XML, its width estimated, broken into lines. */

/** Characters that XML cannot hold, or that an HTML serialiser writes as an entity that XML lacks. */
const unfit = /[\p{Cc}\p{Cs}\p{Zs}\uFFFE\uFFFF]/gu;

/** The text on one line, without what XML cannot hold. */
export function cleaned(text: string): string {
  return text.replace(unfit, (char) => (/[\s\p{Zs}]/u.test(char) ? ' ' : '\uFFFD'));
}

/** `text`, or its first characters with "…", `most` in all. */
export function shortenedText(text: string, most: number): string {
  const chars = [...text];
  return chars.length <= most ? text : `${chars.slice(0, most - 1).join('')}…`;
}

/**
 * Widths in em of the kinds of characters in a sans-serif font, the first kind that fits; 0.56 for the rest.
 */
const widths: readonly (readonly [RegExp, number])[] = [
  [/[iljtfrI .,;:'|!()[\]/-]/, 0.31],
  [/[mwMW%@…]/, 0.88],
  [/[A-Z<>&+=−]/, 0.63],
  [/[\u2e80-\u{3ffff}]/u, 1],
];

/** About how wide `text` is in pixels. */
export function widthOf(text: string, fontSize: number): number {
  const em = (char: string) => widths.find(([kind]) => kind.test(char))?.[1] ?? 0.56;
  return [...text].reduce((sum, char) => sum + em(char), 0) * fontSize;
}

/** Lines of whole words, each at most `width` pixels unless one word is wider. */
export function wrapped(text: string, fontSize: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && widthOf(longer, fontSize) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** +12, −3.5, 0: a change, with a minus as long as the plus. */
export function signedNumber(value: number): string {
  const rounded = Number(value.toPrecision(6));
  return rounded > 0 ? `+${rounded}` : rounded < 0 ? `−${-rounded}` : '0';
}
