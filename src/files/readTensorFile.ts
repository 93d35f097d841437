/**
 * Tensors by name in one file, whatever its type: safetensors, a PyTorch checkpoint, a .npz of numpy. Knows no
 * model and no dictionary.
 */
import { InputError } from '../errors.ts';
import { isDense } from '../tensor.ts';
import { checkFinite } from './finite.ts';
import { readNpz } from './npzFile.ts';
import { readSafetensorsHeader } from './safetensors.ts';
import type { TensorFile } from './tensorFile.ts';
import { readView } from './tensorView.ts';
import { readTorchFile } from './torchFile.ts';

async function readSafetensors(path: string): Promise<TensorFile> {
  const { tensors } = await readSafetensorsHeader(path);
  return { tensors, values: new Map(), read: readView };
}

const readers: Readonly<Record<string, (path: string) => Promise<TensorFile>>> = {
  safetensors: readSafetensors,
  pt: readTorchFile,
  pth: readTorchFile,
  npz: readNpz,
};

/** Of the files that are read, without the point. */
const endings = Object.keys(readers);

/**
 * The tensors of a file, of the type that its ending says; values are read later. Throws InputError where it is
 * damaged.
 */
export async function readTensorFile(path: string): Promise<TensorFile> {
  const ending = path.slice(path.lastIndexOf('.') + 1);
  const reader = Object.hasOwn(readers, ending) ? readers[ending] : undefined;
  if (reader === undefined)
    throw new InputError(`${path}: expected a file that ends in .${endings.join(', .')}`);
  return reader(path);
}

/**
 * Throws InputError, beginning with `where`, where a float tensor that lies row-major in the file `path` holds a
 * value that is not finite. What lies otherwise is looked at when it is read.
 */
export async function checkFiniteIn({ tensors }: TensorFile, path: string, where: string): Promise<void> {
  const inFile = [...tensors].filter(([, view]) => view.file === path && isDense(view));
  await checkFinite(new Map(inFile), where);
}
