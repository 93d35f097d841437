/** How many tokens passages have, so that a total is of the texts there are. */

/** Tokens of all passages, `most` at most; no more is read than that. */
export async function tokensUpTo(
  passages: AsyncIterable<{ readonly length: number }> | Iterable<{ readonly length: number }>,
  most: number,
): Promise<number> {
  let sum = 0;
  for await (const { length } of passages) {
    sum += length;
    if (sum >= most) return most;
  }
  return sum;
}
