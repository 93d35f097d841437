/**
 * How heavy the tails of the random directions' effects are: the degrees of freedom of the t distribution that
 * fits them best. Knows nothing of what they are effects of.
 */
import { lnGamma } from '../statistics/studentT.ts';

/** 1/ν of the distributions that are tried; 0 is the normal one. From 1/3 on there is hardly a variance. */
const inverseDegrees = [0, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3];

/** Rounds after which the likelihood of a fit no longer changes by as much as matters (0.01). */
const rounds = 15;

/** Weighted mean and scatter of points of one or two coordinates, and their squared distances from it. */
function scatterOf(points: readonly (readonly number[])[], weights: readonly number[]) {
  const sides = points[0]!.length;
  // loops, for a power estimate comes here a hundred thousand times
  let total = 0;
  for (const weight of weights) total += weight;
  const at = Array.from({ length: sides }, (_, d) => {
    let sum = 0;
    for (let i = 0; i < points.length; i++) sum += weights[i]! * points[i]![d]!;
    return sum / total;
  });
  const product = (a: number, b: number) => {
    let sum = 0;
    for (let i = 0; i < points.length; i++)
      sum += weights[i]! * (points[i]![a]! - at[a]!) * (points[i]![b]! - at[b]!);
    return sum / points.length;
  };
  const [first, second] = [product(0, 0), sides === 2 ? product(1, 1) : 1];
  const both = sides === 2 ? product(0, 1) : 0;
  const determinant = first * second - both * both;
  const distances = points.map((point) => {
    const x = point[0]! - at[0]!;
    const y = sides === 2 ? point[1]! - at[1]! : 0;
    return (second * x * x - 2 * both * x * y + first * y * y) / determinant;
  });
  return { determinant, distances };
}

/** Greatest log-likelihood of a (multivariate) t with these degrees of freedom, by EM (Liu and Rubin 1995). */
function logLikelihood(points: readonly (readonly number[])[], inverse: number): number {
  const [n, sides] = [points.length, points[0]!.length];
  let fit = scatterOf(
    points,
    points.map(() => 1),
  );
  if (inverse === 0) {
    const distance = fit.distances.reduce((sum, one) => sum + one, 0);
    return (-n * (sides * Math.log(2 * Math.PI) + Math.log(fit.determinant)) - distance) / 2;
  }
  const degrees = 1 / inverse;
  const weightsOf = () => fit.distances.map((distance) => (degrees + sides) / (degrees + distance));
  for (let round = 0; round < rounds; round++) fit = scatterOf(points, weightsOf());
  const constant =
    lnGamma((degrees + sides) / 2) -
    lnGamma(degrees / 2) -
    (sides * Math.log(Math.PI * degrees) + Math.log(fit.determinant)) / 2;
  const logs = fit.distances.reduce((sum, distance) => sum + Math.log1p(distance / degrees), 0);
  return n * constant - ((degrees + sides) / 2) * logs;
}

/**
 * The degrees of freedom ν, from 3.3 to Infinity (normal), under which effects of random directions are
 * likeliest; each point is one direction's effects on the one or two sides, which share their tails. Normal
 * where there is nothing to fit: fewer than eight points, or no spread.
 */
export function tailDegrees(points: readonly (readonly number[])[]): number {
  if (points.length < 8) return Number.POSITIVE_INFINITY;
  const likelihoods = inverseDegrees.map((inverse) => logLikelihood(points, inverse));
  // without spread they are not numbers
  const best = likelihoods.indexOf(Math.max(...likelihoods));
  return best <= 0 ? Number.POSITIVE_INFINITY : 1 / inverseDegrees[best]!;
}
