/**
 * The entries of a zip file, where their bytes lie and how many there are, checked before anything is read;
 * and an entry's bytes, inflated in bounds. Knows nothing of what the entries hold.
 */
import { crc32, inflateRaw } from 'node:zlib';
import { type Entry, fromFdPromise, type ZipFile } from 'yauzl';
import { InputError } from '../errors.ts';
import { pieceBytes, quoted, readInto, type SourceFile, withFile } from './bytes.ts';

export interface ZipEntry {
  /** the zip file */
  readonly file: string;
  readonly name: string;
  /** where its bytes begin in the file */
  readonly offset: number;
  /** how many bytes the file holds of it */
  readonly packedBytes: number;
  /** how many bytes it is */
  readonly bytes: number;
  /** whether its bytes stand in the file as they are */
  readonly stored: boolean;
  readonly crc32: number;
}

/** Most entries of a file; a dictionary has a handful. */
const mostEntries = 4096;

/** Most bytes that the compressed entries of a file may inflate to, all together. */
const mostInflated = 2 ** 31;

const methods = { stored: 0, deflated: 8 };

/**
 * The entries of the zip file `path`, by name; folders are left out. Throws InputError where it is no zip file,
 * malformed, truncated, encrypted, compressed otherwise than by deflate, holds a name twice, more than 4096
 * entries, or compressed ones of more than 2 GiB in all.
 */
export async function readZip(path: string): Promise<Map<string, ZipEntry>> {
  return withFile(path, async (file) => {
    const entries = new Map<string, ZipEntry>();
    let inflated = 0;
    const zip = await opened(file);
    if (zip.entryCount > mostEntries)
      throw new InputError(`${path}: expected at most ${mostEntries} entries, found ${zip.entryCount}`);
    for await (const entry of entriesOf(zip, path)) {
      if (entry.name.endsWith('/')) continue;
      if (entries.has(entry.name))
        throw new InputError(`${path}: the entry ${quoted(entry.name)} stands there twice`);
      checkPlace(entry, file);
      if (!entry.stored) inflated += entry.bytes;
      if (inflated > mostInflated)
        throw new InputError(
          `${path}: expected compressed entries of at most ${mostInflated} bytes in all, found more: store them uncompressed`,
        );
      entries.set(entry.name, entry);
    }
    return entries;
  });
}

/** What yauzl says of a malformed file is one line and names no path. */
const malformed = (path: string, error: unknown): unknown =>
  error instanceof InputError
    ? error
    : new InputError(
        `${path}: expected a zip file: ${quoted(error instanceof Error ? error.message : String(error))}`,
      );

async function opened(file: SourceFile): Promise<ZipFile> {
  try {
    return await fromFdPromise(file.handle.fd, { autoClose: false, strictFileNames: true });
  } catch (error) {
    throw malformed(file.path, error);
  }
}

async function* entriesOf(zip: ZipFile, path: string): AsyncGenerator<ZipEntry> {
  try {
    for await (const entry of zip.eachEntry()) {
      checkMethod(entry, path);
      const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
      yield {
        file: path,
        name: entry.fileName,
        offset: fileDataStart,
        packedBytes: entry.compressedSize,
        bytes: entry.uncompressedSize,
        stored: entry.compressionMethod === methods.stored,
        crc32: entry.crc32,
      };
    }
  } catch (error) {
    throw malformed(path, error);
  }
}

function checkMethod(entry: Entry, path: string): void {
  const where = `${path}: entry ${quoted(entry.fileName)}`;
  if (entry.isEncrypted()) throw new InputError(`${where}: expected no encryption, found it encrypted`);
  const { stored, deflated } = methods;
  if (entry.compressionMethod !== stored && entry.compressionMethod !== deflated)
    throw new InputError(
      `${where}: expected it stored (0) or deflated (8), found compression method ${entry.compressionMethod}`,
    );
}

function checkPlace(entry: ZipEntry, file: SourceFile): void {
  const { name, offset, packedBytes, bytes, stored } = entry;
  const where = `${file.path}: entry ${quoted(name)}`;
  const end = offset + packedBytes;
  if (!Number.isSafeInteger(bytes) || end > file.size)
    throw new InputError(`${where}: truncated: expected ${end} bytes or more, found ${file.size}`);
  if (stored && packedBytes !== bytes)
    throw new InputError(`${where}: expected ${bytes} bytes, found ${packedBytes}`);
}

/** An entry's bytes. Throws InputError where they are not as many, or not those that the zip file says. */
export async function entryBytes(entry: ZipEntry): Promise<Uint8Array> {
  const packed = await packedBytes(entry, entry.packedBytes);
  const where = `${entry.file}: entry ${quoted(entry.name)}`;
  const bytes = entry.stored ? packed : await inflated(packed, entry.bytes, where, {});
  if (bytes.length !== entry.bytes)
    throw new InputError(`${where}: expected ${entry.bytes} bytes, found ${bytes.length}`);
  if (crc32(bytes) !== entry.crc32)
    throw new InputError(`${where}: damaged: its bytes have another checksum`);
  return bytes;
}

/** Bytes of a compressed entry that are read to see how it begins. */
const packedHead = 2 ** 14;

/** The first bytes of an entry, `length` of them unless it ends before or, compressed, begins with much air. */
export async function entryHead(entry: ZipEntry, length: number): Promise<Uint8Array> {
  if (entry.stored) return packedBytes(entry, Math.min(length, entry.bytes));
  const packed = await packedBytes(entry, Math.min(packedHead, entry.packedBytes));
  const where = `${entry.file}: entry ${quoted(entry.name)}`;
  // deflate grows bytes by 1032 times at most
  const most = packedHead * 1032;
  return (await inflated(packed, most, where, { finishFlush: 2 })).subarray(0, length);
}

async function packedBytes({ file, offset }: ZipEntry, length: number): Promise<Uint8Array> {
  return withFile(file, async (source) => {
    if (offset + length > source.size)
      throw new InputError(
        `${file}: truncated: expected ${offset + length} bytes or more, found ${source.size}`,
      );
    const bytes = new Uint8Array(length);
    await readInto(source, bytes, offset);
    return bytes;
  });
}

function inflated(
  packed: Uint8Array,
  most: number,
  where: string,
  options: { finishFlush?: number },
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const maxOutputLength = Math.max(1, Math.min(most, 8 * pieceBytes));
    inflateRaw(packed, { ...options, maxOutputLength }, (error, bytes) => {
      if (!error) resolve(bytes);
      else reject(new InputError(`${where}: expected ${most} deflated bytes: ${quoted(error.message)}`));
    });
  });
}
