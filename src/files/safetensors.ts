/**
 * Tensors in safetensors files: finds, reads and writes them in pieces, so that a file may be larger than
 * memory and a tensor larger than one read. Assumes a little-endian machine, as ONNX Runtime does. Knows no
 * model.
 */
import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { isAbsolute, join, normalize } from 'node:path';
import { InputError } from '../errors.ts';
import {
  allocate,
  bytesPerElement,
  type DType,
  type StoredTensor,
  sizeOf,
  type Tensor,
  tensor,
} from '../tensor.ts';
import { replaceFile } from './atomic.ts';
import { piecesOf, quoted, readInto, type SourceFile, withFile } from './bytes.ts';
import { isFolderThere, isThere } from './ifThere.ts';
import {
  bytesOf,
  formatHeader,
  parseHeader,
  type SafetensorsHeader,
  type TensorLayout,
} from './safetensorsHeader.ts';
import { described } from './schema.ts';
import { isObject, parseObject } from './strictJson.ts';

/** A safetensors file whose header has been checked against the file's size; its data are still on disk. */
export interface SafetensorsFile extends SafetensorsHeader {
  readonly path: string;
}

/** Longest header that the format's own library accepts; we hold the index of a sharded model to the same. */
const maxJsonBytes = 100_000_000;

/**
 * Reads and checks the header of the safetensors file `path`; `tensors` are in the order of their bytes.
 * Throws InputError where the file is missing, truncated or malformed.
 */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsFile> {
  return withFile(path, async (file) => {
    const prefix = new BigUint64Array(1);
    if (file.size < 8) throw new InputError(`${path}: expected 8 bytes or more, found ${file.size}`);
    await readInto(file, prefix, 0);
    const length = prefix[0] ?? 0n;
    if (length > maxJsonBytes)
      throw new InputError(`${path}: not a safetensors file: its header would take ${length} bytes`);
    const dataStart = 8 + Number(length);
    const header = parseHeader(await readJson(file, 8, dataStart), {
      file: path,
      dataStart,
      fileBytes: file.size,
    });
    return { path, ...header };
  });
}

async function readJson(file: SourceFile, begin: number, end: number): Promise<Uint8Array> {
  if (end > file.size)
    throw new InputError(`${file.path}: truncated: expected ${end} bytes or more, found ${file.size}`);
  const bytes = new Uint8Array(end - begin);
  await readInto(file, bytes, begin);
  return bytes;
}

/**
 * The tensors of a model by name. `path` is a safetensors file, or a folder with `model.safetensors`, or a
 * folder with `model.safetensors.index.json` and the shards that it lists (a tensor that it does not list
 * is left out). Throws InputError where a file is missing or malformed, a shard lies outside the folder or
 * lacks a listed tensor.
 */
export async function openSafetensors(path: string): Promise<Map<string, StoredTensor>> {
  if (!(await isFolderThere(path))) return (await readSafetensorsHeader(path)).tensors;
  const single = join(path, 'model.safetensors');
  if (await isThere(single)) return (await readSafetensorsHeader(single)).tensors;
  const index = join(path, 'model.safetensors.index.json');
  if (await isThere(index)) return openShards(path, index);
  throw new InputError(`${path}: expected model.safetensors or model.safetensors.index.json in this folder`);
}

async function openShards(folder: string, index: string): Promise<Map<string, StoredTensor>> {
  const shards = new Map<string, SafetensorsFile>();
  const tensors = new Map<string, StoredTensor>();
  for (const [name, shard] of await readWeightMap(index)) {
    const file = shards.get(shard) ?? (await readSafetensorsHeader(join(folder, shard)));
    shards.set(shard, file);
    const stored = file.tensors.get(name);
    if (!stored)
      throw new InputError(`${file.path}: tensor ${quoted(name)} is missing, though ${index} lists it`);
    tensors.set(name, stored);
  }
  return tensors;
}

async function readWeightMap(index: string): Promise<[name: string, shard: string][]> {
  const json = await withFile(index, async (file) => {
    if (file.size > maxJsonBytes)
      throw new InputError(`${index}: ${file.size} bytes are too many for an index`);
    return parseObject(await readJson(file, 0, file.size), index, 3);
  });
  if (!isObject(json.weight_map)) throw new InputError(`${index}: weight_map: expected an object`);
  return Object.entries(json.weight_map).map(([name, shard]) => {
    if (typeof shard !== 'string' || !staysInside(shard))
      throw new InputError(
        `${index}: weight_map ${quoted(name)}: expected a file in this folder, found ${described(shard)}`,
      );
    return [name, shard];
  });
}

