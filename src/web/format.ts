/** Numbers as text: a true minus, a sign where it matters, no more digits than say something. */

const minus = '−';
const thinSpace = '\u202f';

/** `12,345` */
export const count = (n: number): string => n.toLocaleString('en-US');

/** A number with as many decimals; a true minus, none before what rounds to 0. */
export function fixed(x: number, digits: number): string {
  const text = x.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', minus);
}

/** `+0.20`, `−0.20`; no sign where it rounds to 0. */
export function signed(x: number, digits: number): string {
  const text = Math.abs(x).toFixed(digits);
  return Number(text) === 0 ? text : `${x < 0 ? minus : '+'}${text}`;
}

/** A share as `50 %`. */
export const percent = (share: number, digits = 0): string => `${fixed(100 * share, digits)}${thinSpace}%`;

/** A change of a share in percentage points, as `−34 points`. */
export const points = (change: number, digits = 0): string => `${signed(100 * change, digits)} points`;

const raised = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** `×10⁻⁴`; nothing for 0. */
const timesTenTo = (exponent: number): string =>
  exponent === 0
    ? ''
    : `×10${exponent < 0 ? '⁻' : ''}${[...`${Math.abs(exponent)}`].map((digit) => raised[Number(digit)]).join('')}`;

/** `+1.57×10⁻⁴`: a sign, three digits. */
export function scientific(x: number): string {
  if (x === 0) return '0';
  const [digits, exponent] = Math.abs(x).toExponential(2).split('e');
  return `${x < 0 ? minus : '+'}${digits}${timesTenTo(Number(exponent))}`;
}

/** `12 s`, `4 min`, `1 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `1 pair`, `2 pairs`. */
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

/** The last part of a path or of `hf:org/name`, or all of it where it is one. */
export const lastPart = (path: string): string => path.split('/').findLast((part) => part !== '') ?? path;
