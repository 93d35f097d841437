/** What is read part by part, each part while the one before is worked on. */

/** from ≤ i < to */
export type Span = readonly [from: number, to: number];

/** 0..total in ranges of `step`, the last perhaps shorter. */
export function* ranges(total: number, step: number): Generator<Span> {
  for (let from = 0; from < total; from += step) yield [from, Math.min(from + step, total)];
}

/** Each part with what `read` makes of it, in order; one part more is always being read. */
export async function* readAhead<P, T>(
  parts: Iterable<P>,
  read: (part: P) => Promise<T>,
): AsyncGenerator<readonly [part: P, value: T]> {
  let before: { readonly part: P; readonly value: Promise<T> } | undefined;
  for (const part of parts) {
    const value = read(part);
    // told when its turn comes; nobody waits for it where the one before fails
    value.catch(() => {});
    if (before) yield [before.part, await before.value];
    before = { part, value };
  }
  if (before) yield [before.part, await before.value];
}
