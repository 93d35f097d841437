/**
 * L2-regularised logistic regression of two classes, to its optimum: the w, b that minimise
 *
 *     F(w, b) = ½ |w|² + C Σ_n ln(1 + exp(−y_n (w·x_n + b))),     y_n = ±1,
 *
 * over features standardised to mean 0 and standard deviation 1 (population), the bias not penalised: what
 * scikit-learn's LogisticRegression does behind a StandardScaler. Newton steps, each solved by conjugate
 * gradients, so that the cost is rows × features and no matrix of features × features is made. Knows
 * nothing of what the features are.
 */

/** A linear decision on features as they are (the standardisation is folded in). */
export interface Linear {
  readonly weights: Float64Array;
  readonly bias: number;
}

export interface LogisticOptions {
  /** weight of the data against the penalty; default 1 */
  readonly C?: number;
}

export const logisticSigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** ln(1 + exp(x)), without overflow. */
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** w·x + b: ln of the odds of the class `true`. */
export function decision({ weights, bias }: Linear, x: ArrayLike<number>): number {
  let sum = bias;
  for (let i = 0; i < weights.length; i++) sum += weights[i]! * x[i]!;
  return sum;
}

/** Rows of features [n, d] one after another, standardised, a 1 for the bias behind each: [n, d + 1]. */
interface Design {
  readonly rows: Float64Array;
  readonly count: number;
  /** d + 1 */
  readonly columns: number;
  readonly mean: Float64Array;
  readonly scale: Float64Array;
}

function standardised(features: readonly ArrayLike<number>[]): Design {
  const count = features.length;
  const d = features[0]!.length;
  const mean = new Float64Array(d);
  const scale = new Float64Array(d);
  for (const x of features) for (let i = 0; i < d; i++) mean[i]! += x[i]! / count;
  for (const x of features) for (let i = 0; i < d; i++) scale[i]! += (x[i]! - mean[i]!) ** 2 / count;
  // A feature that never changes differs from its mean by rounding alone: it stays as small as that.
  for (let i = 0; i < d; i++) {
    const deviation = Math.sqrt(scale[i]!);
    scale[i] = deviation > 1e-12 * Math.abs(mean[i]!) ? deviation : 1;
  }
  const rows = new Float64Array(count * (d + 1));
  features.forEach((x, n) => {
    for (let i = 0; i < d; i++) rows[n * (d + 1) + i] = (x[i]! - mean[i]!) / scale[i]!;
    rows[n * (d + 1) + d] = 1;
  });
  return { rows, count, columns: d + 1, mean, scale };
}

/** X v [n]. */
function times({ rows, count, columns }: Design, v: Float64Array): Float64Array {
  return Float64Array.from({ length: count }, (_, n) => {
    let sum = 0;
    for (let i = 0, at = n * columns; i < columns; i++, at++) sum += rows[at]! * v[i]!;
    return sum;
  });
}

/** v + Xᵀ u, where u_n is `weight` of n and of (X v)_n; for the bias without the v: it has no penalty. */
function penalisedSum(
  { rows, count, columns }: Design,
  v: Float64Array,
  weight: (n: number, product: number) => number,
): Float64Array {
  const out = Float64Array.from(v);
  out[columns - 1] = 0;
  for (let n = 0; n < count; n++) {
    const from = n * columns;
    let product = 0;
    for (let i = 0; i < columns; i++) product += rows[from + i]! * v[i]!;
    const u = weight(n, product);
    for (let i = 0; i < columns; i++) out[i]! += rows[from + i]! * u;
  }
  return out;
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const plus = (a: Float64Array, step: number, b: Float64Array) => a.map((x, i) => x + step * b[i]!);

/** F at parameters whose margins X·parameters are known. */
function objective(
  margins: Float64Array,
  parameters: Float64Array,
  labels: readonly boolean[],
  C: number,
): number {
  const weights = parameters.subarray(0, -1);
  return dot(weights, weights) / 2 + C * margins.reduce((sum, m, n) => sum + softplus(labels[n] ? -m : m), 0);
}

/**
 * p with H p = target up to a hundredth of it, by conjugate gradients. H is given by what it makes of a
 * vector.
 */
function solved(product: (v: Float64Array) => Float64Array, target: Float64Array): Float64Array {
  let p: Float64Array = new Float64Array(target.length);
  let residual = target;
  let direction = residual;
  let square = dot(residual, residual);
  const enough = 1e-4 * square;
  for (let i = 0; i < 2 * target.length && square > enough; i++) {
    const image = product(direction);
    const step = square / dot(direction, image);
    p = plus(p, step, direction);
    residual = plus(residual, -step, image);
    const next = dot(residual, residual);
    direction = plus(residual, next / square, direction);
    square = next;
  }
  return p;
}

/** The first of the steps 1, ½, ¼, ... along `step` that lowers F enough (Armijo). */
function descended(
  from: Float64Array,
  step: Float64Array,
  slope: number,
  f: (at: Float64Array) => number,
): Float64Array {
  const before = f(from);
  for (let length = 1; length > 1e-12; length /= 2) {
    const to = plus(from, length, step);
    if (f(to) <= before + 1e-4 * length * slope) return to;
  }
  return from;
}

/**
 * Fits rows of features to their labels. A feature that is the same in all rows gets no weight. Throws
 * RangeError unless there are rows of both labels.
 */
export function fitLogistic(
  features: readonly ArrayLike<number>[],
  labels: readonly boolean[],
  { C = 1 }: LogisticOptions = {},
): Linear {
  if (!labels.includes(true) || !labels.includes(false))
    throw new RangeError('logistic: rows of both labels are needed');
  const design = standardised(features);
  const f = (at: Float64Array) => objective(times(design, at), at, labels, C);
  let parameters: Float64Array = new Float64Array(design.columns);
  for (let i = 0; i < 100; i++) {
    const curvature = new Float64Array(design.count);
    const gradient = penalisedSum(design, parameters, (n, margin) => {
      const share = logisticSigmoid(margin);
      curvature[n] = C * share * (1 - share);
      return C * (share - Number(labels[n]));
    });
    const step = solved(
      (v) => penalisedSum(design, v, (n, product) => curvature[n]! * product),
      gradient.map((x) => -x),
    );
    const slope = dot(gradient, step);
    // The step is right to a hundredth: so near, F itself no longer tells before from after.
    if (-slope <= 1e-13 * f(parameters)) return unstandardised(plus(parameters, 1, step), design);
    parameters = descended(parameters, step, slope, f);
  }
  throw new Error('logistic: no optimum found in 100 Newton steps');
}

function unstandardised(parameters: Float64Array, { mean, scale }: Design): Linear {
  const weights = scale.map((s, i) => parameters[i]! / s);
  return { weights, bias: parameters.at(-1)! - dot(weights, mean) };
}