function staysInside(relative: string): boolean {
  return relative !== '' && !isAbsolute(relative) && !/^\.\.?([/\\]|$)/.test(normalize(relative));
}

/**
 * Reads a tensor whole into an array of its own, in pieces.
 * Throws InputError where the file has become shorter or the tensor does not fit in memory.
 */
export async function readTensor<D extends DType>(
  stored: StoredTensor & { readonly dtype: D },
): Promise<Tensor<D>> {
  return withFile(stored.file, async (file) => {
    const end = stored.offset + stored.bytes;
    if (end > file.size)
      throw new InputError(`${file.path}: truncated: expected ${end} bytes or more, found ${file.size}`);
    const data = allocateFor(stored);
    await readInto(file, data, stored.offset);
    return tensor(stored.dtype, stored.shape, data);
  });
}

function allocateFor<D extends DType>(stored: StoredTensor & { readonly dtype: D }) {
  try {
    return allocate(stored.dtype, sizeOf(stored.shape));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(`${stored.file}: a tensor of ${stored.bytes} bytes does not fit in memory`);
  }
}

/** Writes `tensors` to the safetensors file `path`: whole, or not at all. See `writeSafetensorsStream`. */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>> | Iterable<readonly [string, Tensor]>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const pairs = Symbol.iterator in tensors ? [...tensors] : Object.entries(tensors);
  const entries = pairs.map(([name, { dtype, shape, data }]) => ({
    name,
    dtype,
    shape,
    produce: async () => data,
  }));
  await writeSafetensorsStream(path, entries, metadata);
}

/**
 * A tensor of a file to be written: what it is, and its bytes (little-endian, row-major) when their turn
 * comes.
 */
export interface StreamedTensor extends TensorLayout {
  /** All bytes at once or in pieces. A piece may be overwritten once the next is asked for. */
  readonly produce: () => Promise<ArrayBufferView> | AsyncIterable<ArrayBufferView>;
}

/**
 * Writes a safetensors file tensor by tensor: into a temporary file in the same folder, which then replaces
 * `path`. Larger element types come first, so that each tensor is aligned to its own; otherwise the order
 * is kept. The metadata key `checksumKey`, if given, receives the SHA-256 of the data (64 hexadecimal
 * digits). Throws InputError where the disk is full or the folder not writable; RangeError where names
 * repeat or a tensor produces another number of bytes than its shape takes.
 */
export async function writeSafetensorsStream(
  path: string,
  entries: readonly StreamedTensor[],
  metadata: Record<string, string> = {},
  checksumKey?: string,
): Promise<void> {
  const ordered = entries.toSorted((a, b) => bytesPerElement[b.dtype] - bytesPerElement[a.dtype]);
  const headerWith = (checksum: string) =>
    formatHeader(ordered, checksumKey === undefined ? metadata : { ...metadata, [checksumKey]: checksum });
  const dataStart = headerWith('0'.repeat(64)).length;
  await replaceFile(path, async (file) => {
    const hash = createHash('sha256');
    let position = dataStart;
    for (const entry of ordered) position = await writeTensor(file, entry, position, hash);
    // Last: until it stands there, the file has a header of length 0, which no reader accepts.
    await writeAt(file, headerWith(hash.digest('hex')), 0);
  });
}

async function writeTensor(
  file: FileHandle,
  entry: StreamedTensor,
  start: number,
  hash: Hash,
): Promise<number> {
  const end = start + bytesOf(entry.dtype, entry.shape);
  let position = start;
  for await (const view of produced(entry)) {
    for (const piece of piecesOf(view)) {
      hash.update(piece);
      await writeAt(file, piece, position);
      position += piece.byteLength;
    }
  }
  if (position !== end)
    throw new RangeError(
      `tensor ${entry.name}: its shape takes ${end - start} bytes, found ${position - start}`,
    );
  return end;
}

async function* produced(entry: StreamedTensor): AsyncGenerator<ArrayBufferView> {
  const made = entry.produce();
  if (made instanceof Promise) yield await made;
  else yield* made;
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const result = await file.write(bytes, written, bytes.byteLength - written, position + written);
    written += result.bytesWritten;
  }
}
