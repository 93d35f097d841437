/**
 * What every reader of untrusted files needs: bounded reads of files that may be larger than memory or
 * truncated, sizes that cannot overflow, and one-line errors. Knows no format.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { InputError } from '../errors.ts';

/** Most bytes moved by one call: Node refuses 2 GiB and more at once. */
export const pieceBytes = 2 ** 28;

/** A regular file open for reading. */
export interface SourceFile {
  readonly path: string;
  readonly size: number;
  readonly handle: FileHandle;
}

const reasons: Record<string, string> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'no such file or folder',
  EISDIR: 'expected a file, found a folder',
  EEXIST: 'expected a folder, found a file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files',
  ENOSPC: 'not enough disk space',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file is larger than the file system allows',
  EIO: 'the disk reports an error',
};

/** Longest path in a message; a name in it may come from a file's content. */
const longestPath = { whole: 1000, first: 700, last: 200 };

/** A path in one line: escaped where it has control characters, without its middle where it is longer than any. */
function shownPath(path: string): string {
  const line = /[\p{Cc}\p{Zl}\p{Zp}]/u.test(path) ? JSON.stringify(path) : path;
  const { whole, first, last } = longestPath;
  return line.length > whole ? `${line.slice(0, first)}...${line.slice(-last)}` : line;
}

/** The system's error as an InputError about `path` where the user can mend it; any other error unchanged. */
export function explained(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = reasons[code];
  return reason === undefined ? error : new InputError(`${shownPath(path)}: ${reason}`, { cause: error });
}

/** Text from a file, made safe for a one-line message: quoted, escaped, at most 80 characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

/** A shape for a message, cut after 8 dimensions. */
export function shownShape(shape: readonly number[]): string {
  return shape.length > 8 ? `[${shape.slice(0, 8)},...]` : `[${shape}]`;
}

/**
 * `start` times the dimensions of `shape`; throws InputError where that passes what a number counts
 * exactly.
 */
export function checkedProduct(shape: readonly number[], start: number, where: string): number {
  let product = start;
  for (const n of shape) {
    product *= n;
    if (!Number.isSafeInteger(product))
      throw new InputError(`${where}: the shape ${shownShape(shape)} is too large`);
  }
  return product;
}

/**
 * Opens the regular file `path`, passes it to `use` and closes it; throws InputError where it cannot be
 * read.
 */
export async function withFile<T>(path: string, use: (file: SourceFile) => Promise<T>): Promise<T> {
  const file = await openRegular(path);
  try {
    return await use(file);
  } finally {
    await file.handle.close();
  }
}

/** Throws InputError for a path that no system takes. */
export function checkPath(path: string): void {
  if (path.includes('\0')) throw new InputError(`${quoted(path)}: a path cannot hold a NUL character`);
}

async function openRegular(path: string): Promise<SourceFile> {
  checkPath(path);
  try {
    // Before opening: to open a named pipe would wait for its writer.
    if (!(await stat(path)).isFile())
      throw new InputError(`${path}: expected a file, found a folder or device`);
    const handle = await open(path, 'r');
    try {
      // Of what was opened: another may have taken the name since.
      return { path, size: (await handle.stat()).size, handle };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw explained(error, path);
  }
}

/** Views of at most `pieceBytes` bytes that together cover `view`, in order. */
export function* piecesOf(view: ArrayBufferView): Generator<Uint8Array> {
  for (let done = 0; done < view.byteLength; done += pieceBytes)
    yield new Uint8Array(view.buffer, view.byteOffset + done, Math.min(pieceBytes, view.byteLength - done));
}

/** Fills `target` with the file's bytes from `position`; throws InputError where the file ends before. */
export async function readInto(file: SourceFile, target: ArrayBufferView, position: number): Promise<void> {
  let at = position;
  for (const piece of piecesOf(target)) {
    let filled = 0;
    while (filled < piece.byteLength) {
      const { bytesRead } = await file.handle.read(piece, filled, piece.byteLength - filled, at);
      if (bytesRead === 0) {
        const end = position + target.byteLength;
        throw new InputError(`${file.path}: truncated: expected ${end} bytes or more, found ${at}`);
      }
      filled += bytesRead;
      at += bytesRead;
    }
  }
}
