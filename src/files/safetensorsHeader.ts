/**
 * The header of a safetensors file, from and to bytes: an 8-byte length, then JSON that names each tensor's
 * dtype, shape and place. Every value is checked, as the format's own library does, before anything is
 * sized by it. Touches no disk. Format: https://github.com/huggingface/safetensors
 */
import { InputError } from '../errors.ts';
import { bytesPerElement, type DType, type StoredTensor, sizeOf } from '../tensor.ts';
import { checkedProduct, quoted, shownShape } from './bytes.ts';
import { described } from './schema.ts';
import { isObject, parseObject } from './strictJson.ts';

/** What a header says: free text, and the tensors in the order of their bytes. */
export interface SafetensorsHeader {
  readonly metadata: Record<string, string>;
  readonly tensors: Map<string, StoredTensor>;
}

/** A tensor to be laid out in a file. */
export interface TensorLayout {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Where a header stands: its file, where the data begin and where they must end. */
interface Place {
  readonly file: string;
  readonly dataStart: number;
  readonly fileBytes: number;
}

/** Data begin at a multiple of this, so that a reader may map the file. */
const alignment = 64;

/** The outermost object, a tensor's, its shape. */
const depth = 3;

/**
 * Parses the JSON part of a header. Throws InputError where a value is malformed, or where the tensors do
 * not cover the data exactly: truncation, bytes left over, holes, overlaps.
 */
export function parseHeader(json: Uint8Array, place: Place): SafetensorsHeader {
  const object = parseObject(json, `${place.file}: header`, depth);
  const tensors: [string, StoredTensor][] = [];
  let metadata: Record<string, string> = {};
  for (const name of Object.keys(object))
    if (name === '__metadata__') metadata = parseMetadata(object[name], place.file);
    else tensors.push([name, parseTensor(name, object[name], place)]);
  tensors.sort(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes);
  checkCover(tensors, place);
  return { metadata, tensors: new Map(tensors) };
}

/** `null` stands for none, as in the format's own library. */
function parseMetadata(value: unknown, file: string): Record<string, string> {
  if (value === null) return {};
  if (!isObject(value)) throw new InputError(`${file}: __metadata__: expected an object of strings`);
  for (const [key, text] of Object.entries(value))
    if (typeof text !== 'string')
      throw new InputError(`${file}: __metadata__ ${quoted(key)}: expected a string`);
  return value as Record<string, string>;
}

function parseTensor(name: string, entry: unknown, { file, dataStart, fileBytes }: Place): StoredTensor {
  const where = `${file}: tensor ${quoted(name)}`;
  if (!isObject(entry))
    throw new InputError(`${where}: expected an object with dtype, shape and data_offsets`);
  const dtype = parseDType(entry.dtype, where);
  const shape = parseIntegers(entry.shape, `${where}: shape`);
  const offsets = parseIntegers(entry.data_offsets, `${where}: data_offsets`);
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2 || begin > end)
    throw new InputError(`${where}: expected data_offsets [begin, end], found ${shownShape(offsets)}`);
  const bytes = checkedProduct(shape, bytesPerElement[dtype], where);
  if (end - begin !== bytes)
    throw new InputError(
      `${where}: ${dtype} ${shownShape(shape)} takes ${bytes} bytes, its data_offsets ${end - begin}`,
    );
  if (dataStart + end > fileBytes)
    throw new InputError(
      `${where}: truncated: expected ${dataStart + end} bytes or more, found ${fileBytes}`,
    );
  return { dtype, shape, file, offset: dataStart + begin, bytes };
}

function parseDType(value: unknown, where: string): DType {
  const dtype = typeof value === 'string' ? value.toLowerCase() : '';
  if (!Object.hasOwn(bytesPerElement, dtype) || value !== dtype.toUpperCase()) {
    const known = Object.keys(bytesPerElement).join(' ').toUpperCase();
    throw new InputError(`${where}: expected a dtype of ${known}, found ${described(value)}`);
  }
  return dtype as DType;
}

function parseIntegers(value: unknown, where: string): number[] {
  if (!Array.isArray(value)) throw new InputError(`${where}: expected an array of integers`);
  for (const n of value)
    if (!Number.isSafeInteger(n) || n < 0)
      throw new InputError(`${where}: expected integers from 0 to 2^53 - 1, found ${described(n)}`);
  return value;
}

function checkCover(tensors: readonly [string, StoredTensor][], { file, dataStart, fileBytes }: Place): void {
  let end = dataStart;
  for (const [name, { offset, bytes }] of tensors) {
    if (offset !== end) {
      const fault = offset < end ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw new InputError(`${file}: tensor ${quoted(name)} ${fault}: expected byte ${end}, found ${offset}`);
    }
    end += bytes;
  }
  if (end !== fileBytes) throw new InputError(`${file}: expected ${end} bytes, found ${fileBytes}`);
}

/**
 * The first bytes of a safetensors file whose tensors follow one another in the given order: length and
 * JSON, padded with spaces up to where the data begin. Throws RangeError where two tensors share a name.
 */
export function formatHeader(tensors: readonly TensorLayout[], metadata: Record<string, string>): Buffer {
  const names = new Set(['__metadata__', ...tensors.map(({ name }) => name)]);
  if (names.size !== tensors.length + 1)
    throw new RangeError('safetensors: two tensors share a name, or one is called __metadata__');
  let end = 0;
  const entries: [string, unknown][] = tensors.map(({ name, dtype, shape }) => {
    const begin = end;
    end += bytesOf(dtype, shape);
    return [name, { dtype: dtype.toUpperCase(), shape, data_offsets: [begin, end] }];
  });
  if (Object.keys(metadata).length > 0) entries.unshift(['__metadata__', metadata]);
  const json = `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(',')}}`;
  const length = Math.ceil((8 + Buffer.byteLength(json)) / alignment) * alignment;
  const bytes = Buffer.alloc(length, ' ');
  bytes.writeBigUInt64LE(BigInt(length - 8));
  bytes.write(json, 8);
  return bytes;
}

/** Bytes that a tensor takes in a file. */
export function bytesOf(dtype: DType, shape: readonly number[]): number {
  return sizeOf(shape) * bytesPerElement[dtype];
}
