/**
 * How long to wait before a request is repeated. Knows no clock: times are read from what the server said.
 */

/** Seconds before the first repeat; doubled for each further one, up to `longestBackOffS`. */
const firstBackOffS = 0.5;
const longestBackOffS = 30;

/**
 * Seconds before repeat number `repeat` (from 0): min(30, 0.5·2^repeat)·(1 + chance)/2, where `chance` in
 * 0..1 keeps requests apart that failed together; longer where the server asks for it.
 */
export function backOffSeconds(repeat: number, chance: number, askedS = 0): number {
  return Math.max(askedS, Math.min(longestBackOffS, firstBackOffS * 2 ** repeat) * (0.5 + chance / 2));
}

/**
 * The seconds that a Retry-After header asks for: a number, or a date, which is held against the server's
 * own clock (its Date header). Undefined where it is absent or neither.
 */
export function retryAfterSeconds(retryAfter: string | null, date: string | null): number | undefined {
  if (retryAfter === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(retryAfter)) return Number(retryAfter);
  const seconds = (Date.parse(retryAfter) - Date.parse(date ?? '')) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}
