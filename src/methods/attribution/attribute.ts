/**
 * Attribution of docs/method.md section 2: which latents of a dictionary support the positive completions more
 * than the negative ones of the same prompt, to first order: Δ_i = mean over contrasts of −Σ_t
 * (ĝ_t·d_i)((a_t − ā)·d_i) = −d_iᵀ M d_i.
 */
import type { Runtime } from '../../runtime/runtime.ts';
import type { ContrastRows } from '../site/contrast.ts';
import {
  type Dictionary,
  directionsOf,
  outerProducts,
  scoreContrasts,
  scoreMatrix,
  scoreTokens,
} from './score.ts';

/**
 * Shapes: N latents, P contrasts, d residual width, K reported latents. Values are nats of loss (a mean
 * over tokens of the set).
 */
export interface Attribution {
  /** M [d, d], the mean over contrasts */
  readonly m: Float32Array;
  /** Δ [N] */
  readonly delta: Float32Array;
  /** each contrast's own Δ [P, N]; their mean is Δ */
  readonly perContrast: Float32Array;
  /** the reported latents: the K of greatest Δ, greatest first */
  readonly top: readonly number[];
  /**
   * of each contrast, what each of its rows gives the reported latents [R, K]; a column sums to the
   * contrast's Δ of that latent
   */
  readonly perToken: readonly Float32Array[];
}

export interface AttributeOptions {
  /** How many latents to report token by token; default 100. */
  readonly top?: number;
}

/** Latents by descending score; equal scores by ascending number. */
export function ranking(scores: Float32Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** Share of contrasts whose own Δ of one latent has the sign of the mean: a column of [P, N]. */
export function sameSign(perContrast: Float32Array, latents: number, latent: number): number {
  const contrasts = perContrast.length / latents;
  const values = Array.from({ length: contrasts }, (_, p) => perContrast[p * latents + latent]!);
  const mean = values.reduce((sum, x) => sum + x, 0) / contrasts;
  return values.filter((x) => Math.sign(x) === Math.sign(mean)).length / contrasts;
}

/** M as the mean over contrasts, summed in float64. */
async function meanMatrix(
  runtime: Runtime,
  contrasts: readonly ContrastRows[],
  d: number,
): Promise<Float32Array> {
  const products = await outerProducts(runtime, d);
  const sum = new Float64Array(d * d);
  for (const rows of contrasts)
    (await products.of(rows)).forEach((x, i) => {
      sum[i]! += x;
    });
  await products.release();
  return Float32Array.from(sum, (x) => x / contrasts.length);
}

/** Scores every latent. Needs one contrast at least; throws RangeError otherwise. */
export async function attribute(
  runtime: Runtime,
  contrasts: readonly ContrastRows[],
  dictionary: Dictionary,
  { top = 100 }: AttributeOptions = {},
): Promise<Attribution> {
  if (contrasts.length === 0) throw new RangeError('attribute: no contrasts');
  const { width: d, latents } = dictionary;
  const m = await meanMatrix(runtime, contrasts, d);
  const delta = await scoreMatrix(runtime, m, dictionary);
  const perContrast = new Float32Array(contrasts.length * latents);
  await scoreContrasts(runtime, contrasts, dictionary, (first, count, from, n, values) => {
    for (let i = 0; i < n; i++)
      for (let p = 0; p < count; p++) perContrast[(first + p) * latents + from + i] = values[i * count + p]!;
  });
  const reported = Array.from(ranking(delta).subarray(0, top));
  const directions = await directionsOf(dictionary, reported);
  const perToken = contrasts.map((rows) => scoreTokens(rows, directions, d));
  return { m, delta, perContrast, top: reported, perToken };
}
