/**
 * Scores of every latent of a dictionary by quadratic forms, gone through in chunks of decoder rows: Δ_i =
 * −d_iᵀ M d_i, and per contrast −Σ_t (ĝ_t·d_i)((a_t − ā)·d_i). Shapes: N latents, d residual width, n
 * latents of a chunk, R rows, P contrasts.
 */
import { input, matmul, mul, neg, sumLast } from '../../graph/build.ts';
import { simplify } from '../../graph/simplify.ts';
import type { Runtime, Session } from '../../runtime/runtime.ts';
import { ranges, readAhead, type Span } from '../../saes/readAhead.ts';
import { tensor, toFloat32 } from '../../tensor.ts';
import { joined } from '../site/residuals.ts';

/** Unit decoder directions, read piecewise. */
export interface Dictionary {
  /** d */
  readonly width: number;
  /** N */
  readonly latents: number;
  /** [to − from, d] */
  decoderRows(from: number, to: number): Promise<Float32Array>;
  /** [n, d] of single latents; default: by decoderRows, one by one */
  decoderRowsOf?(latents: readonly number[]): Promise<Float32Array>;
}

/** The rows of some contrasts, one after another. */
export interface DecoderRows {
  /** ĝ [R, d] */
  readonly gradient: Float32Array;
  /** a − ā [R, d] */
  readonly centred: Float32Array;
}

/** Decoder rows of one chunk; at width 576 a chunk and its product with M fit in a core's cache share. */
const chunkLatents = 2048;

/** Values of one chunk at most, 16 MiB: what is larger is not taken from memory that was just freed. */
const chunkValues = 1 << 22;
/** Rows scored at once; bounds memory at chunkLatents · rowsAtOnce · 8 bytes. */
const rowsAtOnce = 2048;

/** Δ [N] from M [d, d]. N·d² multiply-adds, whatever the number of tokens and pairs. */
export async function scoreMatrix(
  runtime: Runtime,
  m: Float32Array,
  dictionary: Dictionary,
): Promise<Float32Array> {
  const d = dictionary.width;
  const rows = input('rows', ['n', d]);
  const delta = neg(sumLast(mul(matmul(rows, input('m', [d, d])), rows)));
  const session = await runtime.load(simplify({ outputs: { delta } }), new Map());
  const out = new Float32Array(dictionary.latents);
  await overChunks(dictionary, async (from, count, data) => {
    const { delta } = await session.run({
      rows: tensor('f32', [count, d], data),
      m: tensor('f32', [d, d], m),
    });
    out.set(toFloat32(delta!), from);
  });
  await session.release();
  return out;
}

async function overChunks(
  dictionary: Dictionary,
  use: (from: number, count: number, rows: Float32Array) => Promise<void>,
): Promise<void> {
  const { width, latents } = dictionary;
  const chunks = ranges(latents, Math.max(1, Math.min(chunkLatents, Math.floor(chunkValues / width))));
  const read = ([from, to]: Span) => dictionary.decoderRows(from, to);
  for await (const [[from, to], rows] of readAhead(chunks, read)) await use(from, to - from, rows);
}

/** Makes M = Σ_t ĝ_t c_tᵀ [d, d] of rows. */
export interface OuterProducts {
  of(rows: DecoderRows): Promise<Float32Array>;
  release(): Promise<void>;
}

export async function outerProducts(runtime: Runtime, d: number): Promise<OuterProducts> {
  const m = matmul(input('gradient', ['R', d]), input('centred', ['R', d]), { transA: true });
  const session = await runtime.load({ outputs: { m } }, new Map());
  return {
    async of({ gradient, centred }) {
      const shape = [gradient.length / d, d];
      const result = await session.run({
        gradient: tensor('f32', shape, gradient),
        centred: tensor('f32', shape, centred),
      });
      return toFloat32(result.m!);
    },
    release: () => session.release(),
  };
}

/** G = Σ_i d_i d_iᵀ [d, d] over all latents, summed in float64. */
export async function gramMatrix(runtime: Runtime, dictionary: Dictionary): Promise<Float32Array> {
  const d = dictionary.width;
  const products = await outerProducts(runtime, d);
  const sum = new Float64Array(d * d);
  await overChunks(dictionary, async (_from, _count, rows) => {
    (await products.of({ gradient: rows, centred: rows })).forEach((x, i) => {
      sum[i]! += x;
    });
  });
  await products.release();
  return Float32Array.from(sum);
}

/**
 * Rows that give the same form with no more than d of them: −Σ_t (ĝ_t·x)(c_t·x) = −Σ_k (e_k·x)(M_k·x), M =
 * Σ_t ĝ_t c_tᵀ. So a contrast of many tokens costs no more than one of d.
 */
