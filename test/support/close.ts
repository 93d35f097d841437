/** Comparison of float arrays by the greatest difference. */
import { expect } from 'vitest';

/** Greatest |a − b|; throws where the lengths differ or a value is not finite. */
export function greatestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length} differ`);
  let greatest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference >= 0)) throw new Error(`element ${i}: ${a[i]} and ${b[i]}`);
    if (difference > greatest) greatest = difference;
  }
  return greatest;
}

/** Greatest |a|. */
export function greatest(a: ArrayLike<number>): number {
  return Array.from(a).reduce((m, x) => Math.max(m, Math.abs(x)), 0);
}

/** Asserts |found − expected| ≤ tolerance · greatest |expected|, everywhere. */
export function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(greatestDifference(found, expected)).toBeLessThanOrEqual(tolerance * greatest(expected));
}
