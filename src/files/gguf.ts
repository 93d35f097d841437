/**
 * The header of a GGUF file: its metadata, and the type, shape and place of each tensor. Takes the file for
 * hostile: every count, length and offset is checked against the bytes that are there. Leaves the tensors'
 * bytes on disk. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { InputError } from '../errors.ts';
import { checkedProduct, quoted, type SourceFile, withFile } from './bytes.ts';
import { type Packing, packings, type WeightType } from './dequantise.ts';
import { GgufCursor, type GgufValue } from './ggufCursor.ts';

/** A tensor in a GGUF file: `bytes` bytes from byte `offset` of the file. */
export interface GgufTensor {
  readonly type: WeightType;
  /** Row-major, the reverse of GGUF's own order: [out, in] for a matrix. */
  readonly shape: readonly number[];
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufFile {
  readonly path: string;
  readonly version: number;
  readonly metadata: Map<string, GgufValue>;
  /** In the order of the header. */
  readonly tensors: Map<string, GgufTensor>;
  /** Byte where the header ends, padding included, and the tensors' bytes begin. */
  readonly dataStart: number;
}

const magic = 0x46554747;
const versions = [2, 3];
const maxDimensions = 4;
/** Fewest bytes of an entry: key length, value type, value; and name length, dimensions, type, offset. */
const leastEntryBytes = { metadata: 8 + 4 + 1, tensor: 8 + 4 + 4 + 8 };

/**
 * Reads and checks the header of the GGUF file `path` (versions 2 and 3, little-endian). Throws InputError
 * where the file is missing, truncated or malformed, or holds a weight type that we do not read.
 */
export async function readGguf(path: string): Promise<GgufFile> {
  return withFile(path, async (file) => {
    const cursor = new GgufCursor(file);
    const version = readVersion(cursor, path);
    const tensorCount = cursor.count(leastEntryBytes.tensor, 'tensors');
    const metadataCount = cursor.count(leastEntryBytes.metadata, 'metadata entries');
    const metadata = readMetadata(cursor, metadataCount, path);
    const entries = readEntries(cursor, tensorCount, path);
    const alignment = alignmentOf(metadata, path);
    const dataStart = Math.ceil(cursor.position / alignment) * alignment;
    const tensors = new Map<string, GgufTensor>();
    for (const [name, entry] of entries)
      tensors.set(name, place(name, entry, { file, dataStart, alignment }));
    checkOverlaps(tensors, path);
    return { path, version, metadata, tensors, dataStart };
  });
}

function readVersion(cursor: GgufCursor, path: string): number {
  const start = cursor.u32('the magic bytes "GGUF"');
  if (start !== magic) throw new InputError(`${path}: not a GGUF file: it does not begin with "GGUF"`);
  const version = cursor.u32('the version');
  if ((version & 0xffff) === 0 && version !== 0)
    throw new InputError(`${path}: big-endian GGUF is not supported; convert the file to little-endian`);
  if (!versions.includes(version))
    throw new InputError(`${path}: expected GGUF version ${versions.join(' or ')}, found ${version}`);
  return version;
}

function readMetadata(cursor: GgufCursor, count: number, path: string): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = cursor.string(`the key of metadata entry ${i}`);
    if (metadata.has(key)) throw new InputError(`${path}: the metadata key ${quoted(key)} stands twice`);
    metadata.set(key, cursor.value(`metadata ${quoted(key)}`));
  }
  return metadata;
}

/** A tensor as the header describes it: its offset counts from the start of the data. */
interface Entry {
  readonly typeNumber: number;
  readonly shape: readonly number[];
  readonly offset: number;
}

function readEntries(cursor: GgufCursor, count: number, path: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (let i = 0; i < count; i++) {
    const name = cursor.string(`the name of tensor ${i}`);
    if (entries.has(name)) throw new InputError(`${path}: tensor ${quoted(name)} stands twice`);
    const what = `tensor ${quoted(name)}`;
    const rank = cursor.u32(`the rank of ${what}`);
    if (rank > maxDimensions)
      throw new InputError(`${path}: ${what}: expected at most ${maxDimensions} dimensions, found ${rank}`);
    const dimensions = Array.from({ length: rank }, () => cursor.size(`a dimension of ${what}`));
    const typeNumber = cursor.u32(`the type of ${what}`);
    entries.set(name, {
      typeNumber,
      shape: dimensions.reverse(),
      offset: cursor.size(`the offset of ${what}`),
    });
  }
  return entries;
}

function alignmentOf(metadata: Map<string, GgufValue>, path: string): number {
  const value = metadata.get('general.alignment') ?? 32;
  const found = typeof value === 'number' ? value : `a ${typeof value}`;
  if (typeof value !== 'number' || !Number.isInteger(Math.log2(value)) || value < 1 || value > 2 ** 31)
    throw new InputError(`${path}: general.alignment: expected a power of two up to 2^31, found ${found}`);
  return value;
}

function place(
  name: string,
  { typeNumber, shape, offset }: Entry,
  { file, dataStart, alignment }: { file: SourceFile; dataStart: number; alignment: number },
): GgufTensor {
  const where = `${file.path}: tensor ${quoted(name)}`;
  const type = typeOf(typeNumber, where);
  const { blockElements, blockBytes } = packings[type];
  const row = shape.at(-1) ?? 1;
  if (row % blockElements !== 0)
    throw new InputError(
      `${where}: expected rows of a multiple of ${blockElements} for ${type}, found ${row}`,
    );
  const bytes = checkedProduct(shape, blockBytes, where) / blockElements;
  if (offset % alignment !== 0)
    throw new InputError(`${where}: expected an offset that is a multiple of ${alignment}, found ${offset}`);
  const start = dataStart + offset;
  if (start + bytes > file.size)
    throw new InputError(`${where}: truncated: expected ${start + bytes} bytes or more, found ${file.size}`);
  return { type, shape, offset: start, bytes };
}

const typesByNumber = new Map<number, WeightType>(
  (Object.entries(packings) as [WeightType, Packing][]).map(([type, { id }]) => [id, type]),
);

/** Weight types that we do not read, to name them in the error. */
const unread: Record<number, string> = {
  9: 'Q8_1',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
  40: 'NVFP4',
};

function typeOf(number: number, where: string): WeightType {
  const type = typesByNumber.get(number);
  if (type) return type;
  const found = `${number} (${unread[number] ?? 'unknown'})`;
  throw new InputError(
    `${where}: expected a type of ${Object.keys(packings).join(' ')}, found type ${found}`,
  );
}

function checkOverlaps(tensors: Map<string, GgufTensor>, path: string): void {
  const filled = [...tensors]
    .filter(([, { bytes }]) => bytes > 0)
    .sort(([, a], [, b]) => a.offset - b.offset);
  let end = 0;
  for (const [name, { offset, bytes }] of filled) {
    if (offset < end)
      throw new InputError(
        `${path}: tensor ${quoted(name)} overlaps another: expected byte ${end} or later, found ${offset}`,
      );
    end = offset + bytes;
  }
}
