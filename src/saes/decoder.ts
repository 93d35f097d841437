/**
 * The decoder matrix behind its rows: unit directions with their norms apart, read in chunks, so that a
 * dictionary larger than memory works. Does not know where the rows come from.
 */
import { ranges, readAhead, type Span } from './readAhead.ts';

/**
 * Rows from ≤ i < to of the decoder as published, [to − from, d]; every value finite. The result is the caller's
 * own, who may write to it.
 */
type RowSource = (from: number, to: number) => Promise<Float32Array>;

export interface SaeDecoder {
  readonly width: number;
  readonly latents: number;
  readonly rows: RowSource;
  /** Rows [n, d] of single latents, as `rows` gives them; default one by one. */
  readonly of?: ((latents: readonly number[]) => Promise<Float32Array>) | undefined;
}

/** Values read at once while going over the whole decoder: 16 MiB of float32. */
const chunkValues = 1 << 22;

/** Unit directions [to − from, d]; a row of norm 0 stays all zeros. Throws RangeError outside 0..N. */
export async function unitRows(decoder: SaeDecoder, from: number, to: number): Promise<Float32Array> {
  assertRange('decoder rows', decoder.latents, from, to);
  return madeUnit(await decoder.rows(from, to), decoder.width);
}

/** Unit directions [n, d] of single latents; a row of norm 0 stays all zeros. */
export async function unitRowsOf(decoder: SaeDecoder, latents: readonly number[]): Promise<Float32Array> {
  if (decoder.of) return madeUnit(await decoder.of(latents), decoder.width);
  const out = new Float32Array(latents.length * decoder.width);
  for (const [i, latent] of latents.entries())
    out.set(await unitRows(decoder, latent, latent + 1), i * decoder.width);
  return out;
}

function madeUnit(rows: Float32Array, width: number): Float32Array {
  for (let start = 0; start < rows.length; start += width) {
    const norm = normOf(rows, start, width);
    if (norm > 0) for (let j = start; j < start + width; j++) rows[j] = rows[j]! / norm;
  }
  return rows;
}

/** Throws RangeError unless from ≤ to are whole numbers within 0..N. */
export function assertRange(what: string, latents: number, from: number, to: number): void {
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || from > to || to > latents)
    throw new RangeError(`${what} ${from}..${to}: expected a range within 0..${latents}`);
}

/** Norms [N] of the published rows. */
export async function decoderRowNorms(decoder: SaeDecoder): Promise<Float32Array> {
  const norms = new Float32Array(decoder.latents);
  const read = ([from, to]: Span) => decoder.rows(from, to);
  const { width, latents } = decoder;
  const chunks = ranges(latents, Math.max(1, Math.floor(chunkValues / width)));
  for await (const [[from, to], rows] of readAhead(chunks, read))
    for (let i = from; i < to; i++) norms[i] = normOf(rows, (i - from) * width, width);
  return norms;
}

function normOf(values: Float32Array, start: number, length: number): number {
  let sum = 0;
  for (let j = start; j < start + length; j++) sum += values[j]! ** 2;
  return Math.sqrt(sum);
}
