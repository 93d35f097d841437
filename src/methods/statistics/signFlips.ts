/**
 * The sign-flip test of many sums at once: were the two labels of every cluster (prompt) exchangeable, its
 * part of a sum would be as likely with the other sign. Source: P. Good, "Permutation, Parametric and
 * Bootstrap Tests of Hypotheses", 2005, section 3.2; the max-statistic: P. Westfall and S. Young,
 * "Resampling-Based Multiple Testing", 1993. Shapes: G clusters, N columns, B flips.
 */
import { greaterOrEqual, input, matmul, max, mul, scalar, sum, where } from '../../graph/build.ts';
import { simplify } from '../../graph/simplify.ts';
import type { Runtime, Session } from '../../runtime/runtime.ts';
import { type Tensor, tensor, toFloat32 } from '../../tensor.ts';
import { generatorOf } from './random.ts';

export interface FlipOptions {
  /** random flips where there are too many to try all; default 10,000 */
  readonly flips?: number;
  readonly seed: number;
  /** columns that the max-statistic runs over, and that small p are refined for [N]: 1, else 0 */
  readonly included: Uint8Array;
}

export interface FlipTest {
  /**
   * two-sided p [N]: the share of flips whose |sum| is as great as the one seen or greater, the unflipped
   * counted as one of them; 1 for a column of zeros
   */
  readonly p: Float64Array;
  /** whether all 2^G flips were tried */
  readonly exact: boolean;
  /** how many were tried of every column */
  readonly flips: number;
  /**
   * family-wise p of the greatest included sum, one-sided: the share of flips whose own greatest included sum
   * reaches it
   */
  readonly maxP: number;
}

/** All flips are tried up to so many clusters: 2^14 is 16,384. */
const mostExact = 14;
const columnsAtOnce = 2048;
const flipsAtOnce = 2048;
/** Sums that differ by less than this part count as equal: float32. */
const slack = 1e-5;
/** A column with fewer greater flips than this is tried again on more of them. */
const few = 20;
const mostFlips = 1_000_000;
/** The q that the smallest p should allow. */
const smallestQ = 0.001;

/** All signs [2^G, G], by blocks of rows. */
function* allSigns(clusters: number): Generator<Float32Array> {
  const all = 2 ** clusters;
  for (let from = 0; from < all; from += flipsAtOnce) {
    const rows = Math.min(flipsAtOnce, all - from);
    yield Float32Array.from({ length: rows * clusters }, (_, at) =>
      ((from + Math.floor(at / clusters)) >> (at % clusters)) & 1 ? -1 : 1,
    );
  }
}

function* randomSigns(clusters: number, flips: number, seed: number): Generator<Float32Array> {
  const random = generatorOf(seed);
  for (let from = 0; from < flips; from += flipsAtOnce) {
    const out = new Float32Array(Math.min(flipsAtOnce, flips - from) * clusters);
    let bits = 0;
    for (let at = 0; at < out.length; at++) {
      if (at % 32 === 0) bits = random.next();
      out[at] = (bits >>> (at % 32)) & 1 ? 1 : -1;
    }
    yield out;
  }
}

/** Some columns of [G, N] as [G, n]. */
function columnsOf(sums: Float32Array, clusters: number, columns: readonly number[]): Float32Array {
  const all = sums.length / clusters;
  const out = new Float32Array(clusters * columns.length);
  for (let g = 0; g < clusters; g++)
    columns.forEach((column, i) => {
      out[g * columns.length + i] = sums[g * all + column]!;
    });
  return out;
}

/** The sum over clusters of every column of [G, n]. */
function totals(values: Float32Array, clusters: number): Float64Array {
  const n = values.length / clusters;
  const out = new Float64Array(n);
  for (let g = 0; g < clusters; g++) for (let i = 0; i < n; i++) out[i]! += values[g * n + i]!;
  return out;
}

function flipSession(runtime: Runtime): Promise<Session> {
  const flipped = matmul(input('signs', ['B', 'G']), input('sums', ['G', 'n']));
  const reaches = greaterOrEqual(mul(flipped, flipped), input('seen', ['n']));
  const outputs = {
    reached: sum(where(reaches, scalar(1), scalar(0)), [0]),
    greatest: max(mul(flipped, input('included', ['n']))),
  };
  return runtime.load(simplify({ outputs }), new Map());
}

