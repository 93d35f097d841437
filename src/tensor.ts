/**
 * The one value shared by every part: a dense row-major array with its element type and shape; and the
 * description of one that still lies in a file. Knows nothing of graphs, runtimes or formats.
 */

/** Element types of tensors in memory. `f16` and `bf16` hold raw bits (Node 20 has no Float16Array). */
export type DType =
  | 'f64'
  | 'f32'
  | 'f16'
  | 'bf16'
  | 'i64'
  | 'i32'
  | 'i16'
  | 'i8'
  | 'u64'
  | 'u32'
  | 'u16'
  | 'u8'
  | 'bool';

export interface ArrayOf {
  f64: Float64Array;
  f32: Float32Array;
  f16: Uint16Array;
  bf16: Uint16Array;
  i64: BigInt64Array;
  i32: Int32Array;
  i16: Int16Array;
  i8: Int8Array;
  u64: BigUint64Array;
  u32: Uint32Array;
  u16: Uint16Array;
  u8: Uint8Array;
  bool: Uint8Array;
}

export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: ArrayOf[D];
}

/** A tensor that lies in a file: `bytes` bytes, little-endian and row-major, from byte `offset` of `file`. */
export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * A tensor in a file whose values may lie otherwise than row-major: element (i, j, ...) is
 * i·strides[0] + j·strides[1] + ... elements after `offset`. Without strides it is row-major. `bytes` counts its
 * own values.
 */
export interface StoredView extends StoredTensor {
  readonly strides?: readonly number[];
}

export const bytesPerElement: Record<DType, number> = {
  f64: 8,
  f32: 4,
  f16: 2,
  bf16: 2,
  i64: 8,
  i32: 4,
  i16: 2,
  i8: 1,
  u64: 8,
  u32: 4,
  u16: 2,
  u8: 1,
  bool: 1,
};

/** Whether elements of this type are floating-point numbers. */
export const isFloat = (dtype: DType): boolean => /^b?f\d/.test(dtype);

/** Number of elements of a shape; 1 for the scalar shape []. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Strides of a row-major array of this shape, in elements. */
export const rowMajor = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/** Whether the view's values lie row-major, one after the other. */
export const isDense = ({ shape, strides }: StoredView): boolean => {
  const dense = rowMajor(shape);
  return strides === undefined || shape.every((n, axis) => n === 1 || strides[axis] === dense[axis]);
};

const arrays = {
  f64: Float64Array,
  f32: Float32Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  i64: BigInt64Array,
  i32: Int32Array,
  i16: Int16Array,
  i8: Int8Array,
  u64: BigUint64Array,
  u32: Uint32Array,
  u16: Uint16Array,
  u8: Uint8Array,
  bool: Uint8Array,
} as const;

/** A new zero-filled array of `length` elements. */
export function allocate<D extends DType>(dtype: D, length: number): ArrayOf[D] {
  return new arrays[dtype](length) as ArrayOf[D];
}

/** A tensor over `data`; throws RangeError where data and shape disagree in size. */
export function tensor<D extends DType>(dtype: D, shape: readonly number[], data: ArrayOf[D]): Tensor<D> {
  if (data.length !== sizeOf(shape))
    throw new RangeError(`tensor: shape [${shape}] holds ${sizeOf(shape)} elements, the data ${data.length}`);
  return { dtype, shape, data };
}

/** A float32 tensor from plain numbers. */
export function f32(shape: readonly number[], values: ArrayLike<number>): Tensor<'f32'> {
  return tensor('f32', shape, Float32Array.from(values));
}

/** An int64 tensor from plain integers. */
export function i64(shape: readonly number[], values: ArrayLike<number>): Tensor<'i64'> {
  return tensor('i64', shape, BigInt64Array.from(Array.from(values, BigInt)));
}

/** The tensor's array viewed as `dtype`; throws TypeError where the tensor has another element type. */
export function dataOf<D extends DType>(t: Tensor, dtype: D): ArrayOf[D] {
  if (t.dtype !== dtype) throw new TypeError(`expected a tensor of ${dtype}, found ${t.dtype}`);
  return t.data as ArrayOf[D];
}

/** The elements as float32, widened or rounded from any float type; throws TypeError for integer types. */
export function toFloat32(t: Tensor): Float32Array {
  switch (t.dtype) {
    case 'f32':
      return t.data as Float32Array;
    case 'f64':
      return new Float32Array(t.data as Float64Array);
    case 'f16':
      return widenHalves(t.data as Uint16Array);
    case 'bf16':
      return widenBrains(t.data as Uint16Array);
    default:
      throw new TypeError(`expected a float tensor, found ${t.dtype}`);
  }
}

function widenHalves(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = halves[bits[i]!]!;
  return out;
}

function widenBrains(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i]! << 16;
  return new Float32Array(out.buffer);
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const halves = Float32Array.from({ length: 2 ** 16 }, (_, bits) => halfValue(bits));

/** IEEE 754 binary16 bits to the number they stand for, by a table of all of them. */
export const halfToNumber = (bits: number): number => halves[bits]!;
