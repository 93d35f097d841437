/**
 * The decoder matrix behind its rows: unit directions with their norms apart, read in chunks, so that a
 * dictionary larger than memory works. Does not know where the rows come from.
 */

/**
 * Rows from ≤ i < to of the decoder as published, [to − from, d]; every value finite. The caller keeps off
 * the result.
 */
type RowSource = (from: number, to: number) => Promise<Float32Array>;

export interface SaeDecoder {
  readonly width: number;
  readonly latents: number;
  readonly rows: RowSource;
}

/** Values read at once while going over the whole decoder: 4 MiB of float32. */
const chunkValues = 1 << 20;

/** Values of a block, 64 MiB of float32, and the most rows that are read alone. */
const blockValues = 1 << 24;
const fewRows = 32;

/**
 * The decoder read in large blocks, the last of which is kept: for rows whose values lie apart, where a read of
 * many costs hardly more than one of few.
 */
export function inBlocks({ rows, ...sizes }: SaeDecoder): SaeDecoder {
  const { width, latents } = sizes;
  const length = Math.max(1, Math.floor(blockValues / width));
  let held: { readonly first: number; readonly values: Promise<Float32Array> } | undefined;
  const blockAt = (first: number) => {
    if (held?.first !== first) held = { first, values: rows(first, Math.min(first + length, latents)) };
    return held.values;
  };
  return {
    ...sizes,
    async rows(from, to) {
      if (to - from <= fewRows) return rows(from, to);
      const out = new Float32Array((to - from) * width);
      for (let at = from; at < to; ) {
        const first = at - (at % length);
        const end = Math.min(to, first + length);
        const block = await blockAt(first);
        out.set(block.subarray((at - first) * width, (end - first) * width), (at - from) * width);
        at = end;
      }
      return out;
    },
  };
}

/** Unit directions [to − from, d]; a row of norm 0 stays all zeros. Throws RangeError outside 0..N. */
export async function unitRows(decoder: SaeDecoder, from: number, to: number): Promise<Float32Array> {
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || from > to || to > decoder.latents)
    throw new RangeError(`decoder rows ${from}..${to}: expected a range within 0..${decoder.latents}`);
  const rows = Float32Array.from(await decoder.rows(from, to));
  const { width } = decoder;
  for (let start = 0; start < rows.length; start += width) {
    const norm = normOf(rows, start, width);
    if (norm > 0) for (let j = start; j < start + width; j++) rows[j] = rows[j]! / norm;
  }
  return rows;
}

/** Norms [N] of the published rows. */
export async function decoderRowNorms(decoder: SaeDecoder): Promise<Float32Array> {
  const norms = new Float32Array(decoder.latents);
  for (const [from, to] of chunks(decoder)) {
    const rows = await decoder.rows(from, to);
    for (let i = from; i < to; i++) norms[i] = normOf(rows, (i - from) * decoder.width, decoder.width);
  }
  return norms;
}

function* chunks({ width, latents }: SaeDecoder): Generator<[from: number, to: number]> {
  const step = Math.max(1, Math.floor(chunkValues / width));
  for (let from = 0; from < latents; from += step) yield [from, Math.min(from + step, latents)];
}

function normOf(values: Float32Array, start: number, length: number): number {
  let sum = 0;
  for (let j = start; j < start + length; j++) sum += values[j]! ** 2;
  return Math.sqrt(sum);
}
