/**
 * q of each p by Benjamini and Hochberg ("Controlling the False Discovery Rate", 1995): the smallest share of
 * false findings at which it would be among them. Of NaN it is NaN, and NaN do not count as tests.
 */
export function falseDiscoveryRates(p: ArrayLike<number>): Float64Array {
  const tested = Array.from({ length: p.length }, (_, i) => i).filter((i) => !Number.isNaN(p[i]));
  tested.sort((a, b) => p[b]! - p[a]!);
  const q = new Float64Array(p.length).fill(Number.NaN);
  let least = 1;
  tested.forEach((i, after) => {
    least = Math.min(least, (p[i]! * tested.length) / (tested.length - after));
    q[i] = least;
  });
  return q;
}
