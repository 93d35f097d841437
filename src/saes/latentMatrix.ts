/**
 * A matrix with an axis of latents, W_enc [d, N] or W_dec [N, d], read for some latents at a time, so that it may
 * be larger than memory; of any float type and whichever way it lies in its file.
 */
import { bytesPerElement, rowMajor, type StoredView, type Tensor, toFloat32 } from '../tensor.ts';
import type { SaeDecoder } from './decoder.ts';
import { once } from './once.ts';
import { finiteWeights, type StoredWeights, storedWeight, transposed } from './weights.ts';

/** [d, n] of an encoder, [n, d] of a decoder. Throws InputError where a weight is not finite. */
export interface LatentMatrix {
  /** Latents from ≤ i < to. */
  block(from: number, to: number): Promise<Float32Array>;
  /** Single latents, in the order given. */
  of(latents: readonly number[]): Promise<Float32Array>;
}

/** The decoder W_dec [N, d] of these weights. */
export function storedDecoder(weights: StoredWeights): Pick<SaeDecoder, 'rows' | 'of'> {
  const { block, of } = storedMatrix(weights, 'W_dec', 0);
  return { rows: block, of };
}

/** Which axis is the latents': 0 of a decoder [N, d], 1 of an encoder [d, N]. */
type LatentAxis = 0 | 1;

/** Bytes, as stored, that are read at once and kept where a latent's values lie apart: 256 MiB. */
const heldBytes = 2 ** 28;

/** Bytes of a slab that single latents are picked from where a latent's values lie apart: 64 MiB. */
const slabBytes = 2 ** 26;

/** Latents that are read by themselves, however their values lie. */
const fewLatents = 32;

/** Single latents that are read side by side. */
const latentsAtOnce = 16;

/** What of a line could be read in the time that a disk takes to answer: 64 KiB. */
const aloneBytes = 2 ** 16;

/** Rows of values one after the other, as they are stored. */
interface Stored {
  readonly dtype: Tensor['dtype'];
  readonly data: Tensor['data'];
  readonly columns: number;
}

/**
 * The matrix `name` of these weights. Where a latent's values lie one after the other, only what is asked for is
 * read. Where they lie apart, whole lines of the file are longer than memory: latents are then read many at a
 * time, of each line a large piece, and kept as stored until others are asked for: `held` bytes, default 256 MiB.
 * Single latents are then picked from slabs of whole lines, unless reading `alone` bytes (default 64 KiB) for each
 * value of a line would be less.
 */
export function storedMatrix(
  weights: StoredWeights,
  name: string,
  axis: LatentAxis,
  { held = heldBytes, alone = aloneBytes }: { readonly held?: number; readonly alone?: number } = {},
): LatentMatrix {
  const stored = storedWeight(weights, name);
  const strides = stored.strides ?? rowMajor(stored.shape);
  const size = bytesPerElement[stored.dtype];
  const [N, d] = [stored.shape[axis]!, stored.shape[1 - axis]!];
  const together = strides[axis]! >= strides[1 - axis]!;

  /** Some lines, or pieces of lines, in the order of the file. */
  async function read(view: StoredView): Promise<Stored> {
    const inOrder = together === (axis === 0) ? view : transposed(view);
    const { dtype, data } = await weights.read(inOrder);
    return { dtype, data, columns: inOrder.shape[1]! };
  }
  const part = (along: number, from: number, to: number): StoredView => {
    const shape = stored.shape.map((n, i) => (i === along ? to - from : n));
    const offset = stored.offset + from * strides[along]! * size;
    return { ...stored, shape, strides, offset, bytes: shape[0]! * shape[1]! * size };
  };
  /** In float32 and the order that is asked for; `latentAt` says which latent is at a place along its axis. */
  function finished({ dtype, data, columns }: Stored, latentAt: (i: number) => number): Float32Array {
    const n = data.length / d;
    const values = toFloat32({ dtype, data, shape: [data.length / columns, columns] } as Tensor);
    if (values.length !== data.length || data.length !== n * d)
      throw new RangeError(`${weights.where}: tensor ${name}: read ${data.length} values of width ${d}`);
    const turned = together === (axis === 0) ? values : flipped(values, columns);
    return finiteWeights(turned, weights, name, (flat) =>
      axis === 0 ? [latentAt(Math.floor(flat / d)), flat % d] : [Math.floor(flat / n), latentAt(flat % n)],
    );
  }
  const apart = heldParts(N, Math.max(1, Math.floor(held / (d * size))), (from, to) =>
    read(part(axis, from, to)),
  );
  return {
    async block(from, to) {
      const alone = together || to - from <= fewLatents || to - from === N;
      const found = await (alone ? read(part(axis, from, to)) : apart(from, to));
      return finished(found, (i) => from + i);
    },
    async of(latents) {
      const areFew = latents.length * alone < N * size;
      const found = together || areFew ? await eachAlone(latents) : await picked(latents);
      return finished(found, (i) => latents[i]!);
    },
  };

  async function eachAlone(latents: readonly number[]): Promise<Stored> {
    const found: Stored[] = [];
    for (let i = 0; i < latents.length; i += latentsAtOnce)
      found.push(
        ...(await Promise.all(
          latents.slice(i, i + latentsAtOnce).map((latent) => read(part(axis, latent, latent + 1))),
        )),
      );
    const values = { ...beneath(found, d), dtype: stored.dtype };
    return together ? values : turnedStored(values);
  }

  /** Goes over all lines once, in slabs. */
  async function picked(latents: readonly number[]): Promise<Stored> {
    const lines = Math.max(1, Math.floor(slabBytes / (N * size)));
    const slabs: Stored[] = [];
    for (let line = 0; line < d; line += lines) {
      const slab = await read(part(1 - axis, line, Math.min(d, line + lines)));
      slabs.push(columnsOf(slab, latents));
    }
    return { ...beneath(slabs, latents.length), dtype: stored.dtype };
  }
}