interface Flipped {
  /** flips that reach what was seen [n] */
  readonly reached: Float64Array;
  /** the greatest included sum of each flip [B] */
  readonly greatest: readonly number[];
}

/** What flips of some columns [G, n] come to. `included`: [n]. */
async function flipped(
  session: Session,
  values: Float32Array,
  clusters: number,
  included: Float32Array,
  signs: Iterable<Float32Array>,
): Promise<Flipped> {
  const n = included.length;
  const seen = Float32Array.from(totals(values, clusters), (x) => x ** 2 * (1 - slack));
  const fixed: Record<string, Tensor> = {
    sums: tensor('f32', [clusters, n], values),
    seen: tensor('f32', [n], seen),
    included: tensor('f32', [n], included),
  };
  const reached = new Float64Array(n);
  const greatest: number[] = [];
  for (const block of signs) {
    const shape = [block.length / clusters, clusters];
    const found = await session.run({ ...fixed, signs: tensor('f32', shape, block) });
    toFloat32(found.reached!).forEach((x, i) => {
      reached[i]! += x;
    });
    for (const x of toFloat32(found.greatest!)) greatest.push(x);
  }
  return { reached, greatest };
}

/** So many flips that the smallest p of so many columns still allows a small q. */
const flipsFor = (rare: number, tested: number) =>
  Math.min(mostFlips, Math.ceil(tested / (smallestQ * Math.max(1, rare))));

/**
 * Tests that the sum of every column of [G, N] over clusters is 0. Up to 14 clusters all flips are tried.
 * Beyond that, p is (1 + k)/(1 + B) of B random flips. Included columns that fewer than 20 of them reach,
 * whose p may be coarse beside what a correction for N columns asks, are tried again on up to 1,000,000 other
 * flips.
 */
export async function signFlips(
  runtime: Runtime,
  sums: Float32Array,
  clusters: number,
  { flips = 10_000, seed, included }: FlipOptions,
): Promise<FlipTest> {
  const columns = sums.length / clusters;
  const exact = clusters <= mostExact;
  const tried = exact ? 2 ** clusters : flips;
  const share = (reached: number, of: number) => (exact ? reached / of : (reached + 1) / (of + 1));
  const session = await flipSession(runtime);
  const p = new Float64Array(columns);
  const greatest = new Float64Array(tried);
  const rare: number[] = [];
  for (let from = 0; from < columns; from += columnsAtOnce) {
    const some = Array.from({ length: Math.min(columnsAtOnce, columns - from) }, (_, i) => from + i);
    const within = Float32Array.from(some, (i) => included[i]!);
    const signs = exact ? allSigns(clusters) : randomSigns(clusters, flips, seed);
    const found = await flipped(session, columnsOf(sums, clusters, some), clusters, within, signs);
    for (const [i, column] of some.entries()) {
      p[column] = share(found.reached[i]!, tried);
      if (found.reached[i]! < few && included[column] === 1) rare.push(column);
    }
    found.greatest.forEach((x, b) => {
      greatest[b] = Math.max(greatest[b]!, x);
    });
  }
  const tested = included.reduce((total, one) => total + one, 0);
  const more = exact ? 0 : flipsFor(rare.length, tested);
  for (let from = 0; more > tried && from < rare.length; from += columnsAtOnce) {
    const some = rare.slice(from, from + columnsAtOnce);
    const values = columnsOf(sums, clusters, some);
    const within = new Float32Array(some.length);
    const { reached } = await flipped(
      session,
      values,
      clusters,
      within,
      randomSigns(clusters, more, seed + 1),
    );
    some.forEach((column, i) => {
      p[column] = share(reached[i]!, more);
    });
  }
  await session.release();
  const seen = totals(sums, clusters).reduce(
    (most, x, i) => (included[i] === 1 ? Math.max(most, x) : most),
    0,
  );
  const reaching = greatest.filter((x) => x >= seen * (1 - slack)).length;
  return { p, exact, flips: tried, maxP: seen > 0 ? share(reaching, tried) : 1 };
}
