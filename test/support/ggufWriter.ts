/** Writes small GGUF files for tests: valid ones, and ones that are wrong in a chosen place. */
import { packings, type WeightType } from '../../src/files/dequantise.ts';
import { sizeOf } from '../../src/tensor.ts';

/** Numbers of GGUF's value types. */
export const valueTypes = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
};

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

export function text(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([u64(bytes.length), bytes]);
}

/** A metadata entry: its type's number and its encoded value. */
export function entry(key: string | Uint8Array, type: number, value: Uint8Array): Buffer {
  return Buffer.concat([text(key), u32(type), value]);
}

/** An encoded array. */
export function array(
  type: number,
  values: readonly Uint8Array[],
  count: number | bigint = values.length,
): Buffer {
  return Buffer.concat([u32(type), u64(count), ...values]);
}

export interface TestTensor {
  readonly name: string;
  readonly type: WeightType | number;
  /** Row-major. */
  readonly shape: readonly (number | bigint)[];
  readonly data: Uint8Array;
  /** Default: behind the tensor before it, aligned. */
  readonly offset?: number | bigint;
}

export interface TestGguf {
  readonly version?: number;
  readonly alignment?: number;
  readonly metadata?: readonly Uint8Array[];
  readonly tensors?: readonly TestTensor[];
  /** Default: the true counts. */
  readonly counts?: { readonly tensors?: number | bigint; readonly metadata?: number | bigint };
}

export function ggufBytes({ version = 3, alignment, metadata = [], tensors = [], counts }: TestGguf): Buffer {
  const entries = [...metadata];
  if (alignment !== undefined) entries.push(entry('general.alignment', valueTypes.u32, u32(alignment)));
  const align = (n: number) => Math.ceil(n / (alignment ?? 32)) * (alignment ?? 32);
  let end = 0;
  const infos: Buffer[] = [];
  const data: Buffer[] = [];
  for (const tensor of tensors) {
    const type = typeof tensor.type === 'number' ? tensor.type : packings[tensor.type].id;
    const dimensions = [...tensor.shape].reverse().map(u64);
    infos.push(
      text(tensor.name),
      u32(dimensions.length),
      ...dimensions,
      u32(type),
      u64(tensor.offset ?? end),
    );
    data.push(Buffer.concat([tensor.data], align(tensor.data.length)));
    end += align(tensor.data.length);
  }
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(version),
    u64(counts?.tensors ?? tensors.length),
    u64(counts?.metadata ?? entries.length),
    ...entries,
    ...infos,
  ]);
  return Buffer.concat([Buffer.concat([head], align(head.length)), ...data]);
}

/** A tensor whose packed bytes are `byteAt(i)`. */
export function packedTensor(
  name: string,
  type: WeightType,
  shape: readonly number[],
  byteAt: (i: number) => number = (i) => (i * 37) % 120,
): TestTensor {
  const { blockBytes, blockElements } = packings[type];
  return {
    name,
    type,
    shape,
    data: Uint8Array.from({ length: (sizeOf(shape) / blockElements) * blockBytes }, (_, i) => byteAt(i)),
  };
}

/** A float32 tensor. */
export function floatTensor(name: string, shape: readonly number[], values: readonly number[]): TestTensor {
  return { name, type: 'F32', shape, data: new Uint8Array(Float32Array.from(values).buffer) };
}