const emptyLike = (data: Tensor['data'], length: number): Tensor['data'] =>
  new (data.constructor as new (length: number) => Tensor['data'])(length);

function beneath(parts: readonly Stored[], columns: number): Omit<Stored, 'dtype'> {
  const out = emptyLike(
    parts[0]?.data ?? new Float32Array(0),
    parts.reduce((sum, { data }) => sum + data.length, 0),
  );
  let at = 0;
  for (const { data } of parts) {
    out.set(data as never, at);
    at += data.length;
  }
  return { data: out, columns };
}

function columnsOf({ dtype, data, columns }: Stored, chosen: readonly number[]): Stored {
  const rows = data.length / columns;
  const out = emptyLike(data, rows * chosen.length);
  for (let row = 0; row < rows; row++)
    for (const [i, column] of chosen.entries()) out[row * chosen.length + i] = data[row * columns + column]!;
  return { dtype, data: out, columns: chosen.length };
}

/**
 * Columns from ≤ i < to of a matrix of N that is read `length` columns at a time; the last that was read is kept,
 * until the end is reached.
 */
function heldParts(N: number, length: number, read: (from: number, to: number) => Promise<Stored>) {
  let kept: { readonly first: number; readonly values: Promise<Stored> } | undefined;
  const partAt = (first: number) => {
    if (kept?.first !== first) kept = { first, values: read(first, Math.min(first + length, N)) };
    return kept.values;
  };
  return async (from: number, to: number): Promise<Stored> => {
    let out: Stored | undefined;
    for (let at = from; at < to; ) {
      const first = at - (at % length);
      const end = Math.min(to, first + length);
      const { dtype, data, columns } = await partAt(first);
      const rows = data.length / columns;
      out ??= { dtype, data: emptyLike(data, rows * (to - from)), columns: to - from };
      for (let row = 0; row < rows; row++)
        out.data.set(
          data.subarray(row * columns + at - first, row * columns + end - first) as never,
          row * (to - from) + at - from,
        );
      at = end;
    }
    if (to === N) kept = undefined;
    return out!;
  };
}

/** Columns and rows of a square that is turned at once, so that both stay in the cache. */
const tile = 32;

/** The transpose of a matrix with so many columns. */
function flipped(values: Float32Array, columns: number): Float32Array {
  const rows = values.length / columns;
  const out = new Float32Array(values.length);
  for (let top = 0; top < rows; top += tile)
    for (let left = 0; left < columns; left += tile) {
      const [bottom, right] = [Math.min(rows, top + tile), Math.min(columns, left + tile)];
      for (let column = left; column < right; column++)
        for (let row = top; row < bottom; row++) out[column * rows + row] = values[row * columns + column]!;
    }
  return out;
}

/** The transpose of a few rows as stored. */
function turnedStored({ dtype, data, columns }: Stored): Stored {
  const rows = data.length / columns;
  const out = emptyLike(data, data.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = data[row * columns + column]!;
  return { dtype, data: out, columns: rows };
}

/** An encoder [d, N] that is read whole, once, when it is first asked for; for formats that hold little. */
export function wholeEncoder(latents: number, read: () => Promise<Float32Array>): LatentMatrix {
  const whole = once(read);
  const pick = async (chosen: readonly number[]) =>
    columnsOf({ dtype: 'f32', data: await whole(), columns: latents }, chosen).data as Float32Array;
  return {
    block: (from, to) => pick(Array.from({ length: to - from }, (_, i) => from + i)),
    of: pick,
  };
}
