/**
 * The header of a .npy array: its type, its order and its shape. Touches no disk. Format:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { InputError } from '../errors.ts';
import { bytesPerElement, type DType } from '../tensor.ts';
import { checkedProduct, quoted } from './bytes.ts';

export interface NpyHeader {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** whether the first index runs fastest */
  readonly fortranOrder: boolean;
  /** where the values begin */
  readonly dataStart: number;
  /** how many bytes they take */
  readonly bytes: number;
}

/** Longest header that is read; numpy writes 118 bytes for a matrix. */
export const longestNpyHeader = 2 ** 13;

/** By numpy's name of a type, little-endian. */
const dtypes: Readonly<Record<string, DType>> = {
  '<f8': 'f64',
  '<f4': 'f32',
  '<f2': 'f16',
  '<i8': 'i64',
  '<i4': 'i32',
  '<i2': 'i16',
  '|i1': 'i8',
  '<u8': 'u64',
  '<u4': 'u32',
  '<u2': 'u16',
  '|u1': 'u8',
  '|b1': 'bool',
};

/** The dictionary that the header is, with its keys in the order in which numpy writes them. */
const literal =
  /^\{'descr': '([^'\\]{1,20})', 'fortran_order': (True|False), 'shape': \(((?:\d{1,16}, ?){0,8}\d{0,16})\), ?\} *\n?$/;

/**
 * The header at the start of `bytes`. Throws InputError, beginning with `where`, where it is malformed or of a
 * type that is not read: big-endian, complex, objects, records.
 */
export function parseNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = Buffer.from(bytes.subarray(0, 6)).toString('latin1');
  if (bytes.length < 10 || magic !== '\x93NUMPY')
    throw new InputError(`${where}: expected a .npy array, found ${quoted(magic)}`);
  const version = bytes[6]!;
  if (version < 1 || version > 3 || (version > 1 && bytes.length < 12))
    throw new InputError(`${where}: expected .npy of version 1, 2 or 3, found ${version}`);
  const textStart = version === 1 ? 10 : 12;
  const dataStart = textStart + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (dataStart > bytes.length)
    throw new InputError(
      `${where}: expected a header of at most ${bytes.length} bytes, found one of ${dataStart}`,
    );
  const text = Buffer.from(bytes.subarray(textStart, dataStart)).toString('latin1');
  const [whole, descr, order, sizes] = literal.exec(text) ?? [];
  if (whole === undefined)
    throw new InputError(
      `${where}: expected a header with descr, fortran_order and shape, found ${quoted(text)}`,
    );
  const dtype = Object.hasOwn(dtypes, descr!) ? dtypes[descr!] : undefined;
  if (dtype === undefined)
    throw new InputError(
      `${where}: expected an array of ${Object.keys(dtypes).join(' ')}, found ${quoted(descr!)}`,
    );
  const shape = shapeOf(sizes!, where);
  const size = checkedProduct(shape, bytesPerElement[dtype], where);
  return { dtype, shape, fortranOrder: order === 'True', dataStart, bytes: size };
}

/** `16, 64`, or `64,` for a vector; nothing for a scalar. */
function shapeOf(text: string, where: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  const isTuple = text === '' || parts.length > 1;
  const sizes = parts.at(-1) === '' ? parts.slice(0, -1) : parts;
  if (!isTuple || sizes.some((part) => !Number.isSafeInteger(Number(part))))
    throw new InputError(`${where}: expected a shape, found ${quoted(`(${text})`)}`);
  return sizes.map(Number);
}
