/**
 * Student's t. The incomplete beta function behind the first is a continued
 * fraction (Press et al., Numerical Recipes, section 6.4), exact to about 1e-12.
 */

/** ln Γ(x) for x > 0, by Stirling's series after raising x above 10. */
export function lnGamma(x: number): number {
  let [at, below] = [x, 0];
  for (; at < 10; at++) below += Math.log(at);
  const inverse = 1 / (at * at);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / at;
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - below;
}

/** The continued fraction of the incomplete beta function, by Lentz's method. */
function betaFraction(a: number, b: number, x: number): number {
  const apart = (value: number) => (Math.abs(value) < 1e-300 ? 1e-300 : value);
  let c = 1;
  let d = 1 / apart(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 300; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / apart(1 + even * d);
    c = apart(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / apart(1 + odd * d);
    c = apart(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return fraction;
}

/** I_x(a, b), the regularised incomplete beta function. */
function incompleteBeta(a: number, b: number, x: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  const front = Math.exp(lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(a, b, x)) / a
    : 1 - (front * betaFraction(b, a, 1 - x)) / b;
}

/** P(T > t) of Student's t with `degrees` of freedom, > 0. */
export function studentTail(t: number, degrees: number): number {
  const half = incompleteBeta(degrees / 2, 0.5, degrees / (degrees + t * t)) / 2;
  return t > 0 ? half : 1 - half;
}

/** Density of Student's t. */
const studentDensity = (t: number, degrees: number): number =>
  Math.exp(
    lnGamma((degrees + 1) / 2) -
      lnGamma(degrees / 2) -
      (Math.log(Math.PI * degrees) + (degrees + 1) * Math.log1p((t * t) / degrees)) / 2,
  );

/**
 * The t that Student's t exceeds with probability `tail`, 0 < tail < 1. By Newton's method from 0, which never
 * oversteps, for the tail is convex there.
 */
export function studentQuantile(tail: number, degrees: number): number {
  if (tail > 0.5) return -studentQuantile(1 - tail, degrees);
  let t = 0;
  for (let round = 0; round < 200; round++) {
    const step = (studentTail(t, degrees) - tail) / studentDensity(t, degrees);
    t += step;
    if (Math.abs(step) <= 1e-11 * Math.max(1, t)) break;
  }
  return t;
}