async function compact(rows: DecoderRows, d: number, products: OuterProducts): Promise<DecoderRows> {
  if (rows.gradient.length <= d * d) return rows;
  const identity = new Float32Array(d * d);
  for (let i = 0; i < d; i++) identity[i * d + i] = 1;
  return { gradient: identity, centred: await products.of(rows) };
}

/** Contrasts gathered so that each group has at most `rowsAtOnce` rows, but at least one contrast. */
function* groups(contrasts: readonly DecoderRows[], d: number): Generator<DecoderRows[]> {
  let group: DecoderRows[] = [];
  let count = 0;
  for (const rows of contrasts) {
    const more = rows.gradient.length / d;
    if (group.length > 0 && count + more > rowsAtOnce) {
      yield group;
      group = [];
      count = 0;
    }
    group.push(rows);
    count += more;
  }
  if (group.length > 0) yield group;
}

/** −1 where row r belongs to contrast p, else 0: [R, P]. */
function membership(group: readonly DecoderRows[], d: number): Float32Array {
  const counts = group.map(({ gradient }) => gradient.length / d);
  const out = new Float32Array(counts.reduce((sum, n) => sum + n, 0) * counts.length);
  let row = 0;
  counts.forEach((count, p) => {
    for (let i = 0; i < count; i++) out[row++ * counts.length + p] = -1;
  });
  return out;
}

function productsSession(runtime: Runtime, d: number): Promise<Session> {
  const rows = input('rows', ['n', d]);
  const project = (name: string) => matmul(rows, input(name, ['R', d]), { transB: true });
  const products = mul(project('gradient'), project('centred'));
  const perContrast = matmul(products, input('membership', ['R', 'P']));
  return runtime.load(simplify({ outputs: { perContrast } }), new Map());
}

/**
 * What each contrast gives each latent, handed out as columns of a chunk: value of latent `from` + i and
 * contrast `first` + p at [i, p].
 */
export type ContrastBlock = (
  first: number,
  contrasts: number,
  from: number,
  latents: number,
  values: Float32Array,
) => void;

/** Scores every contrast against every latent, calling `use` for each block of [latents, contrasts]. */
export async function scoreContrasts(
  runtime: Runtime,
  contrasts: readonly DecoderRows[],
  dictionary: Dictionary,
  use: ContrastBlock,
): Promise<void> {
  const d = dictionary.width;
  const session = await productsSession(runtime, d);
  const products = await outerProducts(runtime, d);
  const compacted: DecoderRows[] = [];
  for (const rows of contrasts) compacted.push(await compact(rows, d, products));
  await products.release();
  let first = 0;
  for (const group of groups(compacted, d)) {
    const count = group.reduce((sum, { gradient }) => sum + gradient.length / d, 0);
    const fixed = {
      gradient: tensor('f32', [count, d], joined(group.map((r) => r.gradient))),
      centred: tensor('f32', [count, d], joined(group.map((r) => r.centred))),
      membership: tensor('f32', [count, group.length], membership(group, d)),
    };
    await overChunks(dictionary, async (from, latents, data) => {
      const { perContrast } = await session.run({ ...fixed, rows: tensor('f32', [latents, d], data) });
      use(first, group.length, from, latents, toFloat32(perContrast!));
    });
    first += group.length;
  }
  await session.release();
}

/**
 * Per-token contributions −(ĝ_t·d_k)(c_t·d_k) of each row to the chosen directions [K, d]: [R, K]. A column
 * sums to the contrast's score.
 */
export function scoreTokens(
  { gradient, centred }: DecoderRows,
  directions: Float32Array,
  d: number,
): Float32Array {
  const rows = gradient.length / d;
  const chosen = directions.length / d;
  const dot = (x: Float32Array, t: number, k: number) => {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += x[t * d + i]! * directions[k * d + i]!;
    return sum;
  };
  return Float32Array.from({ length: rows * chosen }, (_, at) => {
    const [t, k] = [Math.floor(at / chosen), at % chosen];
    return -dot(gradient, t, k) * dot(centred, t, k);
  });
}

/** Directions of the chosen latents [K, d]. */
export async function directionsOf(
  dictionary: Dictionary,
  latents: readonly number[],
): Promise<Float32Array> {
  if (dictionary.decoderRowsOf) return dictionary.decoderRowsOf(latents);
  const out = new Float32Array(latents.length * dictionary.width);
  for (const [k, latent] of latents.entries())
    out.set(await dictionary.decoderRows(latent, latent + 1), k * dictionary.width);
  return out;
}
