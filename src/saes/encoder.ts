/**
 * An SAE over rows of residuals: sums of its activations, some latents' own, the reconstruction. A dictionary whose
 * matrices are larger than a budget is read from disk block by block, once for all rows of a call. Shapes: R rows,
 * d width, N latents.
 */
import { input } from '../graph/build.ts';
import { simplify } from '../graph/simplify.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { tensor, toFloat32 } from '../tensor.ts';
import { type BlockWork, blockInputs, slicesOf, type WeightedRows } from './blocks.ts';
import { Collected, type EncodedRows } from './collected.ts';
import { activationsOn, encoderValues, entering, reconstructed } from './graph.ts';
import { keptPass } from './keptBlocks.ts';
import { assertLatents, type Sae } from './sae.ts';
import { separatePass, wholePass } from './separateBlocks.ts';

export type { EncodedRows };

/** Values of one matrix, 256 MiB of float32: one of fewer stays in memory, others are read in blocks. */
export const heldValues = 1 << 26;

/** Values of a block at most, 16 MiB: what is larger is not taken from memory that was just freed. */
const blockValues = 1 << 22;

/** Values of rows that are worth one reading of a dictionary: 32 MiB. */
const gatheredValues = 1 << 23;

export interface EncoderRequest {
  /** whose activations are wanted one by one; default none */
  readonly latents?: readonly number[];
  /** whether x̂ is wanted, which takes the decoder too; default no */
  readonly reconstruction?: boolean;
  /** a matrix of fewer values stays in memory, others are read in blocks, of a quarter of `held` at most; default `heldValues` */
  readonly held?: number;
}

export interface SaeEncoder {
  /**
   * Rows to gather for one call: 1 where the dictionary stays in memory, else as many as are worth reading it from
   * disk.
   */
  readonly rowsAtOnce: number;
  /**
   * Of rows [R, d], which count `weights` [R] in sums, by default 1 each. Throws RangeError where these are no
   * whole number of rows, InputError where a weight of the SAE is not finite.
   */
  encode(rows: Float32Array, weights?: Float32Array): Promise<EncodedRows>;
  release(): Promise<void>;
}

/**
 * Opens the SAE for encoding. Of fewer than `held` values of a matrix, or of a kind whose encoder is needed whole, it
 * stays in memory (4·d·N bytes, with the decoder 8·d·N); else memory holds a few blocks, whatever N. Throws
 * RangeError for a latent that the SAE does not have.
 */
export async function openEncoder(
  runtime: Runtime,
  sae: Sae,
  { latents = [], reconstruction = false, held = heldValues }: EncoderRequest = {},
): Promise<SaeEncoder> {
  assertLatents(sae, latents);
  const { width: d, kind } = sae;
  const isWhole = !isReadInBlocks(sae, held);
  const work: BlockWork = {
    runtime,
    sae,
    numbers: await sae.arithmetic(),
    latents,
    decode: reconstruction,
    length: blockLength(Math.min(held / 4, blockValues) / d),
  };
  const pass = await (isWhole ? wholePass(work) : kind.separate ? separatePass(work) : keptPass(work));
  const finish = reconstruction ? await finishing(work) : undefined;
  return {
    rowsAtOnce: isWhole ? 1 : Math.max(1, Math.floor(gatheredValues / d)),
    async encode(rows, weights = new Float32Array(Math.floor(rows.length / d)).fill(1)) {
      if (rows.length !== weights.length * d)
        throw new RangeError(
          `encoder: expected ${weights.length} rows of width ${d}, found ${rows.length} values`,
        );
      const found = new Collected(sae, latents, weights.length, reconstruction);
      if (rows.length > 0) await pass.run({ rows, weights }, found);
      const { total, fired, z, decoded } = found;
      return { total, fired, z, reconstruction: await finish?.run({ rows, weights }, decoded) };
    },
    async release() {
      await Promise.all([pass.release(), finish?.release()]);
    },
  };
}

/** Whether its matrices, of `held` values each or more, are read block by block; its kind must allow that. */
export const isReadInBlocks = ({ width, latents, kind }: Sae, held = heldValues): boolean =>
  width * latents >= held && Boolean(kind.separate || kind.keeps);

/** Some latents' activations alone. */
export interface LatentEncoder extends Pick<SaeEncoder, 'rowsAtOnce' | 'release'> {
  /** z [R, n] of rows [R, d], in the order of the latents */
  encode(rows: Float32Array): Promise<Float32Array>;
}

/**
 * Opens the SAE for some latents: by their own columns of the encoder where the kind's activations are separate, else
 * as openEncoder does. Throws RangeError for a latent that the SAE does not have.
 */
export async function openLatents(
  runtime: Runtime,
  sae: Sae,
  latents: readonly number[],
  held = heldValues,
): Promise<LatentEncoder> {
  if (!sae.kind.separate && isReadInBlocks(sae, held)) {
    const { rowsAtOnce, encode, release } = await openEncoder(runtime, sae, { latents, held });
    return { rowsAtOnce, release, encode: async (rows) => (await encode(rows)).z };
  }
  const { z, weights } = await activationsOn(input('x', ['tokens', sae.width]), sae, latents);
  const session = await runtime.load(simplify({ outputs: { z } }), weights);
  return {
    rowsAtOnce: 1,
    async encode(rows) {
      const x = tensor('f32', [rows.length / sae.width, sae.width], rows);
      return toFloat32((await session.run({ x })).z!);
    },
    release: () => session.release(),
  };
}

/** Latents of a block: at most so many, in whole panels of a matrix product, whose sums do not depend on the block. */
const blockLength = (most: number) => Math.max(1, Math.floor(most < panel ? most : most - (most % panel)));
const panel = 16;

/** x̂ of what was decoded: the bias, and what normalising took off each row. */
async function finishing({ runtime, sae, numbers }: BlockWork) {
  const { width: d } = sae;
  const { bind, feeds } = blockInputs();
  const back = entering(input('x', ['tokens', d]), sae, numbers, bind);
  const reconstruction = reconstructed(input('decoded', ['tokens', d]), back);
  const session = await runtime.load(simplify({ outputs: { reconstruction } }), new Map());
  const fixed = feeds(encoderValues(numbers, new Float32Array(0)), 0);
  return {
    async run(rows: WeightedRows, decoded: Float64Array): Promise<Float32Array> {
      const out = new Float32Array(decoded.length);
      for (const { first, x } of slicesOf(rows, d, d)) {
        const part = new Float32Array(decoded.subarray(first * d, first * d + x.data.length));
        const found = await session.run({ ...fixed, x, decoded: tensor('f32', x.shape, part) });
        out.set(toFloat32(found.reconstruction!), first * d);
      }
      return out;
    },
    release: () => session.release(),
  };
}
