/** Numbers in sentences and tables. */

/** `1 prompt`, `2 prompts` */
export const counted = (n: number, what: string): string =>
  `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;

/** As `toFixed`, and no minus before what rounds to 0. */
export function inDecimals(x: number, digits: number): string {
  const text = x.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text;
}

/** A share's change in percentage points, signed unless it rounds to 0; empty for null. */
export function signedPoints(x: number | null): string {
  if (x === null) return '';
  const text = Math.abs(100 * x).toFixed(0);
  return text === '0' ? text : `${x < 0 ? '−' : '+'}${text}`;
}
