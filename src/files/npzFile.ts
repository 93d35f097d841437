/** The arrays of a .npz file as tensors that lie in it; a compressed one is inflated when it is first read. */
import { InputError } from '../errors.ts';
import type { StoredView, Tensor } from '../tensor.ts';
import { quoted } from './bytes.ts';
import { longestNpyHeader, parseNpyHeader } from './npy.ts';
import type { TensorFile } from './tensorFile.ts';
import { readView, readViewIn } from './tensorView.ts';
import { entryBytes, entryHead, readZip, type ZipEntry } from './zipEntries.ts';

/**
 * The arrays of `path`, named as numpy names them. Throws InputError where it is no zip file, an entry no array,
 * or of another size than its header says.
 */
export async function readNpz(path: string): Promise<TensorFile> {
  const tensors = new Map<string, StoredView>();
  const packed = new Map<string, () => Promise<Uint8Array>>();
  for (const [name, entry] of await readZip(path)) {
    const view = await arrayIn(entry);
    tensors.set(name.replace(/\.npy$/, ''), view);
    if (!entry.stored) packed.set(view.file, inflatedOnce(entry));
  }
  return {
    tensors,
    values: new Map(),
    async read(view: StoredView): Promise<Tensor> {
      const bytes = packed.get(view.file);
      return bytes ? readViewIn(await bytes(), view) : readView(view);
    },
  };
}

async function arrayIn(entry: ZipEntry): Promise<StoredView> {
  const where = `${entry.file}: entry ${quoted(entry.name)}`;
  const header = parseNpyHeader(await entryHead(entry, longestNpyHeader), where);
  const { dtype, shape, dataStart, bytes, fortranOrder } = header;
  if (dataStart + bytes !== entry.bytes)
    throw new InputError(`${where}: expected ${dataStart + bytes} bytes, found ${entry.bytes}`);
  return {
    dtype,
    shape,
    bytes,
    file: entry.stored ? entry.file : where,
    offset: (entry.stored ? entry.offset : 0) + dataStart,
    ...(fortranOrder && { strides: columnMajor(shape) }),
  };
}

const columnMajor = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => shape.slice(0, axis).reduce((product, n) => product * n, 1));

function inflatedOnce(entry: ZipEntry): () => Promise<Uint8Array> {
  let bytes: Promise<Uint8Array> | undefined;
  return () => {
    bytes ??= entryBytes(entry);
    return bytes;
  };
}
