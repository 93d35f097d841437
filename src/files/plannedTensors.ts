/**
 * Tensors of a GGUF file as float32, under the names and in the order that a plan asks for, produced in pieces
 * so that no tensor need fit in memory, but one that is transposed or interleaved. Knows what llama.cpp's converter
 * does to tensors, but not to which.
 */
import { InputError } from '../errors.ts';
import { sizeOf } from '../tensor.ts';
import { quoted, readInto, type SourceFile } from './bytes.ts';
import { packings } from './dequantise.ts';
import type { GgufFile, GgufTensor } from './gguf.ts';
import type { TensorLayout } from './safetensorsHeader.ts';

/** A tensor to be made: the GGUF tensor `source` under the name `target`. */
export interface PlannedTensor {
  readonly target: string;
  readonly source: string;
  /**
   * Number of heads n whose rows llama.cpp's converter permuted for its rotary embedding (weights and
   * biases of q and k): rows [n, hd/2, 2] become [n, 2, hd/2] again, as in transformers. Default: the rows
   * stay.
   */
  readonly unpermuteHeads?: number;
  /**
   * Number of heads n whose queries, keys and values the converter put together by kind: rows [3, n, hd] become
   * [n, 3, hd] again, as in GPT-NeoX. Default: the rows stay.
   */
  readonly interleaveHeads?: number;
  /** Whether the converter transposed the matrix. Default not. */
  readonly transposed?: boolean;
  /** What is added to each value, as −1 to norms to which the converter added 1. Default 0. */
  readonly offset?: number;
}

/** A planned tensor found in its file. */
export interface LaidTensor extends TensorLayout {
  readonly dtype: 'f32';
  readonly source: GgufTensor;
  readonly heads: number | undefined;
  readonly offset: number;
  /** places of the source's elements in the order that is wanted; default their own */
  readonly order?: (at: number) => number;
}

/** Elements of a piece: 16 MiB of float32. */
const pieceElements = 2 ** 22;

/**
 * Finds the tensors of `plan` in `gguf`; throws InputError where one is missing, named twice or cannot be
 * unpermuted.
 */
export function layOut(gguf: GgufFile, plan: readonly PlannedTensor[]): LaidTensor[] {
  const targets = new Set<string>();
  return plan.map((planned) => {
    const { target, source: name, unpermuteHeads: heads, offset = 0 } = planned;
    const source = gguf.tensors.get(name);
    if (!source) throw new InputError(`${gguf.path}: expected a tensor ${quoted(name)}, found none`);
    if (targets.has(target))
      throw new InputError(`${gguf.path}: two tensors are to be called ${quoted(target)}`);
    targets.add(target);
    const rows = source.shape[0] ?? 1;
    if (heads !== undefined && !(Number.isSafeInteger(heads) && heads > 0 && rows % (2 * heads) === 0))
      throw new InputError(
        `${gguf.path}: tensor ${quoted(name)}: expected rows in ${heads} heads of even size, found ${rows} rows`,
      );
    return {
      name: target,
      dtype: 'f32',
      source,
      heads,
      offset,
      ...rearranged(planned, source.shape, `${gguf.path}: tensor ${quoted(name)}`),
    };
  });
}

/** The shape of a tensor that is transposed or interleaved, and where each element of it lies in the source. */
function rearranged(
  { transposed, interleaveHeads: heads }: PlannedTensor,
  shape: readonly number[],
  where: string,
): Pick<LaidTensor, 'shape' | 'order'> {
  const [rows = 1, ...rest] = shape;
  const row = sizeOf(rest);
  if (transposed) {
    if (shape.length !== 2) throw new InputError(`${where}: expected a matrix, found [${shape}]`);
    return { shape: [row, rows], order: (at) => (at % rows) * row + Math.floor(at / rows) };
  }
  if (heads === undefined) return { shape };
  if (!(Number.isSafeInteger(heads) && heads > 0 && rows % (3 * heads) === 0))
    throw new InputError(`${where}: expected rows of ${heads} heads three times, found ${rows} rows`);
  const width = rows / heads / 3;
  const sourceRow = (to: number) => {
    const [head, kind] = [Math.floor(to / (3 * width)), Math.floor(to / width) % 3];
    return (kind * heads + head) * width + (to % width);
  };
  return { shape, order: (at) => sourceRow(Math.floor(at / row)) * row + (at % row) };
}

/** The float32 values of a tensor in order. A piece is overwritten once the next is asked for. */
export async function* dequantisedPieces(file: SourceFile, tensor: LaidTensor): AsyncGenerator<Float32Array> {
  const { source, heads, offset, order } = tensor;
  const { blockElements, blockBytes, dequantise } = packings[source.type];
  const total = sizeOf(source.shape);
  const headElements = heads === undefined ? 1 : total / heads;
  const unit = order ? total : leastCommonMultiple(headElements, blockElements);
  const length = Math.min(total, unit * Math.max(1, Math.floor(pieceElements / unit)));
  const packed = new Uint8Array((length / blockElements) * blockBytes);
  const values = new Float32Array(length);
  const unpermuted = heads === undefined ? values : new Float32Array(length);
  for (let done = 0; done < total; done += length) {
    const count = Math.min(length, total - done);
    const bytes = packed.subarray(0, (count / blockElements) * blockBytes);
    await readInto(file, bytes, source.offset + (done / blockElements) * blockBytes);
    dequantise(bytes, values.subarray(0, count));
    if (offset !== 0) for (let i = 0; i < count; i++) values[i]! += offset;
    if (heads !== undefined) unpermute(values, unpermuted, { count, heads, shape: source.shape });
    yield order ? values.map((_, at) => values[order(at)]!) : unpermuted.subarray(0, count);
  }
}

/** The first `count` elements, whole heads, from rows [hd/2, 2] to rows [2, hd/2] in each head. */
function unpermute(
  from: Float32Array,
  to: Float32Array,
  { count, heads, shape }: { count: number; heads: number; shape: readonly number[] },
): void {
  const row = sizeOf(shape.slice(1));
  const half = (shape[0] ?? 1) / heads / 2;
  for (let head = 0; head < count; head += 2 * half * row)
    for (let i = 0; i < 2 * half; i++) {
      const start = head + i * row;
      to.set(from.subarray(start, start + row), head + ((i % 2) * half + Math.floor(i / 2)) * row);
    }
}

function leastCommonMultiple(a: number, b: number): number {
  return (a / greatestCommonDivisor(a, b)) * b;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
